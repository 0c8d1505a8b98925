/**
 * The life of a worker, from the entries of its machine.
 */
import type { JournalEntry } from '../../journal/entry.js';
import type { Exit, GenerationView, LifeKind, WorkerView } from './picture.js';
import { lifeOf } from './states.js';

export const workerAt = (generation: GenerationView, actor: string, isHearsay = false): WorkerView => {
  const known = generation.workers.get(actor);
  if (known !== undefined) return known;
  const made: WorkerView = {
    actor,
    slot: Number(actor.replace(/^.*-/, '')),
    pid: null,
    startTime: null,
    state: 'stopped',
    spawnedAtMs: null,
    respawns: 0,
    respawnAtMs: null,
    says: '',
    memoryBytes: null,
    lastExit: null,
    spans: [],
    exits: [],
    isHearsay,
  };
  generation.workers.set(actor, made);
  return made;
};

/** From now on it does something else; null: nothing. */
export const beginSpan = (worker: WorkerView, kind: LifeKind | null, atMs: number): void => {
  const last = worker.spans.at(-1);
  if (last?.toMs === null) {
    if (last.kind === kind && (last.pid === worker.pid || last.pid === null)) return;
    last.toMs = atMs;
  }
  if (kind !== null)
    worker.spans.push({ kind, fromMs: atMs, toMs: null, pid: worker.pid, slot: worker.slot });
};

export const recordExit = (worker: WorkerView, exit: Exit): void => {
  worker.lastExit = exit;
  worker.exits.push(exit);
  worker.pid = null;
  worker.startTime = null;
  worker.memoryBytes = null;
  worker.says = '';
};

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise;

export const foldWorker = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  const worker = workerAt(generation, entry.actor);
  const { event, to, effects } = entry;
  const slot = event.slot ?? (event.input as { slot?: unknown } | undefined)?.slot;
  if (typeof slot === 'number') worker.slot = slot;
  switch (event.type) {
    case 'worker.spawned':
      if (worker.spawnedAtMs !== null) worker.respawns += 1;
      worker.pid = numberOr(event.pid, 0);
      worker.startTime = typeof event.startTime === 'string' ? event.startTime : null;
      worker.spawnedAtMs = atMs;
      worker.says = '';
      break;
    case 'worker.exited':
      recordExit(worker, {
        atMs,
        pid: numberOr(event.pid, worker.pid ?? 0),
        code: typeof event.code === 'number' ? event.code : null,
        signal: typeof event.signal === 'string' ? event.signal : null,
      });
      break;
    case 'status.said':
      worker.says = String(event.text ?? '');
      break;
    case 'memory.measured':
      worker.memoryBytes = numberOr(event.memoryBytes, 0);
      break;
  }
  worker.state = to;
  worker.respawnAtMs = to === 'backoff' ? worker.respawnAtMs : null;
  for (const effect of effects)
    if ('spawn' in effect && effect.spawn === 'backoffAlarm')
      worker.respawnAtMs = atMs + numberOr((effect.input as { delayMs?: unknown } | undefined)?.delayMs, 0);
  beginSpan(worker, entry.status === undefined ? lifeOf(to) : null, atMs);
};
