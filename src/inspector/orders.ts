/**
 * The three buttons: what they ask for goes the way it goes for everybody, over the control socket; a worker is
 * killed only if it provably is the one that was recorded.
 */
import type { JournalEntry } from '../journal/entry.js';
import { Processes } from '../os/processes.js';
import { askDaemon, askToStop, type DaemonAnswer } from './daemon.js';
import { view } from './view/fold.js';

export type Order = 'reload' | 'stop' | 'kill';

const ANSWER_LIMIT_MS = 10_000;

const refusal = (status: number, message: string): DaemonAnswer => ({
  status,
  body: JSON.stringify({ error: { message } }),
});

/** Sends SIGKILL to a worker, as a crash would: the supervisor finds out, and decides. */
const killWorker = (entries: readonly JournalEntry[], pid: number): DaemonAnswer => {
  const workers = [...view(entries).generations.values()].flatMap((generation) =>
    generation.endedMs === null ? [...generation.workers.values()] : [],
  );
  const worker = workers.findLast((one) => one.pid === pid);
  if (worker === undefined) return refusal(404, `${pid} is no worker that lives, as far as was recorded`);
  const problem = new Processes(new Map()).signalProcess(
    { pid, startTime: worker.startTime },
    'SIGKILL',
    false,
  );
  return problem === null
    ? { status: 200, body: JSON.stringify({ killed: pid }) }
    : refusal(409, `${pid} was not killed: ${problem}`);
};

/** @returns what the daemon answers. Never rejects. */
export const obey = async (
  order: Order,
  controlPath: string,
  entries: readonly JournalEntry[],
  pid: number,
): Promise<DaemonAnswer> => {
  try {
    if (order === 'kill') return killWorker(entries, pid);
    if (order === 'stop') return await askToStop(controlPath, ANSWER_LIMIT_MS);
    return await askDaemon(controlPath, 'POST', '/reload', null);
  } catch (error) {
    return refusal(502, `the daemon was asked, and then: ${error instanceof Error ? error.message : error}`);
  }
};
