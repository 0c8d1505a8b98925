/**
 * What a supervisor knows of its slots: one record each, changed only by facts.
 */
import type { Identity, WorkerReport } from './events.js';
import type { WorkerState } from './status.js';

export interface SlotRecord {
  readonly slot: number;
  readonly generation: number;
  /** null while no process exists. */
  readonly pid: number | null;
  readonly startTime: string | null;
  readonly state: WorkerState;
  readonly startedAtMs: number | null;
  /** Processes started in this slot after its first. */
  readonly respawns: number;
  readonly lastExit: {
    readonly code: number | null;
    readonly signal: string | null;
    readonly atMs: number;
  } | null;
  /** What the worker last said of itself. */
  readonly status: string | null;
  /** There are to be fewer slots: this one goes when it is empty. */
  readonly leaving: boolean;
}

/** Slots from `after` + 1 on. */
export const emptySlots = (count: number, generation: number, after = 0): readonly SlotRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    slot: after + index + 1,
    generation,
    pid: null,
    startTime: null,
    state: 'stopped' as const,
    startedAtMs: null,
    respawns: 0,
    lastExit: null,
    status: null,
    leaving: false,
  }));

/** The name of a slot's machine. Slots are a closed set, so the names are too. */
export const workerId = (slot: number): string => `worker-${slot}`;

const recordAfter = (record: SlotRecord, fact: WorkerReport): SlotRecord => {
  switch (fact.type) {
    case 'worker.spawned':
      return {
        ...record,
        pid: fact.pid,
        startTime: fact.startTime,
        state: 'starting',
        startedAtMs: fact.atMs,
        respawns: record.startedAtMs === null ? 0 : record.respawns + 1,
        status: null,
      };
    case 'worker.ready':
      return { ...record, state: 'ready' };
    case 'worker.draining':
      return { ...record, state: 'draining' };
    case 'worker.killing':
      return { ...record, state: 'killing' };
    case 'worker.exited':
      return {
        ...record,
        pid: null,
        startTime: null,
        state: 'backoff',
        lastExit: { code: fact.code, signal: fact.signal, atMs: fact.atMs },
      };
    case 'spawn.failed':
    case 'worker.delayed':
      return { ...record, pid: null, startTime: null, state: 'backoff' };
    case 'worker.stopped':
      return { ...record, pid: null, startTime: null, state: 'stopped' };
    case 'worker.described':
      return { ...record, status: fact.status };
    case 'worker.failed':
    case 'worker.silent':
      return record;
  }
};

/** The records after one more fact. */
export const applyWorkerFact = (slots: readonly SlotRecord[], fact: WorkerReport): readonly SlotRecord[] =>
  slots.map((record) => (record.slot === fact.slot ? recordAfter(record, fact) : record));

/** Those that are not about to go. */
export const wantedSlots = (slots: readonly SlotRecord[]): readonly SlotRecord[] =>
  slots.filter(({ leaving }) => !leaving);

export const allReady = (slots: readonly SlotRecord[]): boolean =>
  wantedSlots(slots).every((record) => record.state === 'ready');

export const allStopped = (slots: readonly SlotRecord[]): boolean =>
  slots.every((record) => record.state === 'stopped');

/** The live processes, to be named to the other generation. */
export const identitiesOf = (slots: readonly SlotRecord[]): readonly Identity[] =>
  slots.flatMap(({ pid, startTime }) => (pid === null ? [] : [{ pid, startTime }]));

/** Empty slots that were just asked to fill: from the order on they are not stopped any more. */
export const markStarting = (slots: readonly SlotRecord[]): readonly SlotRecord[] =>
  slots.map((record) => (record.state === 'stopped' ? { ...record, state: 'starting' } : record));
