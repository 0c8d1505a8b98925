/**
 * What one generation tells of another that cannot be asked yet: a successor's workers while they boot.
 */
import type { JournalEntry } from '../../journal/entry.js';
import { endGeneration, generationOf } from './generations.js';
import type { GenerationView, Picture } from './picture.js';
import { beginSpan, workerAt } from './workers.js';

/** The latest generation behind this one that has not ended. */
const successorOf = (picture: Picture, { generation }: GenerationView): GenerationView | undefined =>
  [...picture.generations.values()].findLast(
    (one) => one.generation > generation && (one.endedMs === null || one.fate === 'failed'),
  );

const speaksForItself = (generation: GenerationView): boolean => generation.machines.has('supervisor');

const pidsOf = (workers: unknown): readonly number[] =>
  Array.isArray(workers) ? workers.map((one: { pid?: unknown }) => Number(one.pid)) : [];

const noteWorkers = (generation: GenerationView, pids: readonly number[], atMs: number): void => {
  for (const pid of pids) {
    const worker = workerAt(generation, `pid-${pid}`, true);
    worker.pid = pid;
    worker.state = 'starting, as far as is known';
    worker.spawnedAtMs ??= atMs;
    beginSpan(worker, 'boot', atMs);
  }
  for (const worker of generation.workers.values()) {
    if (!worker.isHearsay || worker.pid === null || pids.includes(worker.pid)) continue;
    worker.pid = null;
    worker.state = 'gone';
    beginSpan(worker, null, atMs);
  }
};

export const noteHearsay = (
  picture: Picture,
  teller: GenerationView,
  { actor, event, generation }: JournalEntry,
  atMs: number,
): void => {
  if (actor === 'reload' && event.type === 'successor.spawned')
    generationOf(picture, { pid: Number(event.pid), generation: Number(event.generation) }, atMs);
  if (actor === 'supervisor' && event.type === 'reload.refused') {
    const refused = successorOf(picture, teller);
    if (refused === undefined) return;
    // Of one whose workers may have served the journal has another word.
    const fate = event.outcome === 'rolled-back' ? 'rolled back' : 'refused';
    endGeneration(refused, atMs, fate);
    refused.fate = fate;
    refused.why = [event.reason, event.detail].filter((part) => typeof part === 'string').join(': ');
    return;
  }
  if (event.type !== 'successor.workers' || actor !== 'reload') return;
  const successor = [...picture.generations.values()].findLast(
    (one) => one.generation > generation && one.endedMs === null,
  );
  if (successor !== undefined && !speaksForItself(successor))
    noteWorkers(successor, pidsOf(event.workers), atMs);
};
