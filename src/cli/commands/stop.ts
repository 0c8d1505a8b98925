/**
 * `tanist stop`: drains and stops, and returns when the lock is free.
 */
import type { ClientArguments } from '../client-arguments.js';
import { reportError } from '../report.js';
import { stopTarget } from '../stopping.js';
import { findTarget } from '../target.js';
import { printable, type Terminal } from '../terminal.js';
import { withDeadline } from '../waiting.js';

export const stop = async (args: ClientArguments, terminal: Terminal): Promise<number> => {
  try {
    const { name } = await withDeadline(args.timeoutMs, 'end', async (signal) => {
      const target = await findTarget(args.target);
      await stopTarget(target, signal);
      return target;
    });
    const answer = args.json ? JSON.stringify({ outcome: 'stopped', name }) : `stopped ${printable(name)}`;
    terminal.out(`${answer}\n`);
    return 0;
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};
