import { describe, expect, it } from 'vitest';
import type { AlarmName, SupervisorEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { statusOf } from '../../machines/status.js';
import { type SupervisorInput, supervisorMachine } from '../../machines/supervisor.js';
import { alarmsOf, childrenOf, drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const AT = { atMs: 9_000 };
const SELF = { pid: 100, startTime: '1' };
const ANCHOR = { pid: 90, startTime: '7' };

const input = (settings: Settings, more: Partial<SupervisorInput>): SupervisorInput => ({
  settings,
  version: '1.2.3',
  self: SELF,
  startedAtMs: 1_000,
  hangupStops: false,
  handover: null,
  ...more,
});

const stop: SupervisorEvent = { type: 'stop.requested', via: 'SIGTERM', ...AT };
const hangup: SupervisorEvent = { type: 'hangup.received', ...AT };
const asksReload: SupervisorEvent = { type: 'reload.requested', via: 'SIGUSR2', id: null, ...AT };
const prepared: SupervisorEvent = { type: 'service.prepared', descriptor: 12, ...AT };
const isCharged = (generation: number): SupervisorEvent => ({
  type: 'service.charged',
  pid: 200 + generation,
  startTime: '3',
  generation,
  ...AT,
});
const told: SupervisorEvent = { type: 'reload.anchored' };
const concluded = (failure: { code: string; message: string } | null): SupervisorEvent => ({
  type: 'service.concluded',
  failure,
  ...AT,
});
const serviceEnds: SupervisorEvent = { type: 'service.ended', ...AT };
const anchorEnds: SupervisorEvent = { type: 'anchor.ended', ...AT };
const introduced: SupervisorEvent = { type: 'anchor.introduced', ...ANCHOR, ...AT };
const gone: SupervisorEvent = { type: 'predecessor.gone', leftovers: [], ...AT };
const claimed: SupervisorEvent = { type: 'control.claimed', path: '/run/daemon.sock', ...AT };
const isStopped: SupervisorEvent = {
  type: 'worker.stopped',
  slot: 1,
  place: 1,
  generation: 1,
  atMs: 1,
};
const fires = (alarm: AlarmName): SupervisorEvent => ({ type: 'alarm.fired', alarm, ...AT });
const who = { slot: 1, place: 1, generation: 1, pid: 401 };
const ready: readonly SupervisorEvent[] = [
  { type: 'worker.spawned', ...who, startTime: '1', ...AT },
  { type: 'worker.ready', ...who, bootMs: 5, ...AT },
];

/** A first generation that serves, and may become an anchor. */
const first = (more: Partial<SupervisorInput> = {}) => {
  const supervisor = drive(supervisorMachine, input(settingsWith({ anchor: true }), more));
  supervisor.send(
    { type: 'lock.acquired', descriptor: 5, ...AT },
    { type: 'listeners.bound', listeners: [{ name: 'a', address: '127.0.0.1:1', descriptor: 11 }], ...AT },
    { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
    prepared,
    claimed,
    ...ready,
  );
  return supervisor;
};

const relieved = (more: Partial<SupervisorInput> = {}) => {
  const supervisor = first(more);
  supervisor.send(
    asksReload,
    { type: 'reload.started', pid: 202, generation: 2, ...AT },
    { type: 'handoff.begun', ...AT },
    { type: 'reload.promoted', generation: 2, pid: 202, ...AT },
  );
  return supervisor;
};

const anchored = (more: Partial<SupervisorInput> = {}) => {
  const supervisor = relieved(more);
  supervisor.send(isStopped, told, isCharged(2));
  return supervisor;
};

/** A later generation; `anchor` is what the hand-over record said of the first process. */
const successor = (anchor: typeof ANCHOR | null, hangupStops = false) =>
  drive(
    supervisorMachine,
    input(settingsWith({ anchor: true }), {
      hangupStops,
      handover: {
        messages: 3,
        record: {
          version: 1,
          tanist: '1.2.2',
          name: 'daemon',
          pidFile: '/run/daemon.pid',
          handoff: 'overlap',
          generation: 4,
          predecessor: { pid: 99, startTime: '1' },
          workers: [],
          requestedAtMs: 4_000,
          ids: [],
          hangupStops,
          ...(anchor === null ? {} : { anchor }),
          descriptors: {
            lock: 4,
            token: 5,
            lifeWrite: 6,
            lifeRead: 7,
            peerRead: 8,
            fence: null,
            anchor: 12,
          },
          listeners: [],
        },
      },
    }),
  );

const inCharge = (anchor: typeof ANCHOR | null, hangupStops = false) => {
  const supervisor = successor(anchor, hangupStops);
  supervisor.send(
    ...(ready as [SupervisorEvent, SupervisorEvent]),
    { type: 'takeover.asked', ...AT },
    { type: 'takeover.activated', ...AT },
    { type: 'takeover.charged', ...AT },
    claimed,
    { type: 'takeover.committed', ...AT },
  );
  return supervisor;
};

describe('X17: the first process', () => {
  it('makes the socket pair before anything is published, and passes its far end on', () => {
    const supervisor = drive(supervisorMachine, input(settingsWith({ anchor: true }), {}));
    supervisor.send(
      { type: 'lock.acquired', descriptor: 5, ...AT },
      { type: 'listeners.bound', listeners: [], ...AT },
    );
    const mooring = supervisor.send({ type: 'lifePipe.opened', write: 8, read: 9, ...AT });
    expect(mooring.state).toBe('idle.mooring');
    expect(mooring.spawned).toEqual([{ id: 'service', src: 'service', input: {} }]);
    supervisor.send(prepared, claimed, ...ready);
    const [reload] = supervisor.send(asksReload).spawned;
    expect(reload).toMatchObject({ id: 'reload', input: { descriptors: { anchor: 12 } } });
    expect(reload).not.toHaveProperty(['input', 'record', 'anchor']);
  });

  it('gives up where the pair cannot be made, and makes none without --anchor', () => {
    const supervisor = first();
    const step = drive(supervisorMachine, input(settingsWith(), {}));
    step.send(
      { type: 'lock.acquired', descriptor: 5, ...AT },
      { type: 'listeners.bound', listeners: [], ...AT },
      { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
    );
    expect(step.now.state).toBe('idle.publishing');
    expect(childrenOf(step.now).map(({ id }) => id)).not.toContain('service');
    expect(childrenOf(supervisor.now).map(({ id }) => id)).toContain('service');
  });

  it('becomes the anchor when its last worker has left: it tells its successor, and gives everything back', () => {
    const supervisor = relieved();
    expect(supervisor.now.state).toBe('handoff.leaving');
    const telling = supervisor.send(isStopped);
    expect(telling.state).toBe('handoff.introducing');
    expect(sentTo(telling, 'reload')).toContainEqual({ type: 'reload.anchor', ...SELF });
    const step = supervisor.send(told);
    expect(step.state).toBe('anchored.watching');
    expect(sentTo(step, 'service')).toEqual([{ type: 'service.watch' }]);
    expect(
      childrenOf(step)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['reaper', 'service', 'signals']);
    expect(step.context).toMatchObject({ lock: null, lifeRead: null, slots: [], inCharge: false });
    expect(statusOf(step.snapshot)).toMatchObject({
      state: 'anchored',
      anchor: { pid: 100 },
      listeners: [],
      workers: [],
    });
  });

  it('keeps a signal for a reload that comes while it becomes the anchor, and passes it on', () => {
    const supervisor = relieved();
    supervisor.send(isStopped);
    const kept = supervisor.send(asksReload);
    expect(kept.state).toBe('handoff.introducing');
    expect(kept.context.deferredReload).not.toBeNull();
    const step = supervisor.send(told);
    expect(step.state).toBe('anchored.watching');
    expect(sentTo(step, 'service')).toEqual([
      { type: 'service.watch' },
      { type: 'service.forward', signal: 'SIGUSR2', stops: 0 },
    ]);
    expect(step.context.deferredReload).toBeNull();
  });

  it('begins the reload it kept when it comes back instead of becoming the anchor', () => {
    const supervisor = relieved();
    supervisor.send(isStopped, asksReload, { type: 'successor.lost', ...AT });
    expect(supervisor.now.state).toBe('handoff.returning');
    const refused: SupervisorEvent = {
      type: 'reload.refused',
      generation: 2,
      pid: 202,
      outcome: 'rolled-back',
      reason: 'exited',
      detail: 'it was killed',
      leftovers: [],
      ...AT,
    };
    const step = supervisor.send(refused);
    expect(step.state).toBe('reloading');
    expect(step.spawned.map(({ id }) => id)).toContain('reload');
    expect(step.context).toMatchObject({ deferredReload: null, reload: { generation: 3 } });
  });

  it('ends with status 0 as soon as it is relieved, without --anchor', () => {
    const supervisor = drive(supervisorMachine, input(settingsWith(), {}));
    supervisor.send(
      { type: 'lock.acquired', descriptor: 5, ...AT },
      { type: 'listeners.bound', listeners: [], ...AT },
      { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
      claimed,
      ...ready,
      asksReload,
      { type: 'reload.promoted', generation: 2, pid: 202, ...AT },
    );
    expect(supervisor.send(isStopped).state).toBe('stopped');
  });

  it('still sees off the leftovers of a generation that was refused before', () => {
    const supervisor = first();
    supervisor.send(asksReload, {
      type: 'reload.refused',
      outcome: 'refused',
      generation: 2,
      pid: 202,
      reason: 'exited',
      detail: 'it exited',
      leftovers: [{ pid: 601, startTime: '1' }],
      ...AT,
    });
    supervisor.send(asksReload, { type: 'reload.promoted', generation: 3, pid: 203, ...AT }, isStopped, told);
    expect(supervisor.now.state).toBe('anchored.watching');
    expect(supervisor.send(fires('leftovers')).spawned).toEqual([
      { id: 'leftovers', src: 'leftovers', input: { leftovers: [{ pid: 601, startTime: '1' }] } },
    ]);
  });
});

describe('X17: a first process that is about to become the anchor', () => {
  it('comes back when its successor dies before it was told', () => {
    const supervisor = relieved();
    supervisor.send(isStopped, { type: 'successor.lost', ...AT });
    expect(supervisor.now.state).toBe('handoff.returning');
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
    ['control', 'SIGTERM'],
  ] as const)('passes a stop by %s on that comes while the successor is told', (via, signal) => {
    const supervisor = relieved();
    const asked = supervisor.send(isStopped, { ...stop, via });
    expect(typesOf(sentTo(asked, 'reload'))).toContain('reload.abort');
    expect(sentTo(supervisor.send(told), 'service')).toEqual([
      { type: 'service.watch' },
      { type: 'service.forward', signal, stops: 1 },
    ]);
  });
});

describe('X17: the anchor', () => {
  it.each([
    ['SIGUSR2', asksReload, { signal: 'SIGUSR2', stops: 0 }],
    ['SIGHUP', hangup, { signal: 'SIGHUP', stops: 0 }],
  ])('passes %s on and goes on watching', (_, event, forwarded) => {
    const step = anchored().send(event);
    expect(sentTo(step, 'service')).toEqual([{ type: 'service.forward', ...forwarded }]);
    expect(step.state).toBe('anchored.watching');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('passes %s on, and counts', (via) => {
    const supervisor = anchored();
    const asked: SupervisorEvent = { type: 'stop.requested', via, ...AT };
    const step = supervisor.send(asked);
    expect(sentTo(step, 'service')).toEqual([{ type: 'service.forward', signal: via, stops: 1 }]);
    expect(step.state).toBe('anchored.concluding');
    expect(sentTo(supervisor.send(asked), 'service')).toEqual([
      { type: 'service.forward', signal: via, stops: 2 },
    ]);
  });

  it('takes SIGHUP for a stop where a terminal was the first standard input', () => {
    const step = anchored({ hangupStops: true }).send(hangup);
    expect(sentTo(step, 'service')).toEqual([{ type: 'service.forward', signal: 'SIGHUP', stops: 1 }]);
    expect(step.state).toBe('anchored.concluding');
  });

  it('ends as the service does', () => {
    const well = anchored();
    well.send(concluded(null));
    expect(well.send(serviceEnds).state).toBe('stopped');

    const failure = { code: 'TANIST_RESPAWN_LIMIT', message: 'more than 3 respawns within 10 s' };
    const badly = anchored();
    badly.send(concluded(failure));
    const step = badly.send(serviceEnds);
    expect([step.state, step.context.failure]).toEqual(['failed', failure]);
  });

  it('fails, and says of whom, when the service ends without a word', () => {
    const step = anchored().send(isCharged(3), serviceEnds);
    expect(step.state).toBe('failed');
    expect(step.context.failure).toEqual({
      code: 'TANIST_SERVICE_LOST',
      message: 'the service ended without a word: generation 3 (pid 203) was killed, or crashed',
    });
  });

  it('forgets the last words of a generation when another one is in charge after it', () => {
    const step = anchored().send(concluded(null), isCharged(3), serviceEnds);
    expect(step.context.failure?.code).toBe('TANIST_SERVICE_LOST');
  });

  it('kills the supervisor in charge when a stop is not carried out in time, and fails', () => {
    const supervisor = anchored();
    supervisor.send(stop);
    expect(alarmsOf(supervisor.now)).toEqual([{ alarm: 'conclude', delayMs: 40_000 }]);
    const step = supervisor.send(fires('conclude'));
    expect(step.state).toBe('anchored.killing');
    expect(step.spawned).toContainEqual({
      id: 'chargeKill',
      src: 'kill',
      input: { pid: 202, startTime: '3', signal: 'SIGKILL', group: false },
    });
    expect(supervisor.send(serviceEnds).context.failure).toEqual({
      code: 'TANIST_STOP_OVERDUE',
      message: 'generation 2 (pid 202) did not stop within 40 s',
    });
  });

  it('does not wait for ever where it does not know whom to kill, or where killing does not help', () => {
    const supervisor = relieved();
    supervisor.send(isStopped, told, stop);
    const step = supervisor.send(fires('conclude'));
    expect(step.spawned.map(({ src }) => src)).toEqual(['alarm']);
    expect(alarmsOf(step)).toEqual([{ alarm: 'kill', delayMs: 5_000 }]);
    expect(supervisor.send(fires('kill')).state).toBe('failed');
  });

  it('waits for the end of a service that was asked to stop before it became the anchor', () => {
    const supervisor = relieved();
    supervisor.send(stop, isStopped, fires('leave'));
    const step = supervisor.send(told);
    expect(step.state).toBe('anchored.concluding');
    expect(sentTo(step, 'service').slice(1)).toEqual([
      { type: 'service.forward', signal: 'SIGTERM', stops: 1 },
    ]);
    expect(sentTo(supervisor.send(stop), 'service')).toEqual([
      { type: 'service.forward', signal: 'SIGTERM', stops: 2 },
    ]);
  });
});

describe('X17: a later generation', () => {
  it('opens the socket to the anchor when it takes charge, and not before', () => {
    const supervisor = successor(ANCHOR);
    const sources = () => childrenOf(supervisor.now).map(({ id }) => id);
    supervisor.send(
      ...(ready as [SupervisorEvent, SupervisorEvent]),
      { type: 'takeover.asked', ...AT },
      { type: 'takeover.activated', ...AT },
    );
    expect(sources()).not.toContain('anchor');
    const step = supervisor.send({ type: 'takeover.charged', ...AT });
    expect(step.spawned).toContainEqual({
      id: 'anchor',
      src: 'anchor',
      input: { descriptor: 12, ...SELF, generation: 4 },
    });
    expect(statusOf(step.snapshot).anchor).toEqual({ pid: 90 });
  });

  it('names the anchor to its own successor, and leaves the socket to it', () => {
    const supervisor = inCharge(null);
    supervisor.send(introduced, gone);
    expect(statusOf(supervisor.now.snapshot).anchor).toEqual({ pid: 90 });
    const [reload] = supervisor.send(asksReload).spawned;
    expect(reload).toMatchObject({ input: { record: { anchor: ANCHOR }, descriptors: { anchor: 12 } } });
    supervisor.send({ type: 'handoff.begun', ...AT });
    const step = supervisor.send({ type: 'reload.promoted', generation: 5, pid: 205, ...AT });
    expect(step.stopped).toContain('anchor');
    expect(supervisor.send(isStopped).state).toBe('stopped');
  });

  it('comes back to the socket when its successor died in charge', () => {
    const supervisor = inCharge(ANCHOR);
    supervisor.send(gone, asksReload, { type: 'handoff.begun', ...AT });
    supervisor.send({ type: 'reload.promoted', generation: 5, pid: 205, ...AT });
    supervisor.send({ type: 'successor.lost', ...AT });
    const step = supervisor.send({
      type: 'reload.refused',
      outcome: 'refused',
      generation: 5,
      pid: 205,
      reason: 'exited',
      detail: 'it exited',
      leftovers: [],
      ...AT,
    });
    expect(step.spawned.map(({ id }) => id)).toContain('anchor');
  });

  it('stops in order when the anchor is gone', () => {
    const supervisor = inCharge(ANCHOR);
    const step = supervisor.send(gone, anchorEnds);
    expect(step.state).toBe('stopping.draining');
    expect(sentTo(step, 'worker-1')).toEqual([{ type: 'worker.drain' }]);
    expect(step.context.anchor).toBeNull();
  });

  it('stops too when the end of the anchor is seen before its word', () => {
    const supervisor = inCharge(null);
    supervisor.send(anchorEnds);
    expect(supervisor.now.state).toBe('running');
    expect(supervisor.send(introduced).state).toBe('stopping.draining');
  });

  it('goes on when the first process dies before it is an anchor, and names none to its successor', () => {
    const supervisor = inCharge(null);
    const step = supervisor.send(anchorEnds, gone);
    expect(step.state).toBe('running');
    const [reload] = supervisor.send(asksReload).spawned;
    expect(reload).toMatchObject({ input: { descriptors: { anchor: null } } });
  });

  it('is not stopped a second time, which would kill, by the end of the anchor', () => {
    const supervisor = inCharge(ANCHOR);
    const step = supervisor.send(gone, stop, anchorEnds);
    expect(typesOf(sentTo(step, 'worker-1'))).toEqual(['worker.drain']);
  });

  it('takes one stop of each for one, and the second of the anchor for the second', () => {
    const supervisor = inCharge(ANCHOR);
    const passedOn = (anchorStops: number): SupervisorEvent => ({ ...stop, anchorStops }) as SupervisorEvent;
    expect(typesOf(sentTo(supervisor.send(gone, stop, passedOn(1)), 'worker-1'))).toEqual([
      'worker.drain',
      'worker.drain',
    ]);
    expect(typesOf(sentTo(supervisor.send(passedOn(2)), 'worker-1'))).toEqual(['worker.kill']);
  });

  it('counts a stop that another generation has heard before it', () => {
    const supervisor = inCharge(ANCHOR);
    const second = { ...stop, anchorStops: 2 } as SupervisorEvent;
    expect(typesOf(sentTo(supervisor.send(gone, second), 'worker-1'))).toEqual(['worker.kill']);
  });

  it('stops by a SIGHUP at the anchor where a terminal was the first standard input', () => {
    const passedOn = { ...hangup, anchorStops: 1 } as SupervisorEvent;
    expect(inCharge(ANCHOR, true).send(gone, passedOn).state).toBe('stopping.draining');
    expect(inCharge(ANCHOR).send(gone, passedOn).state).toBe('reloading');
  });

  it('tells the anchor how it ended, before the lock is free', () => {
    const supervisor = inCharge(ANCHOR);
    supervisor.send(gone, stop);
    const step = supervisor.send(isStopped);
    expect(sentTo(step, 'anchor')).toEqual([{ type: 'anchor.conclude', failure: null }]);
    const words = step.orders.map(({ to, event }) => `${to} ${event.type}`);
    expect(words.indexOf('anchor anchor.conclude')).toBeLessThan(words.indexOf('lock lock.release'));
  });
});
