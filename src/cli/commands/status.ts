/**
 * `tanist status`: what runs now.
 */
import type { Status } from '../../../machines/status.js';
import { askStatus, type Reply } from '../../client/control-client.js';
import { findTargets, nothingRuns, type Target } from '../../client/target.js';
import { askRunning, withDeadline } from '../../client/waiting.js';
import { asTanistError, type TanistError } from '../../errors.js';
import { errorText, reportError } from '../../words/report.js';
import { printable, type Terminal } from '../../words/terminal.js';
import type { ClientArguments } from '../client-arguments.js';

/** Nothing bounds this answer but the health of who gives it. */
const DEFAULT_TIMEOUT_MS = 10_000;
const PIPED_COLUMNS = 400;

type Finding =
  | { readonly target: Target; readonly status: Status }
  | { readonly target: Target; readonly error: TanistError };

export const status = async (args: ClientArguments, terminal: Terminal): Promise<number> => {
  try {
    const targets = await findTargets(args.target);
    const timeoutMs = args.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const findings = await Promise.all(targets.map((target) => find(target, timeoutMs)));
    const [first, ...others] = findings;
    if (first === undefined) throw nothingRuns(args.target);
    if (others.length === 0 && 'error' in first) throw first.error;
    if (args.json) terminal.out(`${JSON.stringify(asJson(findings))}\n`);
    else await print(findings, terminal);
    return Math.max(...findings.map((finding) => ('error' in finding ? finding.error.exitStatus : 0)));
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const find = async (target: Target, timeoutMs: number): Promise<Finding> => {
  try {
    const { value } = await withDeadline(timeoutMs, 'answer', (signal) =>
      askRunning(target, signal, () => askCalmly(target, signal)),
    );
    return { target, status: value };
  } catch (thrown) {
    return { target, error: asTanistError(thrown) };
  }
};

/** Whoever is lost while it is asked is gone, and the question costs nothing: another may answer it. */
const askCalmly = async (
  target: Target,
  signal: AbortSignal,
): Promise<Exclude<Reply<Status>, { kind: 'lost' }>> => {
  const reply = await askStatus(target.controlPath, signal);
  return reply.kind === 'lost' ? { kind: 'absent' } : reply;
};

/** One object: the status itself, or a list of all. */
const asJson = (findings: readonly Finding[]): unknown => {
  const [first, ...others] = findings;
  if (first !== undefined && 'status' in first && others.length === 0) return first.status;
  const daemons = findings.map((finding) =>
    'status' in finding ? finding.status : { name: finding.target.name, ...finding.error.toJSON() },
  );
  return { daemons };
};

const print = async (findings: readonly Finding[], terminal: Terminal): Promise<void> => {
  const { statusText } = await import('../status-view.js');
  // Nothing needs to be cut where no terminal shows it.
  const columns = terminal.isTty ? terminal.columns : PIPED_COLUMNS;
  const texts: string[] = [];
  for (const finding of findings) {
    if ('status' in finding) texts.push(await statusText(finding.status, new Date(), columns));
    else terminal.err(`${printable(finding.target.name)}: ${errorText(finding.error)}`);
  }
  terminal.out(texts.join('\n'));
};
