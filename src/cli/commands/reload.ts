/**
 * `tanist reload`: starts a new generation, and tells what became of it.
 */

import { findTarget } from '../../client/target.js';
import { requestVerdict, tellVerdict } from '../../client/verdict.js';
import { withDeadline } from '../../client/waiting.js';
import { reportError } from '../../words/report.js';
import type { Terminal } from '../../words/terminal.js';
import type { ClientArguments } from '../client-arguments.js';

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
