/**
 * The generations of a picture: how one begins, and how it ends.
 */
import type { JournalEntry } from '../../journal/entry.js';
import type { Fate, GenerationView, Picture } from './picture.js';

const keyOf = (pid: number, generation: number): string => `${pid} ${generation}`;

export const generationOf = (
  picture: Picture,
  { pid, generation }: { readonly pid: number; readonly generation: number },
  beganMs: number,
): GenerationView => {
  const known = picture.generations.get(keyOf(pid, generation));
  if (known !== undefined) return known;
  const made: GenerationView = {
    generation,
    pid,
    beganMs,
    endedMs: null,
    probationMs: null,
    why: '',
    fate: 'begins',
    charge: [],
    machines: new Map(),
    workers: new Map(),
    alarms: new Map(),
  };
  picture.generations.set(keyOf(pid, generation), made);
  return made;
};

/** Closes everything that is still open; what has ended stays as it was. */
export const endGeneration = (generation: GenerationView, atMs: number, fate: Fate = 'ended'): void => {
  generation.alarms.clear();
  const last = generation.charge.at(-1);
  if (last?.toMs === null) last.toMs = atMs;
  for (const worker of generation.workers.values()) {
    const span = worker.spans.at(-1);
    if (span?.toMs === null) span.toMs = atMs;
    if (worker.pid === null && worker.respawnAtMs === null) continue;
    // Nobody has told its end: it cannot live any longer than its generation.
    [worker.pid, worker.respawnAtMs, worker.state] = [null, null, 'gone'];
  }
  if (generation.endedMs !== null) return;
  generation.endedMs = atMs;
  generation.fate = fate;
};

/** The generation an entry belongs to. A first one that begins anew is the end of all before it. */
export const generationAt = (picture: Picture, entry: JournalEntry, atMs: number): GenerationView => {
  const { pid, generation, actor, event } = entry;
  const isNew = !picture.generations.has(keyOf(pid, generation));
  if (isNew && generation === 1 && actor === 'supervisor')
    for (const one of picture.generations.values()) endGeneration(one, atMs);
  const made = generationOf(picture, entry, atMs);
  // What it says itself is better than what was said of it.
  if (actor === 'supervisor' && (event.type === 'xstate.init' || entry.snapshot !== undefined))
    for (const [key, worker] of made.workers) if (worker.isHearsay) made.workers.delete(key);
  return made;
};
