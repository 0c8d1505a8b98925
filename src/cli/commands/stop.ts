/**
 * `tanist stop`: drains and stops, and returns when the lock is free.
 */

import { findTarget } from '../../client/target.js';
import { withDeadline } from '../../client/waiting.js';
import { reportError } from '../../words/report.js';
import { printable, type Terminal } from '../../words/terminal.js';
import type { ClientArguments } from '../client-arguments.js';
import { stopTarget } from '../stopping.js';

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
