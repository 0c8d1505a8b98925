import { describe, expect, it } from 'vitest';
import type { AlarmName, SupervisorEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { type SupervisorInput, supervisorMachine } from '../../machines/supervisor.js';
import { alarmsOf, drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };
const LEFTOVER = { pid: 601, startTime: '1' };

const input = (changes: Partial<Settings>, more: Partial<SupervisorInput>): SupervisorInput => ({
  settings: settingsWith(changes),
  version: '1.2.3',
  self: { pid: 100, startTime: '1' },
  startedAtMs: 1_000,
  hangupStops: false,
  handover: null,
  ...more,
});

const record = (settings: Settings): NonNullable<SupervisorInput['handover']> => ({
  messages: 3,
  record: {
    version: 1,
    tanist: '1.2.2',
    name: 'daemon',
    pidFile: settings.pidFile,
    handoff: settings.handoff,
    generation: 4,
    predecessor: { pid: 99, startTime: '1' },
    workers: [LEFTOVER],
    requestedAtMs: 4_000,
    ids: ['a'],
    hangupStops: false,
    descriptors: {
      lock: 4,
      token: 5,
      lifeWrite: 6,
      lifeRead: 7,
      peerRead: 8,
      fence: settings.handoff === 'exclusive' ? 9 : null,
    },
    listeners: [],
  },
});

const locked: SupervisorEvent = { type: 'lock.acquired', descriptor: 5, ...AT };
const bound: SupervisorEvent = { type: 'listeners.bound', listeners: [], ...AT };
const piped: SupervisorEvent = { type: 'lifePipe.opened', write: 8, read: 9, ...AT };
const fenced: SupervisorEvent = { type: 'fence.acquired', descriptor: 6, ...AT };
const claimed: SupervisorEvent = { type: 'control.claimed', path: '/run/daemon.sock', ...AT };
const stop: SupervisorEvent = { type: 'stop.requested', via: 'SIGTERM', ...AT };
const hangup: SupervisorEvent = { type: 'hangup.received', ...AT };
const released: SupervisorEvent = { type: 'lock.released', ...AT };
const started: SupervisorEvent = { type: 'reload.started', pid: 201, generation: 2, ...AT };
const begun: SupervisorEvent = { type: 'handoff.begun', ...AT };
const promoted: SupervisorEvent = { type: 'reload.promoted', generation: 2, pid: 201, ...AT };
const refused: SupervisorEvent = {
  type: 'reload.refused',
  outcome: 'refused',
  generation: 2,
  pid: 201,
  reason: 'worker-exited',
  detail: 'worker 1 exited',
  leftovers: [],
  ...AT,
};
const asksReload = (id: string | null = 'a'): SupervisorEvent => ({
  type: 'reload.requested',
  via: id === null ? 'SIGUSR2' : 'control',
  id,
  ...AT,
});
const fires = (alarm: AlarmName): SupervisorEvent => ({ type: 'alarm.fired', alarm, ...AT });

const who = (slot: number) => ({ slot, place: slot, generation: 1, pid: 400 + slot });
const spawned = (slot = 1): SupervisorEvent => ({
  type: 'worker.spawned',
  ...who(slot),
  startTime: '1',
  ...AT,
});
const isReady = (slot = 1): SupervisorEvent => ({ type: 'worker.ready', ...who(slot), bootMs: 5, ...AT });
const exited = (slot = 1): SupervisorEvent => ({
  type: 'worker.exited',
  ...who(slot),
  code: 1,
  signal: null,
  ...AT,
});
const delayed = (slot = 1): SupervisorEvent => ({
  type: 'worker.delayed',
  slot,
  place: slot,
  generation: 1,
  delayMs: 100,
  youngDeaths: 1,
  ...AT,
});
const isStopped = (slot = 1): SupervisorEvent => ({
  type: 'worker.stopped',
  slot,
  place: slot,
  generation: 1,
  ...AT,
});

const EXCLUSIVE: Partial<Settings> = { handoff: 'exclusive' };

const first = (changes: Partial<Settings> = {}, more: Partial<SupervisorInput> = {}) =>
  drive(supervisorMachine, input(changes, more));

const running = (changes: Partial<Settings> = {}, more: Partial<SupervisorInput> = {}) => {
  const supervisor = first(changes, more);
  supervisor.send(locked);
  if (changes.handoff === 'exclusive') supervisor.send(fenced);
  supervisor.send(bound, piped, claimed, spawned(), isReady());
  return supervisor;
};

const successor = (changes: Partial<Settings> = {}) =>
  drive(supervisorMachine, input(changes, { handover: record(settingsWith(changes)) }));

const inCharge = (changes: Partial<Settings> = {}) => {
  const supervisor = successor(changes);
  supervisor.send(
    spawned(),
    isReady(),
    { type: 'takeover.asked', ...AT },
    { type: 'takeover.activated', ...AT },
    { type: 'takeover.charged', ...AT },
    claimed,
    { type: 'takeover.committed', ...AT },
  );
  return supervisor;
};

describe('a first generation', () => {
  it('takes lock, listeners and life pipe, publishes, and only then fills its slots', () => {
    const supervisor = first({ workers: 2 });
    const path = [supervisor.now, ...[locked, bound, piped, claimed].map((event) => supervisor.send(event))];
    expect(path.map(({ state }) => state)).toEqual([
      'idle.locking',
      'idle.binding',
      'idle.opening',
      'idle.publishing',
      'idle.starting',
    ]);
    expect(path.map(({ spawned: children }) => children.map(({ id }) => id))).toEqual([
      ['signals', 'reaper', 'lock'],
      ['listeners'],
      ['lifePipe'],
      ['control'],
      ['worker-1', 'worker-2'],
    ]);
    expect(sentTo(supervisor.now, 'worker-2')).toEqual([{ type: 'worker.start' }]);
  });

  it('is respawning with its first ready worker, and running with its last', () => {
    const supervisor = first({ workers: 2 });
    supervisor.send(locked, bound, piped, claimed, spawned(1), spawned(2));
    expect(supervisor.send(isReady(1)).state).toBe('respawning');
    expect(supervisor.send(isReady(2)).state).toBe('running');
    expect(supervisor.send(exited(1)).state).toBe('respawning');
  });

  it('keeps reloads that are asked for from its very start on, and begins one for all of them with its slots', () => {
    const supervisor = first();
    supervisor.send(asksReload(null), asksReload('early'), locked, asksReload('second'), bound, piped);
    const step = supervisor.send(asksReload('third'), claimed);
    expect(step.state).toBe('reloading');
    expect(step.context.reload).toMatchObject({ generation: 2, ids: ['early', 'second', 'third'] });
    expect(step.spawned.map(({ id }) => id)).toEqual(['worker-1', 'reload']);
    expect(supervisor.send(spawned(), isReady(), refused).state).toBe('running');
  });

  it('waits in exclusive mode until no worker of an earlier supervisor is left', () => {
    const supervisor = first(EXCLUSIVE);
    expect(alarmsOf(supervisor.send(locked))).toEqual([{ alarm: 'fence', delayMs: 30_000 }]);
    expect(supervisor.send(fenced).state).toBe('idle.binding');
  });

  it.each([
    [
      'the lock is held',
      [{ type: 'lock.held', holderPid: 7, path: '/run/daemon.pid', ...AT }],
      'TANIST_LOCK_HELD',
    ],
    ['the lock fails', [{ type: 'lock.failed', code: 'EACCES', message: 'no', ...AT }], 'EACCES'],
  ] as const)('fails at once when %s', (_, events, code) => {
    const step = first().send(events[0]);
    expect([step.state, step.context.failure?.code]).toEqual(['failed', code]);
  });

  it.each<[string, Partial<Settings>, readonly [SupervisorEvent, ...SupervisorEvent[]]]>([
    ['earlier workers do not leave', EXCLUSIVE, [locked, fires('fence')]],
    ['the fence fails', EXCLUSIVE, [locked, { type: 'fence.failed', code: 'EIO', message: 'no', ...AT }]],
    ['a listener fails', {}, [locked, { type: 'listeners.failed', code: 'EIO', message: 'no', ...AT }]],
    [
      'the life pipe fails',
      {},
      [locked, bound, { type: 'lifePipe.failed', code: 'EIO', message: 'no', ...AT }],
    ],
    [
      'the control socket fails',
      {},
      [locked, bound, piped, { type: 'control.failed', code: 'EIO', message: 'no', ...AT }],
    ],
    [
      'the pid cannot be written',
      {},
      [locked, bound, piped, { type: 'pid.failed', code: 'EIO', message: 'no', ...AT }],
    ],
  ])('gives the lock back and fails when %s', (_, changes, events) => {
    const supervisor = first(changes);
    const step = supervisor.send(...events);
    expect(step.state).toBe('stopping.releasing');
    expect(sentTo(step, 'lock')).toContainEqual({ type: 'lock.release' });
    expect(supervisor.send(released).state).toBe('failed');
  });
});

describe('a stop', () => {
  it('drains the workers, gives everything back, and ends', () => {
    const supervisor = running();
    expect(sentTo(supervisor.send(stop), 'worker-1')).toEqual([{ type: 'worker.drain' }]);
    const step = supervisor.send(exited(), isStopped());
    expect(step.orders.map(({ to, event }) => `${to} ${event.type}`)).toEqual([
      'control control.remove',
      'listeners listeners.remove',
      'lock lock.release',
    ]);
    expect(supervisor.send(released).state).toBe('stopped');
  });

  it('ends even when the lock does not answer', () => {
    const supervisor = running();
    supervisor.send(stop, exited(), isStopped());
    expect(supervisor.send(fires('release')).state).toBe('stopped');
  });

  it('kills at once when it is asked for again', () => {
    const supervisor = running();
    supervisor.send(stop);
    expect(sentTo(supervisor.send(stop), 'worker-1')).toEqual([{ type: 'worker.kill' }]);
  });

  it('refuses reloads from then on', () => {
    const supervisor = running();
    supervisor.send(stop);
    const [answer] = sentTo(supervisor.send(asksReload()), 'control');
    expect(answer).toMatchObject({ verdict: { outcome: 'refused', reason: 'stopped' } });
  });

  it('is accepted before anything is filled', () => {
    const supervisor = first();
    expect(supervisor.send(stop).state).toBe('stopping.releasing');
  });
});

describe('a hang-up', () => {
  it('reloads', () => expect(running().send(hangup).state).toBe('reloading'));

  it('stops where a terminal was the first standard input', () =>
    expect(running({}, { hangupStops: true }).send(hangup).state).toBe('stopping.draining'));
});

describe('too many respawns', () => {
  const limit: Partial<Settings> = { respawnLimit: { count: 2, withinMs: 10_000 }, workers: 2 };

  it('end the supervisor, all slots counted together', () => {
    const supervisor = running(limit);
    supervisor.send(exited(1), delayed(1), exited(2), delayed(2));
    expect(supervisor.now.state).toBe('respawning');
    const step = supervisor.send(delayed(1));
    expect([step.state, step.context.failure?.code]).toEqual(['stopping.draining', 'TANIST_RESPAWN_LIMIT']);
  });

  it('do not, when they are far apart', () => {
    const supervisor = running(limit);
    for (const atMs of [1_000, 12_000, 23_000, 34_000])
      supervisor.send({
        type: 'worker.delayed',
        slot: 1,
        place: 1,
        generation: 1,
        delayMs: 1,
        youngDeaths: 1,
        atMs,
      });
    expect(supervisor.now.context.failure).toBeNull();
  });
});

describe('a daemon that allows no reload (S31)', () => {
  const FIXED: Partial<Settings> = { hotReload: false };

  it('refuses every request, tells whoever waits, and starts nothing', () => {
    const supervisor = running(FIXED);
    const step = supervisor.send(asksReload('a'));
    expect([step.state, step.spawned]).toEqual(['running', []]);
    const verdict = { outcome: 'refused', reason: 'not-reloadable', generation: 1, pid: null, ids: ['a'] };
    expect(sentTo(step, 'control')).toMatchObject([{ type: 'control.answer', verdict }]);
    expect(step.context.lastReload).toMatchObject(verdict);
  });

  it('refuses a signal and a hang-up as well', () => {
    const supervisor = running(FIXED);
    for (const event of [asksReload(null), hangup]) {
      const step = supervisor.send(event);
      expect([step.state, step.spawned, step.context.lastReload?.ids]).toEqual(['running', [], []]);
    }
  });

  it('refuses before its workers are there, and does not remember it', () => {
    const supervisor = first(FIXED);
    supervisor.send(locked, bound, asksReload('early'), piped, asksReload(null));
    expect(supervisor.send(claimed).state).toBe('idle.starting');
    expect(supervisor.send(asksReload('late')).state).toBe('idle.starting');
    expect(supervisor.send(spawned(), isReady()).state).toBe('running');
  });

  it('that was a successor lets others join its own reload, and refuses from then on', () => {
    const supervisor = inCharge(FIXED);
    expect(supervisor.send(asksReload('b')).context.reload?.ids).toEqual(['a', 'b']);
    supervisor.send({ type: 'predecessor.gone', leftovers: [], ...AT });
    expect(supervisor.send(asksReload('c')).context.lastReload).toMatchObject({ reason: 'not-reloadable' });
  });
});

describe('a generation on probation', () => {
  const onProbation = () => {
    const settings = settingsWith({ probationMs: 9_000, health: { mode: 'http', path: '/' }, workers: 2 });
    const supervisor = drive(supervisorMachine, input(settings, { handover: record(settings) }));
    supervisor.send({ type: 'takeover.asked', ...AT }, { type: 'takeover.activated', ...AT });
    return supervisor;
  };
  const checked = (slot: number, passed: boolean): SupervisorEvent => ({
    type: 'worker.checked',
    slot,
    place: slot,
    generation: 4,
    pid: 400 + slot,
    passed,
    failures: passed ? 0 : 1,
    detail: passed ? null : 'it answered 500',
    ...AT,
  });

  it('is healthy when the last check of every worker has passed', () => {
    const supervisor = onProbation();
    const told = (event: SupervisorEvent) => sentTo(supervisor.send(event), 'takeover');
    expect(told(checked(1, true))).toEqual([{ type: 'slots.checked', healthy: false }]);
    expect(told(checked(2, true))).toEqual([{ type: 'slots.checked', healthy: true }]);
    expect(told(checked(1, false))).toEqual([{ type: 'slots.checked', healthy: false }]);
  });

  it('fails when a worker uses more memory than it may: nobody is replaced in it yet', () => {
    const step = onProbation().send({
      type: 'memory.exceeded',
      slot: 1,
      place: 1,
      generation: 4,
      pid: 401,
      memoryBytes: 300 * 2 ** 20,
      limitBytes: 256 * 2 ** 20,
      ...AT,
    });
    expect(sentTo(step, 'takeover')).toEqual([
      {
        type: 'slot.failed',
        reason: 'health-failed',
        detail: 'worker 1 (pid 401) uses 300 MiB, more than 256 MiB',
        ...AT,
      },
    ]);
  });
});

describe('a reload, seen by the predecessor', () => {
  it('is accepted while no worker has ever been ready', () => {
    const supervisor = first();
    supervisor.send(locked, bound, piped, claimed);
    expect(supervisor.send(asksReload()).state).toBe('reloading');
  });

  it('starts the next generation with lock and listeners', () => {
    const step = running().send(asksReload());
    const [child] = step.spawned;
    expect(child).toMatchObject({
      id: 'reload',
      input: { record: { generation: 2, ids: ['a'], predecessor: { pid: 100 }, workers: [{ pid: 401 }] } },
    });
    expect(child).toMatchObject({ input: { descriptors: { lock: 5, lifeRead: 9 } } });
  });

  it('is joined by a second request, which starts nothing', () => {
    const supervisor = running();
    supervisor.send(asksReload('a'));
    const step = supervisor.send(asksReload('b'));
    expect([step.spawned, sentTo(step, 'reload')]).toEqual([[], [{ type: 'reload.join', id: 'b' }]]);
    expect(supervisor.send(asksReload(null)).context.reload?.ids).toEqual(['a', 'b']);
  });

  it('is answered when promoted; then the workers drain and the supervisor ends', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun);
    expect(supervisor.now.state).toBe('handoff.granting');
    const step = supervisor.send(promoted);
    expect(sentTo(step, 'control')).toMatchObject([
      { type: 'control.answer', verdict: { outcome: 'promoted', generation: 2, pid: 201, ids: ['a'] } },
    ]);
    expect(sentTo(step, 'worker-1')).toEqual([{ type: 'worker.drain' }]);
    const end = supervisor.send(exited(), isStopped());
    expect([end.state, sentTo(end, 'lock')]).toEqual(['stopped', []]);
  });

  it('is promoted as well when this generation hung through the handoff', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started);
    const step = supervisor.send(promoted);
    expect([step.state, step.context.reload?.phase]).toEqual(['handoff.leaving', 'leaving']);
    expect(sentTo(step, 'control')).toMatchObject([{ verdict: { outcome: 'promoted' } }]);
  });

  it('that is refused leaves everything as it was, and numbers are not used again', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun);
    const step = supervisor.send(refused);
    expect(step.state).toBe('running');
    expect(sentTo(step, 'worker-1')).toEqual([]);
    expect(step.orders.map(({ to, event }) => `${to} ${event.type}`)).toEqual([
      'lock pid.write',
      'control control.claim',
      'control control.answer',
    ]);
    expect(supervisor.send(asksReload()).spawned).toMatchObject([{ input: { record: { generation: 3 } } }]);
  });

  it('that is refused does not cut a backoff short', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, exited(), delayed());
    expect(sentTo(supervisor.send(refused), 'worker-1')).toEqual([]);
  });

  it('that fails after the promotion rolls back, and the workers are wanted again', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun, promoted);
    const step = supervisor.send({ ...refused, outcome: 'rolled-back' });
    expect(step.context.lastReload).toMatchObject({ outcome: 'rolled-back', reason: 'worker-exited' });
    expect(sentTo(step, 'worker-1')).toEqual([{ type: 'worker.start' }]);
  });

  it('shows that the successor is on probation, if it has one', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun);
    const activated = (probationMs: number): SupervisorEvent => ({
      type: 'reload.activated',
      probationMs,
      ...AT,
    });
    expect(supervisor.send(activated(0)).context.reload?.phase).toBe('handoff');
    expect(supervisor.send(activated(5_000)).context.reload?.phase).toBe('probation');
  });

  it('drains before it grants in exclusive mode, and says so', () => {
    const supervisor = running(EXCLUSIVE);
    supervisor.send(asksReload(), started);
    expect(sentTo(supervisor.send(begun), 'worker-1')).toEqual([{ type: 'worker.drain' }]);
    expect(supervisor.now.state).toBe('handoff.draining');
    const step = supervisor.send(exited(), isStopped());
    expect([step.state, sentTo(step, 'reload')]).toEqual([
      'handoff.granting',
      [{ type: 'workers.changed', workers: [] }, { type: 'workers.drained' }],
    ]);
  });

  it('that is refused in exclusive mode fills the slots again, one that was being spawned too', () => {
    const supervisor = running(EXCLUSIVE);
    supervisor.send(exited(), delayed(), asksReload(), started, begun);
    expect(sentTo(supervisor.send(refused), 'worker-1')).toEqual([{ type: 'worker.start' }]);
  });

  it('is ended first when a stop comes in between', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started);
    const step = supervisor.send(stop);
    expect([step.state, sentTo(step, 'reload')]).toEqual(['reloading', [{ type: 'reload.abort', ...AT }]]);
    expect(supervisor.send(refused).state).toBe('stopping.draining');
    expect(supervisor.now.context.stops).toBe(1);
  });

  it('does not undo a stop in exclusive mode', () => {
    const supervisor = running(EXCLUSIVE);
    supervisor.send(asksReload(), started, begun, stop);
    const step = supervisor.send(refused);
    expect(step.state).toBe('stopping.draining');
    expect(typesOf(sentTo(step, 'worker-1'))).not.toContain('worker.start');
  });

  it('names leftovers, which are killed after the drain timeout', () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun);
    supervisor.send({ ...refused, leftovers: [LEFTOVER] } as SupervisorEvent);
    expect(alarmsOf(supervisor.now)).toEqual([{ alarm: 'leftovers', delayMs: 30_000 }]);
    expect(supervisor.send(fires('leftovers')).spawned).toEqual([
      { id: 'leftovers', src: 'leftovers', input: { leftovers: [LEFTOVER] } },
    ]);
  });
});

