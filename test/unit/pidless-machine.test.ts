/**
 * A supervisor without pid file and lock: nothing is told to what is not there, and nothing is waited for.
 */
import { describe, expect, it } from 'vitest';
import type { SupervisorEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };
const ALONE = { pidFile: null, control: null } as const;
const ELSEWHERE = { pidFile: null, control: '/srv/control.sock' } as const;
const worker = (generation: number) => ({ slot: 1, generation, pid: 401 });
const isReady = (generation: number): SupervisorEvent => ({
  type: 'worker.ready',
  place: 1,
  ...worker(generation),
  bootMs: 5,
  ...AT,
});
const bound: SupervisorEvent = { type: 'listeners.bound', listeners: [], ...AT };
const piped: SupervisorEvent = { type: 'lifePipe.opened', write: 8, read: 9, ...AT };
const stop: SupervisorEvent = { type: 'stop.requested', via: 'SIGTERM', ...AT };
const reload: SupervisorEvent = { type: 'reload.requested', via: 'SIGUSR2', id: null, ...AT };
const stopped = (generation: number): SupervisorEvent => ({
  type: 'worker.stopped',
  place: 1,
  slot: 1,
  generation,
  ...AT,
});

const first = (changes: Partial<Settings>) =>
  drive(supervisorMachine, {
    settings: settingsWith(changes),
    version: '1.0.0',
    self: { pid: 100, startTime: '1' },
    startedAtMs: 1_000,
    hangupStops: false,
    handover: null,
  });

const running = (changes: Partial<Settings>) => {
  const supervisor = first(changes);
  supervisor.send(bound, piped);
  if (typeof changes.control === 'string')
    supervisor.send({ type: 'control.claimed', path: changes.control, ...AT });
  supervisor.send(isReady(1));
  return supervisor;
};

const successor = (changes: Partial<Settings>) => {
  const settings = settingsWith(changes);
  const supervisor = drive(supervisorMachine, {
    settings,
    version: '1.0.0',
    self: { pid: 100, startTime: '2' },
    startedAtMs: 1_000,
    hangupStops: false,
    handover: {
      messages: 3,
      record: {
        version: 1,
        tanist: '1.0.0',
        name: 'daemon',
        pidFile: null,
        control: settings.control,
        handoff: settings.handoff,
        generation: 2,
        predecessor: { pid: 99, startTime: '1' },
        workers: [],
        requestedAtMs: 4_000,
        ids: [],
        hangupStops: false,
        descriptors: { lock: null, token: 5, lifeWrite: 6, lifeRead: 7, peerRead: 8, fence: null },
        listeners: [],
      },
    },
  });
  supervisor.send(isReady(2), { type: 'takeover.asked', ...AT }, { type: 'takeover.activated', ...AT });
  return supervisor;
};

const sourcesOf = (supervisor: ReturnType<typeof first>): string[] =>
  supervisor.now.spawned.map(({ src }) => src);

describe('a first generation without pid file', () => {
  it('opens its listeners at once, also in exclusive mode: there is no lock to be taken', () => {
    for (const handoff of ['overlap', 'exclusive'] as const) {
      const supervisor = first({ ...ALONE, handoff });
      expect(supervisor.now.state).toBe('idle.binding');
      expect(sourcesOf(supervisor)).toContain('listeners');
      expect(sourcesOf(supervisor)).not.toContain('flock');
      supervisor.send(bound);
      expect(sourcesOf(supervisor)).not.toContain('fence');
    }
  });

  it('starts its workers as soon as it has a life pipe, since nothing is to be published', () => {
    const supervisor = first(ALONE);
    supervisor.send(bound);
    const step = supervisor.send(piped);
    expect([step.state, sentTo(step, 'lock'), sentTo(step, 'control')]).toEqual(['idle.starting', [], []]);
    expect(typesOf(sentTo(step, 'worker-1'))).toEqual(['worker.start']);
    expect(supervisor.send(isReady(1)).state).toBe('running');
  });

  it('claims the control socket that was asked for, only if nobody is there', () => {
    const supervisor = first(ELSEWHERE);
    supervisor.send(bound);
    const step = supervisor.send(piped);
    expect([step.state, sentTo(step, 'lock')]).toEqual(['idle.publishing', []]);
    expect(sentTo(step, 'control')).toEqual([{ type: 'control.claim', first: true }]);
    const failed = supervisor.send({ type: 'control.failed', code: 'X', message: 'in use', ...AT });
    expect(failed.state).toBe('stopping.releasing');
    expect(supervisor.send({ type: 'listeners.removed', left: [], ...AT }).state).toBe('failed');
  });

  it('hands neither lock nor pid file on, and says so in the record', () => {
    const step = running({ ...ALONE, handoff: 'exclusive' }).send(reload);
    expect(step.spawned[0]?.input).toMatchObject({
      record: { pidFile: null, control: null, descriptors: { lock: null } },
      descriptors: { lock: null, fence: null },
    });
  });

  it('comes back from a refused reload without writing anything', () => {
    const supervisor = running(ALONE);
    supervisor.send(reload);
    const step = supervisor.send({
      type: 'reload.refused',
      outcome: 'refused',
      generation: 2,
      pid: 201,
      reason: 'exited',
      detail: 'words',
      leftovers: [],
      ...AT,
    });
    expect([step.state, sentTo(step, 'lock'), sentTo(step, 'control')]).toEqual(['running', [], []]);
  });

  it('ends when its listeners are given back: nothing says that a lock is free', () => {
    const supervisor = running(ELSEWHERE);
    supervisor.send(stop);
    const step = supervisor.send(stopped(1));
    expect(step.state).toBe('stopping.releasing');
    expect(sentTo(step, 'lock')).toEqual([]);
    expect(typesOf(sentTo(step, 'control'))).toEqual(['control.remove']);
    expect(typesOf(sentTo(step, 'listeners'))).toEqual(['listeners.remove']);
    expect(supervisor.send({ type: 'listeners.removed', left: [], ...AT }).state).toBe('stopped');
  });

  it('with a lock waits for its release, and not for the listeners', () => {
    const supervisor = first({});
    supervisor.send({ type: 'lock.acquired', descriptor: 5, ...AT }, bound, stop);
    expect(supervisor.send({ type: 'listeners.removed', left: [], ...AT }).state).toBe('stopping.releasing');
    expect(supervisor.send({ type: 'lock.released', ...AT }).state).toBe('stopped');
  });
});

describe('a successor without pid file', () => {
  it('is in charge at once where there is no control socket to be taken over', () => {
    const step = successor(ALONE).send({ type: 'takeover.charged', ...AT });
    expect(typesOf(sentTo(step, 'takeover'))).toEqual(['charge.taken']);
    expect([sentTo(step, 'lock'), sentTo(step, 'control')]).toEqual([[], []]);
  });

  it('takes the path of the control socket over before it says so', () => {
    const supervisor = successor(ELSEWHERE);
    const step = supervisor.send({ type: 'takeover.charged', ...AT });
    expect(sentTo(step, 'control')).toEqual([{ type: 'control.claim', first: false }]);
    expect(sentTo(step, 'takeover')).toEqual([]);
    const claimed = supervisor.send({ type: 'control.claimed', path: '/srv/control.sock', ...AT });
    expect(typesOf(sentTo(claimed, 'takeover'))).toEqual(['charge.taken']);
  });
});
