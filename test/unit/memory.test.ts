import { describe, expect, it } from 'vitest';
import { type AnyEventObject, createActor, setup } from 'xstate';
import type { SupervisorEvent } from '../../machines/events.js';
import { excessText, isTooMuch } from '../../machines/memory.js';
import type { Settings } from '../../machines/policy.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { createMemory } from '../../src/actors/memory.js';
import type { Env } from '../../src/os/env.js';
import { LEAST_MEMORY_BYTES, sizeReader } from '../../src/settings/size.js';
import { alarmsOf, drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };

describe('a size', () => {
  const read = sizeReader(LEAST_MEMORY_BYTES);

  it.each([
    ['300MB', 300_000_000],
    ['512MiB', 536_870_912],
    ['1.5GB', 1_500_000_000],
    ['2 gib', 2_147_483_648],
    ['1000kB', 1_000_000],
    ['0.001TB', 1_000_000_000],
    ['1048576B', 1_048_576],
  ])('%s has that many bytes', (text, bytes) => {
    expect(read(text, true)).toEqual({ value: bytes });
  });

  it('may be a whole number of bytes in a program, and not on the command line', () => {
    expect(read(2_000_000, false)).toEqual({ value: 2_000_000 });
    expect(read('2000000', true)).toEqual({ expected: expect.stringMatching(/^a unit after the number/) });
    expect(read(2_000_000.5, false)).toEqual({ expected: expect.stringMatching(/a whole number of bytes$/) });
    expect(read(true, false)).toEqual({ expected: expect.stringMatching(/^a size such as/) });
  });
});

describe('too much memory', () => {
  it('is more than the limit, and nothing where there is none or nobody knows', () => {
    expect(isTooMuch({ maxMemoryBytes: 10 }, 11)).toBe(true);
    expect(isTooMuch({ maxMemoryBytes: 10 }, 10)).toBe(false);
    expect(isTooMuch({ maxMemoryBytes: null }, 11)).toBe(false);
    expect(isTooMuch({ maxMemoryBytes: 10 }, null)).toBe(false);
  });

  it('is told in the unit of the limit, and never as the limit itself', () => {
    expect(excessText(312_500_000, 300_000_000)).toBe('312.5 MB, more than 300 MB');
    expect(excessText(536_870_913, 536_870_912)).toBe('512.1 MiB, more than 512 MiB');
  });
});

describe('the effect that reads the memory of a process', () => {
  /** What it states when it reads these, one after the other, and how often it opens and closes. */
  const statedWith = (readings: readonly (() => number | null)[]) => {
    const facts: AnyEventObject[] = [];
    const timers: (() => void)[] = [];
    const left = [...readings];
    const count = { opened: 0, closed: 0 };
    const env = {
      now: () => 1,
      openMemory: () => {
        count.opened += 1;
        return {
          read: () => left.shift()?.() ?? null,
          close: () => {
            count.closed += 1;
          },
        };
      },
      setTimer: (callback: () => void) => {
        timers.push(callback);
        return () => undefined;
      },
    } as unknown as Env;
    const machine = setup({ actors: { memory: createMemory(env) } }).createMachine({
      invoke: { src: 'memory', input: { pid: 7, intervalMs: 1_000 } },
      on: { '*': { actions: ({ event }) => facts.push(event) } },
    });
    const actor = createActor(machine);
    actor.start();
    for (let timer = timers.shift(); timer !== undefined && left.length > 0; timer = timers.shift()) timer();
    actor.stop();
    return { facts, count };
  };
  const unreadable = (): number => {
    throw new Error('EACCES: not told');
  };

  it('states it when it has changed, and nothing of a process that is gone', () => {
    const { facts, count } = statedWith([() => 5, () => 5, () => 6, () => null, () => 6, () => 5]);
    expect(facts.map(({ memoryBytes }) => memoryBytes)).toEqual([5, 6, 5]);
    expect(count).toEqual({ opened: 1, closed: 1 });
  });

  it('states once that it is not told, and goes on', () => {
    const { facts } = statedWith([unreadable, unreadable, () => 6]);
    expect(facts).toMatchObject([
      { type: 'memory.unreadable', detail: expect.stringMatching(/EACCES/) },
      { type: 'memory.measured', memoryBytes: 6 },
    ]);
  });
});

