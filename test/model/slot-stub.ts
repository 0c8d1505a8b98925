/**
 * A slot as its supervisor sees it: what it is ordered, and what it reports, without the process.
 *
 * The words are those of the worker machine; it has a walk of its own.
 */
import type { Place } from '../../machines/events.js';
import type { PlainEvent } from '../../src/testing/drive.js';

export interface SlotStub {
  readonly slot: number;
  readonly place: Place;
  readonly state: 'stopped' | 'spawning' | 'booting' | 'ready' | 'ending' | 'backoff' | 'held';
  readonly leaving: boolean;
  readonly wanted: boolean;
  readonly admitted: boolean;
  readonly retained: boolean;
  /** Its last health check; null where none is made. */
  readonly healthy: boolean | null;
}

export interface StubOutcome {
  readonly stub: SlotStub;
  readonly reports: readonly PlainEvent[];
}

export const AT = { atMs: 5_000 };

export const newStub = (slot: number, inCharge: boolean, place: Place = slot): SlotStub => ({
  slot,
  place,
  state: 'stopped',
  leaving: false,
  wanted: false,
  admitted: inCharge,
  retained: inCharge,
  healthy: null,
});

export const pidOf = ({ place }: SlotStub): number => 400 + place;
export const nameOf = ({ place }: SlotStub): string => `worker-${place}`;
export const isFilled = (stub: SlotStub): boolean => lives(stub) && stub.admitted;
export const lives = ({ state }: SlotStub): boolean => ['booting', 'ready', 'ending'].includes(state);

const who = (stub: SlotStub) => ({
  slot: stub.slot,
  place: stub.place,
  generation: 1,
  pid: pidOf(stub),
  ...AT,
});
const fact = (stub: SlotStub, type: string, more: object = {}): PlainEvent => ({
  type,
  ...who(stub),
  ...more,
});
const stays = (stub: SlotStub): StubOutcome => ({ stub, reports: [] });

const emptied = (stub: SlotStub): StubOutcome => ({
  stub: { ...stub, state: 'stopped', leaving: true, wanted: false },
  reports: [fact(stub, 'worker.stopped')],
});
const waits = (stub: SlotStub): StubOutcome => ({
  stub: { ...stub, state: 'backoff' },
  reports: [fact(stub, 'worker.delayed', { delayMs: 100, youngDeaths: 1 })],
});
const holds = (stub: SlotStub): StubOutcome => ({
  stub: { ...stub, state: 'held' },
  reports: [fact(stub, 'worker.failed', { reason: 'worker-exited', detail: 'worker 1 exited' })],
});
const fills = (stub: SlotStub): StubOutcome =>
  stays({ ...stub, state: 'spawning', leaving: false, wanted: false });

/** What an order does to a slot. */
export const obey = (stub: SlotStub, { type: order, slot, admitted }: PlainEvent): StubOutcome => {
  const { state } = stub;
  const goes = order === 'worker.drain' || order === 'worker.kill';
  if (order === 'worker.admit') return stays({ ...stub, admitted: true });
  if (order === 'worker.assign') {
    const mayServe = slot !== 0 && (stub.admitted || admitted === true);
    const assigned = { ...stub, slot: Number(slot), admitted: mayServe };
    return { stub: assigned, reports: slot === 0 ? [] : [fact(assigned, 'worker.promoted')] };
  }
  if (order === 'worker.retain') {
    const kept = { ...stub, retained: true };
    return state === 'held' ? waits(kept) : stays(kept);
  }
  switch (state) {
    case 'stopped':
      return order === 'worker.start' ? fills(stub) : stays(stub);
    case 'spawning':
      return stays({ ...stub, leaving: goes });
    case 'booting':
    case 'ready':
      if (!goes) return stays(stub);
      return {
        stub: { ...stub, state: 'ending', leaving: true, wanted: false },
        reports: [fact(stub, order === 'worker.kill' ? 'worker.killing' : 'worker.draining')],
      };
    case 'ending':
      return stays({ ...stub, leaving: goes, wanted: !goes });
    default:
      return goes ? emptied(stub) : fills(stub);
  }
};

/** What can be learned of the memory of a worker that serves. */
export const measures = ({ state, admitted }: SlotStub, hidden = false): readonly string[] => {
  if (state !== 'ready' || !admitted) return [];
  return hidden ? ['hides'] : ['grows', 'shrinks'];
};

/** What can happen to a slot by itself. */
export const chances = ({ state, admitted, retained }: SlotStub, checks = false): readonly string[] => {
  switch (state) {
    case 'spawning':
      return ['spawned', 'unspawned'];
    case 'booting':
      return ['ready', 'exited', 'late'];
    case 'ready':
      return ['exited', 'describes', ...(checks && admitted && !retained ? ['well', 'unwell', 'unfit'] : [])];
    case 'ending':
      return ['exited'];
    case 'backoff':
      return ['alarm'];
    default:
      return [];
  }
};

const joined = (first: readonly PlainEvent[], { stub, reports }: StubOutcome): StubOutcome => ({
  stub,
  reports: [...first, ...reports],
});

const emptiedBy = (stub: SlotStub, first: PlainEvent): StubOutcome => {
  if (stub.leaving) return joined([first], emptied(stub));
  if (stub.wanted) return joined([first], fills(stub));
  return joined([first], stub.retained ? waits(stub) : holds(stub));
};

export const chance = (stub: SlotStub, what: string): StubOutcome => {
  switch (what) {
    case 'spawned': {
      const spawned = fact(stub, 'worker.spawned', { startTime: '1' });
      if (!stub.leaving) return { stub: { ...stub, state: 'booting', healthy: null }, reports: [spawned] };
      return { stub: { ...stub, state: 'ending' }, reports: [spawned, fact(stub, 'worker.draining')] };
    }
    case 'unspawned':
      return emptiedBy(stub, fact(stub, 'spawn.failed', { code: 'EAGAIN', message: 'no more processes' }));
    case 'ready':
      return { stub: { ...stub, state: 'ready' }, reports: [fact(stub, 'worker.ready', { bootMs: 1 })] };
    case 'describes':
      return { stub, reports: [fact(stub, 'worker.described', { status: 'busy' })] };
    case 'grows':
    case 'shrinks':
      return {
        stub,
        reports: [
          ...(what === 'grows'
            ? [fact(stub, 'memory.exceeded', { memoryBytes: 2_000, limitBytes: 1_000 })]
            : []),
          fact(stub, 'memory.measured', { memoryBytes: what === 'grows' ? 2_000 : 500 }),
        ],
      };
    case 'hides':
      return { stub, reports: [fact(stub, 'memory.unreadable', { detail: 'no /proc' })] };
    case 'well':
    case 'unwell':
      return {
        stub: { ...stub, healthy: what === 'well' },
        reports: [fact(stub, 'worker.checked', { passed: what === 'well', failures: 1, detail: null })],
      };
    case 'unfit':
      return {
        stub: { ...stub, healthy: false },
        reports: [
          fact(stub, 'worker.checked', { passed: false, failures: 3, detail: 'it answered 500' }),
          fact(stub, 'worker.failed', { reason: 'health-failed', detail: 'worker 1 is not well' }),
        ],
      };
    case 'late':
      return {
        stub: { ...stub, state: 'ending' },
        reports: [
          fact(stub, 'worker.failed', { reason: 'start-timeout', detail: 'silent' }),
          fact(stub, 'worker.killing'),
        ],
      };
    case 'exited':
      return emptiedBy(stub, fact(stub, 'worker.exited', { code: 1, signal: null }));
    default:
      return fills(stub);
  }
};
