/**
 * `tanist scale N`: changes the number of workers, and tells when it is reached.
 */
import type { ScaleVerdict } from '../../../machines/status.js';
import { askScale } from '../../client/control-client.js';
import { findTarget } from '../../client/target.js';
import { askRunning, withDeadline } from '../../client/waiting.js';
import { TanistError } from '../../errors.js';
import { reportError } from '../../words/report.js';
import { printable, type Terminal } from '../../words/terminal.js';
import type { ScaleArguments } from '../command-line.js';

export const scale = async (args: ScaleArguments, terminal: Terminal): Promise<number> => {
  try {
    const verdict = await withDeadline(args.timeoutMs, 'verdict', (signal) => request(args, signal));
    const problem = problemOf(verdict);
    if (args.json) terminal.out(`${JSON.stringify(verdict)}\n`);
    else if (problem === null) terminal.out(`${wellText(verdict)}\n`);
    if (problem === null) return 0;
    return args.json ? problem.exitStatus : reportError(problem, false, terminal);
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const request = async (args: ScaleArguments, signal: AbortSignal): Promise<ScaleVerdict> => {
  const target = await findTarget(args.target);
  const reply = await askRunning(target, signal, () => askScale(target.controlPath, args.workers, signal));
  if (reply.kind === 'answer') return reply.value;
  throw new TanistError(
    'TANIST_VERDICT_LOST',
    'the connection ended before the number of workers was reached',
  );
};

const problemOf = ({ outcome, workers, reason, detail }: ScaleVerdict): TanistError | null => {
  const why = printable(detail ?? reason ?? 'no reason');
  if (outcome === 'scaled') return null;
  return outcome === 'refused'
    ? new TanistError('TANIST_SCALE_REFUSED', `refused (${printable(reason ?? 'no reason')}): ${why}`)
    : new TanistError('TANIST_SCALE_INCOMPLETE', `${workers} workers were asked for; ${why}`);
};

const wellText = ({ workers, from, durationMs }: ScaleVerdict): string =>
  workers === from
    ? `there are ${workers} workers already, all of them ready`
    : `scaled from ${from} to ${workers} workers after ${Math.round(durationMs)} ms`;