describe('two generations that both stop', () => {
  const isLost = { type: 'successor.lost', ...AT } as const;
  const isGone = (killed: boolean) => ({ type: 'successor.gone', killed, ...AT }) as const;

  const leaving = () => {
    const supervisor = running();
    supervisor.send(asksReload(), started, begun, promoted, stop);
    return supervisor;
  };

  it('the predecessor stays until the successor is gone', () => {
    const supervisor = leaving();
    const step = supervisor.send(exited(), isStopped());
    expect(step.state).toBe('handoff.parting');
    expect(alarmsOf(step)).toEqual([{ alarm: 'leave', delayMs: 35_000 }]);
    expect(supervisor.send(isLost).state).toBe('handoff.returning');
    expect(supervisor.send(isGone(false)).state).toBe('stopped');
  });

  it('the predecessor of a successor that was killed takes pid and paths back, and removes them', () => {
    const supervisor = leaving();
    supervisor.send(exited(), isStopped(), isLost);
    const step = supervisor.send(isGone(true));
    expect(step.state).toBe('handoff.reclaiming');
    expect(alarmsOf(step)).toEqual([{ alarm: 'release', delayMs: 5_000 }]);
    expect(sentTo(step, 'lock')).toEqual([{ type: 'pid.write' }]);
    expect(sentTo(step, 'control')).toContainEqual({ type: 'control.claim', first: false });
    const last = supervisor.send(claimed);
    expect(last.state).toBe('stopping.releasing');
    expect(sentTo(last, 'lock')).toEqual([{ type: 'lock.release' }]);
    expect(supervisor.send({ type: 'lock.released', ...AT }).state).toBe('stopped');
  });

  it('it removes them too when they cannot be taken back', () => {
    const supervisor = leaving();
    supervisor.send(exited(), isStopped(), isLost, isGone(true));
    expect(supervisor.send(fires('release')).state).toBe('stopping.releasing');
  });

  it('the predecessor does not wait for a successor that was gone before its own workers', () => {
    const supervisor = leaving();
    expect(supervisor.send(isLost).state).toBe('handoff.returning');
    expect(supervisor.send(isGone(false)).state).toBe('handoff.leaving');
    expect(supervisor.send(exited(), isStopped()).state).toBe('stopped');
  });

  it('the predecessor does not end while it is undecided what becomes of a successor that died', () => {
    const supervisor = leaving();
    supervisor.send({ type: 'successor.lost', ...AT });
    expect(supervisor.send(exited(), isStopped()).state).toBe('handoff.returning');
  });

  it('a second stop kills', () => {
    expect(sentTo(leaving().send(stop), 'worker-1')).toEqual([{ type: 'worker.kill' }]);
  });

  it('the successor waits for its predecessor before it gives the lock back', () => {
    const supervisor = inCharge();
    expect(sentTo(supervisor.send(stop), 'takeover')).toEqual([{ type: 'takeover.stop' }]);
    expect(supervisor.send(exited(), isStopped()).state).toBe('stopping.draining');
    const step = supervisor.send({ type: 'predecessor.gone', leftovers: [], ...AT });
    expect(step.state).toBe('stopping.releasing');
  });
});