describe('a worker that is replaced', () => {
  const who = { slot: 1, place: 1, generation: 1, pid: 401 };
  const relief = { slot: 1, place: 2, generation: 1, pid: 501 };
  const grows: SupervisorEvent = { type: 'memory.measured', ...who, memoryBytes: 2_000, ...AT };
  const comes: SupervisorEvent = { type: 'worker.spawned', ...relief, startTime: '2', ...AT };
  const isReady: SupervisorEvent = { type: 'worker.ready', ...relief, bootMs: 5, ...AT };
  const leaves: readonly [SupervisorEvent, SupervisorEvent] = [
    { type: 'worker.exited', ...who, code: 0, signal: null, ...AT },
    { type: 'worker.stopped', ...who, ...AT },
  ];

  const supervisor = (changes: Partial<Settings>) => {
    const settings = settingsWith({ maxMemoryBytes: 1_000, ...changes });
    const self = { pid: 100, startTime: '1' };
    const driven = drive(supervisorMachine, {
      ...{ settings, version: '1.2.3', self, startedAtMs: 1_000, hangupStops: false, handover: null },
    });
    driven.send({ type: 'lock.acquired', descriptor: 5, ...AT });
    if (settings.handoff === 'exclusive') driven.send({ type: 'fence.acquired', descriptor: 6, ...AT });
    driven.send(
      { type: 'listeners.bound', listeners: [], ...AT },
      { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
      { type: 'control.claimed', path: '/run/daemon.sock', ...AT },
      { type: 'worker.spawned', ...who, startTime: '1', ...AT },
      { type: 'worker.ready', ...who, bootMs: 5, ...AT },
    );
    return driven;
  };

  it('serves until the other one is ready, which is not respawned before', () => {
    const driven = supervisor({});
    const { spawned, orders } = driven.send(grows);
    expect(spawned).toMatchObject([{ id: 'worker-2', input: { admitted: false, retained: false } }]);
    expect(typesOf(sentTo({ orders }, 'worker-1'))).toEqual([]);
    driven.send(comes);
    const taken = driven.send(isReady);
    expect(typesOf(sentTo(taken, 'worker-2'))).toEqual(['worker.retain', 'worker.admit']);
    expect(typesOf(sentTo(taken, 'worker-1'))).toEqual(['worker.drain']);
    expect(driven.now.context.slots).toMatchObject([{ place: 2, pid: 501, state: 'ready' }]);
    expect(driven.send(...leaves).stopped).toContain('worker-1');
    expect(driven.now.context.reliefs).toEqual([]);
  });

  it('is gone before the other one may serve, in an exclusive daemon', () => {
    const driven = supervisor({ handoff: 'exclusive' });
    driven.send(grows, comes);
    expect(typesOf(sentTo(driven.send(isReady), 'worker-2'))).toEqual(['worker.retain']);
    expect(typesOf(sentTo(driven.send(...leaves), 'worker-2'))).toEqual(['worker.admit']);
  });

  it('gives its place back: the next replacement has the first name again', () => {
    const driven = supervisor({});
    driven.send(grows, comes, isReady, ...leaves);
    expect(alarmsOf(driven.now)).toContainEqual({ alarm: 'relief', delayMs: 4_000 });
    const large: SupervisorEvent = { type: 'memory.measured', ...relief, memoryBytes: 3_000, ...AT };
    expect(driven.send(large).spawned).toEqual([]);
    const { spawned } = driven.send({ type: 'alarm.fired', alarm: 'relief', ...AT });
    expect(spawned).toMatchObject([{ id: 'worker-1', input: { place: 1 } }]);
  });
});
