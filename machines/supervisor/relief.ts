/**
 * Replacing a worker that serves: a second one gets ready beside it, and takes its slot.
 *
 * At most one worker at a time is beside those that fill the slots, so that many that grow together do not need
 * twice the memory together.
 */
import type { Place, WorkerReport } from '../events.js';
import { isTooMuch } from '../memory.js';
import { allStopped, applyWorkerFact, emptySlots, isAbout, type SlotRecord } from '../slots.js';
import type { SupervisorContext } from './context.js';

/** A worker beside the one that fills its slot. */
export interface Relief extends SlotRecord {
  /** It gets ready to take the slot; it is not to take it any more; it had the slot before. */
  readonly stage: 'coming' | 'withdrawn' | 'outgoing';
}

type Workers = Pick<SupervisorContext, 'slots' | 'reliefs'>;

export const everyWorker = ({ slots, reliefs }: Workers): readonly SlotRecord[] => [...slots, ...reliefs];

/** No process of this generation is left, and none is about to be started. */
export const isEmpty = (workers: Workers): boolean => allStopped(everyWorker(workers));

/** The record of the machine that a report comes from, if it is beside a slot. */
export const reliefOf = (
  { reliefs }: Pick<Workers, 'reliefs'>,
  from: Pick<SlotRecord, 'slot' | 'place'>,
): Relief | undefined => reliefs.find((relief) => isAbout(relief, from));

/** What is known after one more fact. The exit of a worker that was replaced is an exit in its slot. */
export const recordsAfter = (workers: Workers, fact: WorkerReport): Workers => {
  const reliefs = applyWorkerFact(workers.reliefs, fact);
  const slots = applyWorkerFact(workers.slots, fact);
  const relief = reliefOf({ reliefs }, fact);
  if (fact.type !== 'worker.exited' || relief?.stage !== 'outgoing') return { slots, reliefs };
  const { lastExit } = relief;
  return {
    reliefs,
    slots: slots.map((record) => (record.slot === fact.slot ? { ...record, lastExit } : record)),
  };
};

/**
 * The worker that is to be replaced next, of several the largest; null for none now.
 *
 * Not while anybody is beside a slot, nor during a reload, which replaces all of them.
 */
export const nextToRelieve = (context: SupervisorContext): SlotRecord | null => {
  if (context.reliefs.length > 0 || context.reliefRests || context.link !== 'none') return null;
  const [largest] = context.slots
    .filter(
      ({ leaving, state, memoryBytes }) =>
        !leaving && state === 'ready' && isTooMuch(context.settings, memoryBytes),
    )
    .sort((one, other) => (other.memoryBytes ?? 0) - (one.memoryBytes ?? 0));
  return largest ?? null;
};

const OTHER: Readonly<Record<Place, Place>> = { worker: 'relief', relief: 'worker' };

/** The record of a worker that is about to be started beside another one. */
export const newRelief = ({ slot, place, generation }: SlotRecord): Relief[] =>
  emptySlots(1, generation, slot - 1).map((record) => ({
    ...record,
    place: OTHER[place],
    state: 'starting',
    stage: 'coming',
  }));

/** It takes the slot; who had it is beside it from now on. */
export const relieved = ({ slots, reliefs }: Workers, relief: Relief): Workers => {
  const before = slots.find(({ slot }) => slot === relief.slot);
  if (before === undefined) return { slots, reliefs };
  const { stage, ...record } = relief;
  const { respawns, lastExit } = before;
  return {
    slots: slots.map((one) => (one === before ? { ...record, respawns: respawns + 1, lastExit } : one)),
    reliefs: reliefs.map((one) => (one === relief ? { ...before, stage: 'outgoing' } : one)),
  };
};

/** A worker that comes and has no reason to any more: all of them are to leave, or its slot is. */
export const isNeedless = (context: SupervisorContext, { slot, stage }: Relief): boolean =>
  stage === 'coming' &&
  (context.link !== 'none' || context.slots.some((record) => record.slot === slot && record.leaving));

/** From the order to leave on it does not take the slot, whatever it has said before it heard of it. */
export const withdrawn = (relief: Relief): Relief =>
  relief.stage === 'coming' ? { ...relief, stage: 'withdrawn' } : relief;
