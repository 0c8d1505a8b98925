/**
 * A reload as its client sees it: asked for, waited for, told.
 */
import type { Status } from '../../machines/status.js';
import { TanistError } from '../errors.js';
import { printable, type Terminal } from '../words/terminal.js';
import { askReload, type JoinableVerdict } from './control-client.js';
import { isOver, notRunning, type Target } from './target.js';
import { askRunning, glance, look, remainsOf, watchSilence } from './waiting.js';

/** Exit status of a reload that did not happen: the old generation goes on. */
const REFUSED_STATUS = 4;
/** While these last, a verdict is still to come. */
const UNDER_WAY: readonly string[] = ['reloading', 'takeover', 'handoff'];

/** Tells a verdict, and returns the exit status it leads to. */
export const tellVerdict = async (
  verdict: JoinableVerdict,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<number> => {
  const promoted = verdict.outcome === 'promoted';
  const tell = async () => (promoted ? promotionText(verdict) : refusalText(verdict, await inCharge(target)));
  terminal.out(`${json ? JSON.stringify(verdict) : await tell()}\n`);
  return promoted ? 0 : REFUSED_STATUS;
};

/**
 * Asks for a reload and waits for what becomes of it.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING`, `TANIST_CONTROL_FAILED`, `TANIST_VERDICT_LOST`.
 */
export const requestVerdict = async (target: Target, signal: AbortSignal): Promise<JoinableVerdict> => {
  // Nobody else asks at this nanosecond with this pid; node:crypto takes 5 ms to load.
  const id = `${process.pid}-${process.hrtime.bigint()}`;
  const reply = await askRunning(target, signal, () => askReload(target.controlPath, id, signal));
  return reply.kind === 'answer' ? reply.value : recoverVerdict(target, id, signal);
};

/**
 * Who took the request is gone, with it the answer: whoever is in charge now knows the verdict by the request's id.
 *
 * It may take a while until somebody is: the lock stays held meanwhile.
 */
const recoverVerdict = async (target: Target, id: string, signal: AbortSignal): Promise<JoinableVerdict> => {
  const silence = watchSilence(target);
  for (;;) {
    const reply = await glance(target, signal);
    if (reply.kind === 'answer') {
      silence.heard();
      const { lastReload, reload: current, state } = reply.value;
      if (lastReload?.ids.includes(id)) return lastReload;
      if (current === null && !UNDER_WAY.includes(state)) {
        throw verdictLost(
          `generation ${reply.value.generation} is in charge and knows nothing of this reload`,
        );
      }
    } else if (reply.kind === 'absent' && isOver(target)) throw notRunning(target);
    if (silence.isTooLong()) throw verdictLost(`${remainsOf(target)}, but nobody answers`);
    await look(signal);
  }
};

const verdictLost = (why: string): TanistError =>
  new TanistError('TANIST_VERDICT_LOST', `the connection ended before the verdict, and ${why}`);

/** Only for the text: who goes on serving is worth saying, but not worth waiting for, and no reason to fail. */
const inCharge = async (target: Target): Promise<Status | null> => {
  const reply = await glance(target, new AbortController().signal);
  return reply.kind === 'answer' ? reply.value : null;
};

const joined = (verdict: JoinableVerdict): string => (verdict.joined ? 'joined a reload under way: ' : '');

const promotionText = (verdict: JoinableVerdict): string => {
  const { generation, pid, durationMs } = verdict;
  // An older version does not say which process it is.
  const who = typeof pid === 'number' ? ` (pid ${pid})` : '';
  return `${joined(verdict)}promoted: generation ${generation} serves${who} after ${Math.round(durationMs)} ms`;
};

const refusalText = (verdict: JoinableVerdict, status: Status | null): string => {
  const outcome = verdict.outcome === 'rolled-back' ? 'rolled back' : verdict.outcome;
  const reason = `${outcome} (${printable(verdict.reason ?? 'no reason')})`;
  const detail = verdict.detail === null ? '' : `: ${printable(verdict.detail).replace(/\.$/, '')}`;
  return `${joined(verdict)}${reason}${detail}; ${whoServes(status)}`;
};

const whoServes = (status: Status | null): string => {
  if (status === null) return 'the old generation stays in charge';
  return status.state === 'stopping'
    ? `generation ${status.generation} is stopping`
    : `generation ${status.generation} goes on serving`;
};
