/**
 * Entries of a journal, one after the other, folded into what they show.
 *
 * Nothing is trusted to be complete: a recording may begin in the middle, and of a generation that is not connected
 * only what the other one tells is known.
 */
import type { JournalEntry } from '../../journal/entry.js';
import { eventText } from './arrows.js';
import { endGeneration, generationAt } from './generations.js';
import { noteHearsay } from './hearsay.js';
import type { GenerationView, Picture, WorkerView } from './picture.js';
import { adoptSnapshot } from './snapshots.js';
import { foldWorker } from './workers.js';

export const emptyPicture = (): Picture => ({ generations: new Map(), atMs: 0 });

/** Older fields first, as everywhere: a machine's name is told once and known from then on. */
const machineOf = (entry: JournalEntry): string => entry.machine ?? entry.actor.replace(/-\d+$/, '');

const foldAlarms = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  const { actor, event, effects, status } = entry;
  const { alarms } = generation;
  const keyOf = (id: string): string => `${actor} ${id}`;
  if (event.type === 'alarm.fired')
    for (const [key, alarm] of alarms)
      if (alarm.actor === actor && alarm.alarm === event.alarm) alarms.delete(key);
  for (const effect of effects) {
    if ('stop' in effect) alarms.delete(keyOf(effect.stop));
    if (!('spawn' in effect) || effect.src !== 'alarm') continue;
    const { alarm, delayMs } = (effect.input ?? {}) as { alarm?: unknown; delayMs?: unknown };
    alarms.set(keyOf(effect.spawn), {
      actor,
      id: effect.spawn,
      alarm: typeof alarm === 'string' ? alarm : effect.spawn,
      setAtMs: atMs,
      dueAtMs: typeof delayMs === 'number' ? atMs + delayMs : null,
    });
  }
  if (status !== undefined) for (const [key, alarm] of alarms) if (alarm.actor === actor) alarms.delete(key);
};

const foldMachine = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  const { actor, from, to, event, status } = entry;
  const known = generation.machines.get(actor);
  const machine = known ?? { machine: machineOf(entry), state: to, edge: null, status: 'active' };
  const isNew = known === undefined || entry.machine !== undefined;
  if (isNew) generation.machines.set(actor, machine);
  if (from !== null && from !== to) machine.edge = { from, to, event: eventText(event), atMs };
  machine.state = to;
  machine.status = status ?? 'active';
};

/** What the supervisor's own events say about its generation, and about others. */
const foldSupervisor = (picture: Picture, generation: GenerationView, entry: JournalEntry, atMs: number) => {
  const { event, to, status } = entry;
  if (event.type === 'pid.written' && event.pid === entry.pid) takeCharge(picture, generation, atMs);
  if (event.type === 'takeover.activated') generation.probationMs = atMs;
  if (event.type === 'reload.promoted') {
    leaveCharge(generation, atMs);
    generation.fate = 'leaves';
  }
  if (event.type === 'predecessor.gone')
    for (const one of picture.generations.values())
      if (one.generation < generation.generation && one.fate !== 'anchor') endGeneration(one, atMs);
  if (to.startsWith('anchored') && generation.fate !== 'anchor') {
    endGeneration(generation, atMs);
    generation.fate = 'anchor';
  }
  if (status !== undefined) endGeneration(generation, atMs, status === 'done' ? 'ended' : 'failed');
};

const leaveCharge = (generation: GenerationView, atMs: number): void => {
  const last = generation.charge.at(-1);
  if (last?.toMs === null) last.toMs = atMs;
};

/** The lock is one: whoever has it, the others have not. */
const takeCharge = (picture: Picture, generation: GenerationView, atMs: number): void => {
  for (const one of picture.generations.values()) if (one !== generation) leaveCharge(one, atMs);
  if (generation.charge.at(-1)?.toMs !== null) generation.charge.push({ fromMs: atMs, toMs: null });
  generation.fate = 'in charge';
};

const isPlace = (actor: string): boolean => /^worker-\d+$/.test(actor);

/** One more entry. Entries of one supervisor have to come in their order. */
export const fold = (picture: Picture, entry: JournalEntry): void => {
  const atMs = Date.parse(entry.time);
  picture.atMs = Math.max(picture.atMs, atMs);
  const generation = generationAt(picture, entry, atMs);
  if (entry.snapshot !== undefined) adoptSnapshot(generation, entry, atMs);
  foldMachine(generation, entry, atMs);
  foldAlarms(generation, entry, atMs);
  if (isPlace(entry.actor)) foldWorker(generation, entry, atMs);
  if (entry.actor === 'supervisor') foldSupervisor(picture, generation, entry, atMs);
  noteHearsay(picture, generation, entry, atMs);
};

/**
 * What is shown behind the first `count` of the entries.
 *
 * @param entries sorted by time.
 */
export const view = (entries: readonly JournalEntry[], count = entries.length): Picture => {
  const picture = emptyPicture();
  for (let index = 0; index < count; index += 1) fold(picture, entries[index] as JournalEntry);
  return picture;
};

const rank = ({ slot }: WorkerView): number => (slot === 0 ? Number.MAX_SAFE_INTEGER : slot);

/** Workers in the order of their slots, standbys behind. */
export const workersOf = (generation: GenerationView): readonly WorkerView[] =>
  [...generation.workers.values()].sort((a, b) => rank(a) - rank(b) || a.actor.localeCompare(b.actor));
