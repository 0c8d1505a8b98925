/**
 * What a supervisor knows of its slots: one record each, changed only by facts.
 */
import type { Identity, Place, WorkerReport } from './events.js';
import type { WorkerState } from './status.js';

/** What is known of one worker and of the slot it fills. */
export interface SlotRecord {
  /** 0 for a standby, which has none. */
  readonly slot: number;
  /** The machine this is about. */
  readonly place: Place;
  /** Counted from 1. */
  readonly generation: number;
  /** null while no process exists. */
  readonly pid: number | null;
  /** Of the process, as the kernel says it; null where there is none or the system does not tell. */
  readonly startTime: string | null;
  /** What its machine does, in one word. */
  readonly state: WorkerState;
  /** When its last process was started; null before the first one. */
  readonly startedAtMs: number | null;
  /** Processes started in this slot after its first. */
  readonly respawns: number;
  /** How the last process ended; null before the first end. */
  readonly lastExit: {
    /** Exit status; null where a signal ended it. */
    readonly code: number | null;
    /** What ended it; null where it exited. */
    readonly signal: string | null;
    /** Milliseconds since 1970. */
    readonly atMs: number;
  } | null;
  /** What the worker last said of itself. */
  readonly status: string | null;
  /** Resident, as last measured; null while nobody measures it. */
  readonly memoryBytes: number | null;
  /** Whether its last health check has passed; null while it was not asked. */
  readonly healthy: boolean | null;
  /** There are to be fewer slots: this one goes when it is empty. */
  readonly leaving: boolean;
}

/** The record of a worker machine that was not started yet. */
export const emptySlot = (slot: number, place: Place, generation: number): SlotRecord => ({
  slot,
  place,
  generation,
  pid: null,
  startTime: null,
  state: 'stopped',
  startedAtMs: null,
  respawns: 0,
  lastExit: null,
  status: null,
  memoryBytes: null,
  healthy: null,
  leaving: false,
});

/** Slots from 1 on, before anybody else is there. */
export const emptySlots = (count: number, generation: number): readonly SlotRecord[] =>
  Array.from({ length: count }, (_, index) => emptySlot(index + 1, index + 1, generation));

/** So many places that nobody has, the lowest first. */
export const freePlaces = (taken: readonly Pick<SlotRecord, 'place'>[], count: number): readonly Place[] =>
  Array.from({ length: taken.length + count }, (_, index) => index + 1)
    .filter((place) => taken.every((record) => record.place !== place))
    .slice(0, count);

/** The name of a machine. */
export const workerId = ({ place }: Pick<SlotRecord, 'place'>): string => `worker-${place}`;

/** No process, and none of what was only true of it. */
const EMPTY = { pid: null, startTime: null, memoryBytes: null } as const;

const changesBy = (record: SlotRecord, fact: WorkerReport): Partial<SlotRecord> => {
  switch (fact.type) {
    case 'worker.spawned':
      return {
        pid: fact.pid,
        startTime: fact.startTime,
        state: 'starting',
        startedAtMs: fact.atMs,
        respawns: record.startedAtMs === null ? record.respawns : record.respawns + 1,
        status: null,
        memoryBytes: null,
        healthy: null,
      };
    case 'worker.ready':
      return { state: 'ready' };
    case 'worker.draining':
      return { state: 'draining', memoryBytes: null };
    case 'worker.killing':
      return { state: 'killing', memoryBytes: null };
    case 'worker.exited':
      return {
        ...EMPTY,
        state: 'backoff',
        lastExit: { code: fact.code, signal: fact.signal, atMs: fact.atMs },
      };
    case 'spawn.failed':
    case 'worker.delayed':
      return { ...EMPTY, state: 'backoff' };
    case 'worker.stopped':
      return { ...EMPTY, state: 'stopped' };
    case 'worker.described':
      return { status: fact.status };
    case 'worker.checked':
      return { healthy: fact.passed };
    case 'memory.measured':
      return { memoryBytes: fact.memoryBytes };
    case 'worker.failed':
    case 'worker.promoted':
    case 'worker.silent':
    case 'memory.exceeded':
    case 'memory.unreadable':
      return {};
  }
};

/** Whether a report comes from the machine that a record is about. */
export const isAbout = (record: Pick<SlotRecord, 'place'>, from: Pick<SlotRecord, 'place'>): boolean =>
  record.place === from.place;

/** The records after one more fact. */
export const applyWorkerFact = <Kept extends SlotRecord>(
  records: readonly Kept[],
  fact: WorkerReport,
): readonly Kept[] =>
  records.map((record) => (isAbout(record, fact) ? { ...record, ...changesBy(record, fact) } : record));

/** Those that are not about to go. */
export const wantedSlots = (slots: readonly SlotRecord[]): readonly SlotRecord[] =>
  slots.filter(({ leaving }) => !leaving);

/** Every slot that is to stay has a worker that is ready. */
export const allReady = (slots: readonly SlotRecord[]): boolean =>
  wantedSlots(slots).every((record) => record.state === 'ready');

/** The last health check of every worker has passed. */
export const allHealthy = (slots: readonly SlotRecord[]): boolean =>
  wantedSlots(slots).every(({ healthy }) => healthy === true);

/** No slot has a process, and none is about to have one. */
export const allStopped = (slots: readonly SlotRecord[]): boolean =>
  slots.every((record) => record.state === 'stopped');

/** The live processes, to be named to the other generation. */
export const identitiesOf = (slots: readonly SlotRecord[]): readonly Identity[] =>
  slots.flatMap(({ pid, startTime }) => (pid === null ? [] : [{ pid, startTime }]));

/** Empty slots that were just asked to fill: from the order on they are not stopped any more. */
export const markStarting = (slots: readonly SlotRecord[]): readonly SlotRecord[] =>
  slots.map((record) => (record.state === 'stopped' ? { ...record, state: 'starting' } : record));
