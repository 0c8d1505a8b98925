/**
 * `tanist reload`: starts a new generation, and tells what became of it.
 */
import type { ClientArguments } from '../client-arguments.js';
import { reportError } from '../report.js';
import { findTarget } from '../target.js';
import type { Terminal } from '../terminal.js';
import { requestVerdict, tellVerdict } from '../verdict.js';
import { withDeadline } from '../waiting.js';

export const reload = async (args: ClientArguments, terminal: Terminal): Promise<number> => {
  try {
    const { target, verdict } = await withDeadline(args.timeoutMs, 'verdict', async (signal) => {
      const found = await findTarget(args.target);
      return { target: found, verdict: await requestVerdict(found, signal) };
    });
    return await tellVerdict(verdict, target, args.json, terminal);
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};