describe('a takeover, seen by the successor', () => {
  it('adopts what it inherits, and fills its slots without leave to serve or respawn', () => {
    const { now } = successor(EXCLUSIVE);
    expect(now.state).toBe('idle.warming');
    expect(now.spawned.map(({ id }) => id)).toEqual([
      'signals',
      'reaper',
      'lock',
      'fence',
      'listeners',
      'control',
      'takeover',
      'worker-1',
    ]);
    expect(now.spawned.at(-1)).toMatchObject({ input: { generation: 4, admitted: false, retained: false } });
    expect(sentTo(now, 'worker-1')).toEqual([{ type: 'worker.start' }]);
  });

  it('tells the takeover machine when every slot is ready, and when one has failed', () => {
    const supervisor = successor({ workers: 2 });
    supervisor.send(spawned(1), spawned(2));
    expect(typesOf(sentTo(supervisor.send(isReady(1)), 'takeover'))).toEqual([]);
    expect(typesOf(sentTo(supervisor.send(isReady(2)), 'takeover'))).toEqual(['slots.ready']);
    const failed = supervisor.send({
      type: 'worker.failed',
      ...who(1),
      reason: 'worker-exited',
      detail: 'worker 1 exited',
      ...AT,
    });
    expect(sentTo(failed, 'takeover')).toMatchObject([{ type: 'slot.failed', reason: 'worker-exited' }]);
  });

  it('lets its workers serve when activated, and respawns and writes only when in charge', () => {
    const supervisor = successor();
    supervisor.send(spawned(), isReady(), { type: 'takeover.asked', ...AT });
    expect(supervisor.now.state).toBe('takeover');
    const active = supervisor.send({ type: 'takeover.activated', ...AT });
    expect([sentTo(active, 'worker-1'), sentTo(active, 'lock')]).toEqual([[{ type: 'worker.admit' }], []]);
    const charged = supervisor.send({ type: 'takeover.charged', ...AT });
    expect(charged.orders.map(({ to, event }) => `${to} ${event.type}`)).toEqual([
      'lock pid.write',
      'control control.claim',
      'worker-1 worker.retain',
    ]);
    expect(sentTo(supervisor.send(claimed), 'takeover')).toEqual([{ type: 'charge.taken', ...AT }]);
    const running = supervisor.send({ type: 'takeover.committed', ...AT });
    expect([running.state, running.context.lastReload]).toMatchObject([
      'running',
      { outcome: 'promoted', generation: 4, pid: 100, durationMs: 5_000, ids: ['a'], detail: null },
    ]);
  });

  it('goes on when the control path cannot be taken', () => {
    const supervisor = successor();
    supervisor.send(
      spawned(),
      isReady(),
      { type: 'takeover.asked', ...AT },
      { type: 'takeover.activated', ...AT },
    );
    supervisor.send({ type: 'takeover.charged', ...AT });
    const step = supervisor.send({ type: 'control.failed', code: 'EIO', message: 'no', ...AT });
    expect(typesOf(sentTo(step, 'takeover'))).toEqual(['charge.taken']);
  });

  it('starts workers without the protocol only after the grant', () => {
    const supervisor = successor({ ...EXCLUSIVE, ready: { mode: 'alive', forMs: 1_000 } });
    expect(sentTo(supervisor.now, 'worker-1')).toEqual([]);
    supervisor.send({ type: 'takeover.asked', ...AT });
    expect(typesOf(sentTo(supervisor.send({ type: 'takeover.activated', ...AT }), 'worker-1'))).toEqual([
      'worker.admit',
      'worker.start',
    ]);
  });

  it('passes a stop to the takeover machine before it is in charge', () => {
    const supervisor = successor();
    const step = supervisor.send(stop);
    expect([step.state, sentTo(step, 'takeover')]).toEqual(['idle.warming', [{ type: 'takeover.stop' }]]);
  });

  it('does not forget a stop when the predecessor dies', () => {
    const supervisor = successor();
    supervisor.send(spawned(), stop, { type: 'predecessor.dead', ...AT });
    const step = supervisor.send({ type: 'takeover.activated', ...AT }, { type: 'takeover.charged', ...AT });
    expect(sentTo(step, 'worker-1')).toEqual([]);
    supervisor.send(claimed);
    expect(supervisor.send({ type: 'takeover.committed', ...AT }).state).toBe('stopping.draining');
  });

  it('says in its verdict that the predecessor died', () => {
    const supervisor = successor();
    supervisor.send({ type: 'predecessor.dead', ...AT }, { type: 'takeover.activated', ...AT });
    supervisor.send({ type: 'takeover.charged', ...AT }, claimed, { type: 'takeover.committed', ...AT });
    expect(supervisor.now.state).toBe('idle.starting');
    expect(supervisor.now.context.lastReload?.detail).toBe('the predecessor died during the reload');
  });

  it('joins a further reload to this one as long as the predecessor is there', () => {
    const supervisor = inCharge();
    const step = supervisor.send(asksReload('c'));
    expect([step.state, step.spawned]).toEqual(['running', []]);
    const gone = supervisor.send({ type: 'predecessor.gone', leftovers: [LEFTOVER], ...AT });
    expect(sentTo(gone, 'control')).toMatchObject([{ verdict: { outcome: 'promoted', ids: ['a', 'c'] } }]);
    expect(alarmsOf(gone)).toEqual([{ alarm: 'leftovers', delayMs: 30_000 }]);
    expect(supervisor.send(asksReload('d')).state).toBe('reloading');
  });

  it('answers those who joined at the predecessor', () => {
    const supervisor = inCharge();
    supervisor.send({ type: 'reload.joined', id: 'b', ...AT });
    expect(supervisor.now.context.reload?.ids).toEqual(['a', 'b']);
  });
});

