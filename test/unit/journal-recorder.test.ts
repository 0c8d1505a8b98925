import { describe, expect, it } from 'vitest';
import * as everything from '../../machines/index.js';
import type { reloadMachine } from '../../machines/reload.js';
import type { supervisorMachine } from '../../machines/supervisor.js';
import { firstSeqAfter, type JournalEntry, stateText } from '../../src/journal/entry.js';
import { MACHINES } from '../../src/journal/machines.js';
import { exited, fires, newSupervisor, replayOf, STARTED, says, spawned } from './recorded-supervisor.js';

const line = ({ actor, event, from, to }: JournalEntry): string => `${actor} ${event.type}: ${from} → ${to}`;

/** One whose worker has crashed once, and serves again. */
const crashed = () => {
  const supervisor = newSupervisor();
  supervisor.record();
  supervisor.start();
  supervisor.send(...STARTED);
  supervisor.sendWorker(spawned(401), says, exited(401), fires('backoff'), spawned(402), says);
  supervisor.recorder.flush();
  return supervisor;
};

describe('what is recorded', () => {
  it('is every event in the order of cause and effect, though machines answer inside out', () => {
    const { entries } = crashed();
    expect(entries.map(line).slice(4, 13)).toEqual([
      'supervisor control.claimed: idle.publishing → idle.starting',
      'worker-1 xstate.init: null → stopped',
      'worker-1 worker.start: stopped → alive.spawning',
      'worker-1 worker.spawned: alive.spawning → alive.living.booting.starting',
      'supervisor worker.spawned: idle.starting → idle.starting',
      'worker-1 takeover.said: alive.living.booting.starting → alive.living.ready.serving.trusted',
      'supervisor worker.ready: idle.starting → running',
      'worker-1 worker.exited: alive.living.ready.serving.trusted → backoff',
      'supervisor worker.exited: running → respawning',
    ]);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  });

  it('has what a machine asked for, as data, and the input of a machine in its own first entry', () => {
    const { entries } = crashed();
    const [init] = entries;
    expect(init).toMatchObject({
      machine: 'supervisor',
      tanist: '1.2.3',
      journal: 1,
      generation: 1,
      pid: 100,
    });
    expect(init?.event.input).toMatchObject({ self: { pid: 100 } });
    const claimed = entries.find(({ event }) => event.type === 'control.claimed');
    expect(claimed?.effects).toEqual([
      { spawn: 'worker-1', src: 'worker' },
      { send: 'worker-1', event: { type: 'worker.start' } },
    ]);
    const exit = entries.find(({ actor, event }) => actor === 'worker-1' && event.type === 'worker.exited');
    expect(exit?.effects).toContainEqual({
      spawn: 'backoffAlarm',
      src: 'alarm',
      input: { alarm: 'backoff', delayMs: 100 },
    });
    expect(exit?.effects).toContainEqual({ do: 'reportExited' });
  });

  it('has events that were ignored, and none that came too late for anybody to hear', () => {
    const { entries, actor, recorder, send, sendWorker } = crashed();
    sendWorker(exited(999));
    send({ type: 'stop.requested', via: 'SIGTERM', atMs: 9_000 });
    const worker = actor.getSnapshot().children['worker-1'];
    sendWorker(exited(402));
    send({ type: 'lock.released', atMs: 9_000 });
    recorder.flush();
    const count = entries.length;
    worker?.send(spawned(403) as never);
    recorder.flush();
    expect(entries.length).toBe(count);
    const ignored = entries.find(({ event }) => event.pid === 999);
    expect(ignored).toMatchObject({
      from: 'alive.living.ready.serving.trusted',
      to: 'alive.living.ready.serving.trusted',
    });
    expect(
      entries.filter(({ status }) => status !== undefined).map(({ actor, status }) => [actor, status]),
    ).toEqual([
      ['supervisor', 'done'],
      ['worker-1', 'stopped'],
    ]);
    expect(replayOf(entries).differences).toEqual([]);
  });

  it('is handed on at the end of each turn of the event loop', async () => {
    const supervisor = newSupervisor();
    supervisor.record();
    supervisor.start();
    expect(supervisor.entries).toEqual([]);
    await Promise.resolve();
    expect(supervisor.entries.map(line)).toEqual(['supervisor xstate.init: null → idle.locking']);
  });

  it('has the event a machine failed with, in its words', () => {
    const { entries, recorder, sendWorker } = crashed();
    // No such event exists: its time cannot be read.
    const { atMs, ...broken } = { ...exited(402), atMs: 9_000 };
    expect(atMs).toBe(9_000);
    Object.defineProperty(broken, 'atMs', {
      enumerable: false,
      get: () => {
        throw new Error('nobody can read this');
      },
    });
    sendWorker({ type: 'worker.drain' }, broken as never);
    recorder.flush();
    const failed = entries.filter(({ error }) => error !== undefined);
    expect(failed.map(({ status }) => status)).toEqual(failed.map(() => 'error'));
    expect(failed.map(({ error }) => error)).toContain('nobody can read this');
  });

  it('never reaches the machine: an observer that cannot write harms nobody', async () => {
    const supervisor = newSupervisor({}, () => {
      throw new Error('the disk is on fire');
    });
    supervisor.record();
    supervisor.start();
    supervisor.send(...STARTED);
    await Promise.resolve();
    expect(supervisor.actor.getSnapshot().value).toEqual({ idle: 'starting' });
  });
});

