import { describe, expect, it } from 'vitest';
import type { WorkerReport } from '../../machines/events.js';
import {
  allReady,
  allStopped,
  applyWorkerFact,
  emptySlots,
  identitiesOf,
  markStarting,
  workerId,
} from '../../machines/slots.js';

const who = { slot: 2, place: 2, generation: 3, pid: 70 };
const spawned: WorkerReport = { type: 'worker.spawned', ...who, startTime: '5', atMs: 1_000 };
const ready: WorkerReport = { type: 'worker.ready', ...who, bootMs: 10, atMs: 1_010 };
const exited: WorkerReport = { type: 'worker.exited', ...who, code: 0, signal: null, atMs: 2_000 };
const slotsAfter = (...facts: readonly WorkerReport[]) => facts.reduce(applyWorkerFact, emptySlots(2, 3));

describe('what a supervisor knows of its slots', () => {
  it('is nothing at first', () => {
    const slots = emptySlots(2, 3);
    expect(slots.map(({ slot, generation, pid, state }) => [slot, generation, pid, state])).toEqual([
      [1, 3, null, 'stopped'],
      [2, 3, null, 'stopped'],
    ]);
    expect([allStopped(slots), allReady(slots), identitiesOf(slots)]).toEqual([true, false, []]);
    expect(slots.map(workerId)).toEqual(['worker-1', 'worker-2']);
  });

  it('changes only in the slot a fact is about', () => {
    const [first, second] = slotsAfter(spawned, ready);
    expect(first).toEqual(emptySlots(2, 3)[0]);
    expect(second).toMatchObject({
      pid: 70,
      startTime: '5',
      state: 'ready',
      startedAtMs: 1_000,
      respawns: 0,
    });
  });

  it('counts processes after the first, and keeps the last exit', () => {
    const [, second] = slotsAfter(spawned, exited, { ...spawned, pid: 71, atMs: 3_000 });
    expect(second).toMatchObject({
      pid: 71,
      respawns: 1,
      startedAtMs: 3_000,
      lastExit: { code: 0, signal: null, atMs: 2_000 },
    });
  });

  it('forgets a process that is gone, and what it said of itself with the next one', () => {
    const described: WorkerReport = { type: 'worker.described', ...who, status: 'busy' };
    expect(slotsAfter(spawned, described, exited)[1]).toMatchObject({
      pid: null,
      state: 'backoff',
      status: 'busy',
    });
    expect(slotsAfter(spawned, described, exited, spawned)[1]).toMatchObject({ status: null });
  });

  it.each<[string, WorkerReport]>([
    ['draining', { type: 'worker.draining', ...who, cause: '', limitMs: 1 }],
    ['killing', { type: 'worker.killing', ...who, cause: '' }],
    [
      'backoff',
      {
        type: 'worker.delayed',
        slot: 2,
        place: 2,
        generation: 3,
        delayMs: 1,
        youngDeaths: 1,
        atMs: 1,
      },
    ],
    [
      'backoff',
      {
        type: 'spawn.failed',
        slot: 2,
        place: 2,
        generation: 3,
        code: '',
        message: '',
        atMs: 1,
      },
    ],
    ['stopped', { type: 'worker.stopped', slot: 2, place: 2, generation: 3, atMs: 1 }],
    ['ready', { type: 'worker.silent', ...who, waitedMs: 1, remainingMs: 1, says: '' }],
  ])('is %s after that fact', (state, fact) => {
    expect(slotsAfter(spawned, ready, fact)[1]?.state).toBe(state);
  });

  it('names live processes only', () => {
    expect(identitiesOf(slotsAfter(spawned))).toEqual([{ pid: 70, startTime: '5' }]);
    expect(identitiesOf(slotsAfter(spawned, exited))).toEqual([]);
  });

  it('no longer calls a slot stopped that was asked to fill', () => {
    expect(markStarting(slotsAfter(spawned, ready)).map(({ state }) => state)).toEqual(['starting', 'ready']);
  });
});