describe('a daemonized start', () => {
  const failed: SupervisorEvent = {
    type: 'worker.failed',
    ...who(1),
    reason: 'worker-exited',
    detail: 'worker 1 exited with status 3',
    ...AT,
  };
  const proving = (changes: Partial<Settings> = {}) => {
    const supervisor = first(changes, { starter: 4 });
    supervisor.send(locked, bound, piped, claimed, spawned());
    return supervisor;
  };

  it('is told to be good when every slot is ready, once, and is a supervisor as any other from then on', () => {
    const supervisor = proving({ workers: 2 });
    expect(supervisor.send(spawned(2), isReady()).state).toBe('idle.proving');
    const ready = supervisor.send(isReady(2));
    expect(ready.state).toBe('running');
    expect(typesOf(sentTo(ready, 'starter'))).toEqual(['starter.tell']);
    expect(typesOf(sentTo(ready, 'worker-2'))).toEqual(['worker.retain']);
    const after = supervisor.send(exited());
    expect([after.state, sentTo(after, 'starter')]).toEqual(['respawning', []]);
  });

  it('ends with the first worker that fails, in its words', () => {
    const supervisor = proving();
    expect(supervisor.send(exited(), failed).state).toBe('stopping.draining');
    const { state, context } = supervisor.send(isStopped(), released);
    expect(state).toBe('failed');
    expect(context).toMatchObject({
      awaited: true,
      failure: { code: 'TANIST_WORKER_FAILED', message: 'worker 1 exited with status 3' },
    });
  });

  it('ends when the command that waits for it has ended', () => {
    const { state, context } = proving().send({ type: 'starter.gone', ...AT });
    expect([state, context.failure?.code]).toEqual(['stopping.draining', 'TANIST_START_ABORTED']);
  });

  it('begins a reload that was asked for meanwhile when it is ready, and refuses it when it fails', () => {
    const good = proving();
    expect(good.send(asksReload()).state).toBe('idle.proving');
    expect(good.send(isReady()).state).toBe('reloading');
    const bad = proving();
    bad.send(asksReload(), exited());
    expect(sentTo(bad.send(failed), 'control')).toMatchObject([
      { type: 'control.answer', verdict: { outcome: 'refused', reason: 'stopped' } },
    ]);
  });
});