describe('recording that begins later', () => {
  it('begins with the whole of every machine, with which a replay can go on', () => {
    const supervisor = newSupervisor();
    supervisor.start();
    supervisor.send(...STARTED);
    supervisor.sendWorker(spawned(401), says);
    const stop = supervisor.record();
    const heads = supervisor.recorder.snapshots('attached');
    supervisor.sendWorker(exited(401), fires('backoff'), spawned(402));
    supervisor.recorder.flush();
    const { recordings, differences } = replayOf([...heads, ...supervisor.entries]);
    expect(differences).toEqual([]);
    expect(recordings).toMatchObject([{ snapshots: 2, events: 6, unknown: 0, gaps: [] }]);
    const before = supervisor.entries.length;
    stop();
    supervisor.sendWorker(says);
    supervisor.recorder.flush();
    expect(supervisor.entries.length).toBe(before);
  });

  it('leaves out a number when it begins again, so that a replay sees that something is missing', () => {
    const supervisor = newSupervisor();
    supervisor.record()();
    supervisor.start();
    supervisor.send(...STARTED);
    const stop = supervisor.record();
    supervisor.sendWorker(spawned(401));
    supervisor.recorder.flush();
    stop();
    supervisor.sendWorker(says);
    supervisor.record();
    const heads = supervisor.recorder.snapshots('rested', { restMs: 5 });
    supervisor.sendWorker(exited(401));
    supervisor.recorder.flush();
    const [seen, after] = [supervisor.entries.slice(0, 2), supervisor.entries.slice(2)];
    expect(seen.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(heads.map(({ seq, event }) => [seq, event])).toEqual(
      Array(2).fill([4, { type: 'journal.snapshot', cause: 'rested', restMs: 5 }]),
    );
    expect(after[0]?.seq).toBe(5);
    expect(replayOf([...heads, ...after]).differences).toEqual([]);
  });
});

describe('the names of things', () => {
  it('every machine there is can be recorded and replayed', () => {
    const machines = Object.values(everything).filter(
      (value): value is typeof supervisorMachine | typeof reloadMachine =>
        typeof value === 'object' && value !== null && 'implementations' in value && 'root' in value,
    );
    expect(machines.length).toBeGreaterThan(3);
    expect(machines.map(({ id }) => id).sort()).toEqual(Object.keys(MACHINES).sort());
  });

  it('a state is told from the outside in, and regions beside each other', () => {
    expect(stateText('running')).toBe('running');
    expect(stateText({ alive: { living: { ready: 'serving' } } })).toBe('alive.living.ready.serving');
    expect(stateText({ up: { one: 'a', two: { b: 'c' } } })).toBe('up.(one.a & two.b.c)');
  });

  it('each supervisor has a million numbers of its own', () => {
    expect([0, 1, 999_999, 1_000_000, 1_000_057].map(firstSeqAfter)).toEqual([
      1, 1_000_001, 1_000_001, 2_000_001, 2_000_001,
    ]);
  });
});
