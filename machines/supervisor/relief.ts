/**
 * Replacing a worker that serves: a second one gets ready beside it, and takes its slot.
 *
 * At most one worker at a time is beside those that fill the slots, so that many that grow together do not need
 * twice the memory together.
 */
import type { WorkerReport } from '../events.js';
import { isTooMuch } from '../memory.js';
import { allStopped, applyWorkerFact, emptySlot, freePlaces, isAbout, type SlotRecord } from '../slots.js';
import type { SupervisorContext } from './context.js';

/** A worker beside the one that fills its slot. */
export interface Relief extends SlotRecord {
  /** It gets ready to take the slot; it is not to take it any more; it had the slot before. */
  readonly stage: 'coming' | 'withdrawn' | 'outgoing';
}

export type Workers = Pick<SupervisorContext, 'slots' | 'reliefs' | 'spares'>;

export const everyWorker = ({ slots, reliefs, spares }: Workers): readonly SlotRecord[] => [
  ...slots,
  ...reliefs,
  ...spares,
];

/** A standby that could serve now. */
export const readySpare = ({ spares }: Pick<Workers, 'spares'>): SlotRecord | null =>
  spares.find(({ state }) => state === 'ready') ?? null;

/** No process of this generation is left, and none is about to be started. */
export const isEmpty = (workers: Workers): boolean => allStopped(everyWorker(workers));

/** The record of the machine that a report comes from, if it is beside a slot. */
export const reliefOf = (
  { reliefs }: Pick<Workers, 'reliefs'>,
  from: Pick<SlotRecord, 'place'>,
): Relief | undefined => reliefs.find((relief) => isAbout(relief, from));

/** What is known after one more fact. The exit of a worker that was replaced is an exit in its slot. */
export const recordsAfter = (workers: Workers, fact: WorkerReport): Workers => {
  const reliefs = applyWorkerFact(workers.reliefs, fact);
  const slots = applyWorkerFact(workers.slots, fact);
  const spares = applyWorkerFact(workers.spares, fact);
  const relief = reliefOf({ reliefs }, fact);
  if (fact.type !== 'worker.exited' || relief?.stage !== 'outgoing') return { slots, reliefs, spares };
  const { lastExit } = relief;
  return {
    reliefs,
    spares,
    slots: slots.map((record) => (record.slot === fact.slot ? { ...record, lastExit } : record)),
  };
};

/**
 * The worker that is to be replaced next, of several the largest; null for none now.
 *
 * Not while anybody is beside a slot, nor during a reload, which replaces all of them. Where there are standbys one
 * of them takes its place, as soon as one is ready.
 */
export const nextToRelieve = (context: SupervisorContext): SlotRecord | null => {
  if (context.reliefs.length > 0 || context.reliefRests || context.link !== 'none') return null;
  if (context.settings.standby > 0 && readySpare(context) === null) return null;
  const [largest] = context.slots
    .filter(
      ({ leaving, state, memoryBytes }) =>
        !leaving && state === 'ready' && isTooMuch(context.settings, memoryBytes),
    )
    .sort((one, other) => (other.memoryBytes ?? 0) - (one.memoryBytes ?? 0));
  return largest ?? null;
};

/** The record of a worker that is about to be started beside another one. */
export const newRelief = (workers: Workers, { slot, generation }: SlotRecord): Relief[] =>
  freePlaces(everyWorker(workers), 1).map((place) => ({
    ...emptySlot(slot, place, generation),
    state: 'starting',
    stage: 'coming',
  }));

/** Whoever takes a slot over counts as a respawn in it. */
const heirOf = (record: SlotRecord, { slot, respawns, lastExit }: SlotRecord): SlotRecord => ({
  ...record,
  slot,
  respawns: respawns + 1,
  lastExit,
});

/** It takes the slot; who had it is beside it from now on. */
export const relieved = ({ slots, reliefs, spares }: Workers, relief: Relief): Workers => {
  const before = slots.find(({ slot }) => slot === relief.slot);
  if (before === undefined) return { slots, reliefs, spares };
  const { stage, ...record } = relief;
  return {
    slots: slots.map((one) => (one === before ? heirOf(record, before) : one)),
    reliefs: reliefs.map((one) => (one === relief ? { ...before, stage: 'outgoing' } : one)),
    spares,
  };
};

/** A standby takes the slot of a worker that serves, which is beside it from now on. */
export const relievedBy = (
  { slots, reliefs, spares }: Workers,
  before: SlotRecord,
  spare: SlotRecord,
): Workers => ({
  slots: slots.map((one) => (one === before ? heirOf(spare, before) : one)),
  reliefs: [...reliefs, { ...before, stage: 'outgoing' }],
  spares: spares.filter((one) => one !== spare),
});

/** A standby takes a slot that has no process; the machine that is to fill it makes the next standby instead. */
export const promotedInto = (
  { slots, reliefs, spares }: Workers,
  empty: SlotRecord,
  spare: SlotRecord,
): Workers => ({
  slots: slots.map((one) => (one === empty ? heirOf(spare, empty) : one)),
  reliefs,
  spares: spares.map((one) =>
    one === spare ? { ...emptySlot(0, empty.place, empty.generation), state: empty.state } : one,
  ),
});

/** In an exclusive daemon nobody serves in a slot as long as whoever served in it before is not gone. */
export const mayServeIn = ({ settings, reliefs }: SupervisorContext, slot: number): boolean =>
  settings.handoff === 'overlap' ||
  reliefs.every((relief) => relief.slot !== slot || relief.stage !== 'outgoing');

/** A worker that comes and has no reason to any more: all of them are to leave, or its slot is. */
export const isNeedless = (context: SupervisorContext, { slot, stage }: Relief): boolean =>
  stage === 'coming' &&
  (context.link !== 'none' || context.slots.some((record) => record.slot === slot && record.leaving));

/** From the order to leave on it does not take the slot, whatever it has said before it heard of it. */
export const withdrawn = (relief: Relief): Relief =>
  relief.stage === 'coming' ? { ...relief, stage: 'withdrawn' } : relief;
