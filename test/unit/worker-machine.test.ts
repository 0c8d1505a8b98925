import { describe, expect, it } from 'vitest';
import type { AlarmName, WorkerEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { type WorkerInput, workerMachine } from '../../machines/worker.js';
import { alarmsOf, childrenOf, drive, sentTo, typesOf } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const WHO = { slot: 1, place: 1, generation: 1 };
const PID = 70;
const CHANNEL = 12;

const spawned = (pid = PID, channel = CHANNEL): WorkerEvent => ({
  type: 'worker.spawned',
  ...WHO,
  pid,
  startTime: '5',
  channel,
  atMs: 1_000,
});
const asks = (channel = CHANNEL, atMs = 2_000): WorkerEvent => ({ type: 'takeover.said', channel, atMs });
const exits = (changes: { pid?: number; code?: number | null; signal?: string | null; atMs?: number } = {}) =>
  ({ type: 'worker.exited', ...WHO, pid: PID, code: 1, signal: null, atMs: 3_000, ...changes }) as const;
const fires = (alarm: AlarmName): WorkerEvent => ({
  type: 'alarm.fired',
  alarm,
  atMs: 61_000,
});
/** Everything that explains a worker is written down, right after it was too late. */
const explained: WorkerEvent = { type: 'evidence.collected', pid: PID, atMs: 61_010 };
const noProcess: WorkerEvent = {
  type: 'spawn.failed',
  ...WHO,
  code: 'EAGAIN',
  message: 'no room',
  atMs: 1_000,
};

const slot = (changes: Partial<Settings> = {}, input: Partial<WorkerInput> = {}) => {
  const worker = drive(workerMachine, {
    ...WHO,
    settings: settingsWith(changes),
    inheritance: { listeners: [], lifeWrite: 8, fence: null },
    admitted: true,
    retained: true,
    ...input,
  });
  worker.send({ type: 'worker.start' });
  return worker;
};

const NOT_IN_CHARGE = { admitted: false, retained: false };
const HTTP: Partial<Settings> = { ready: { mode: 'http', path: '/health' } };
const ALIVE: Partial<Settings> = { ready: { mode: 'alive', forMs: 700 } };

describe('a slot that is filled', () => {
  it('starts one process with what it inherits', () => {
    const worker = slot(HTTP);
    expect(worker.now.spawned).toEqual([
      {
        id: 'process',
        src: 'fork',
        input: {
          ...WHO,
          inheritance: { listeners: [], lifeWrite: 8, fence: null },
          probe: true,
          tethered: false,
        },
      },
    ]);
  });

  it('waits for the word takeover under the start alarm, and answers ok', () => {
    const worker = slot();
    worker.send(spawned());
    expect(worker.now.state).toBe('alive.living.booting.starting');
    expect(alarmsOf(worker.now)).toEqual([
      { alarm: 'start', delayMs: 60_000 },
      { alarm: 'silence', delayMs: 5_000 },
    ]);
    const step = worker.send(asks());
    expect(step.state).toBe('alive.living.ready.serving.trusted');
    expect(step.reports).toEqual([{ type: 'worker.ready', ...WHO, pid: PID, bootMs: 1_000, atMs: 2_000 }]);
    expect(sentTo(step, 'channel')).toEqual([{ type: 'channel.ok' }]);
  });

  it('answers a worker that asks again at once', () => {
    const worker = slot();
    worker.send(spawned(), asks());
    expect(sentTo(worker.send(asks()), 'channel')).toEqual([{ type: 'channel.ok' }]);
  });

  it('answers as many pings as came together', () => {
    const worker = slot();
    worker.send(spawned());
    const step = worker.send({ type: 'ping.said', channel: CHANNEL, count: 3, atMs: 1_500 });
    expect(sentTo(step, 'channel')).toEqual([{ type: 'channel.pong', count: 3 }]);
  });

  it('passes on what the worker says of itself', () => {
    const worker = slot();
    worker.send(spawned());
    const step = worker.send({ type: 'status.said', channel: CHANNEL, text: 'warming', atMs: 1_500 });
    expect(step.reports).toEqual([{ type: 'worker.described', ...WHO, pid: PID, status: 'warming' }]);
  });

  it('mentions a silent worker once and goes on waiting', () => {
    const worker = slot();
    worker.send(spawned());
    const step = worker.send(fires('silence'));
    expect(step.reports).toEqual([
      { type: 'worker.silent', ...WHO, pid: PID, waitedMs: 5_000, remainingMs: 55_000, says: '' },
    ]);
    expect(step.state).toBe('alive.living.booting.starting');
  });

  it('ignores an order to fill what is filled', () => {
    const worker = slot();
    worker.send(spawned(), asks());
    const step = worker.send({ type: 'worker.start' });
    expect([step.state, step.spawned]).toEqual(['alive.living.ready.serving.trusted', []]);
  });
});

describe('a slot of a generation that is not in charge', () => {
  it('answers nothing before it is admitted, then at once', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    const asked = worker.send(spawned(), asks(), asks());
    expect(sentTo(asked, 'channel')).toEqual([]);
    expect(asked.state).toBe('alive.living.ready.waiting');
    expect(sentTo(worker.send({ type: 'worker.admit' }), 'channel')).toEqual([{ type: 'channel.ok' }]);
  });

  it('serves in the slot it is given, at once where it may, and never without one', () => {
    const standby = () => {
      const worker = slot({}, { ...NOT_IN_CHARGE, slot: 0 });
      worker.send(spawned(), asks());
      return worker;
    };
    const assign = (place: number, admitted: boolean): WorkerEvent => ({
      type: 'worker.assign',
      slot: place,
      admitted,
    });
    const promoted = [{ type: 'worker.promoted', slot: 3, pid: PID }];
    const step = standby().send(assign(3, true));
    expect([step.state, sentTo(step, 'channel')]).toEqual([
      'alive.living.ready.serving.trusted',
      [{ type: 'channel.ok' }],
    ]);
    expect(step.reports).toMatchObject(promoted);
    const later = standby();
    const waits = later.send(assign(3, false));
    expect([waits.state, sentTo(waits, 'channel')]).toEqual(['alive.living.ready.waiting', []]);
    expect(waits.reports).toMatchObject(promoted);
    expect(sentTo(later.send({ type: 'worker.admit' }), 'channel')).toEqual([{ type: 'channel.ok' }]);
    const still = standby().send(assign(0, true));
    expect([still.state, sentTo(still, 'channel'), still.reports]).toEqual([
      'alive.living.ready.waiting',
      [],
      [],
    ]);
  });

  it('answers as soon as it asks when it was admitted before', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    worker.send(spawned(), { type: 'worker.admit' });
    expect(sentTo(worker.send(asks()), 'channel')).toEqual([{ type: 'channel.ok' }]);
  });

  it('stays empty after an exit, and says why it failed', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    const step = worker.send(spawned(), exits({ code: 3 }));
    expect(step.state).toBe('held');
    expect(step.reports.at(-1)).toMatchObject({
      type: 'worker.failed',
      reason: 'worker-exited',
      detail: 'worker 1 (pid 70) exited with status 3 before it was ready',
    });
    expect(alarmsOf(step)).toEqual([]);
  });

  it('stays empty when no process could be started', () => {
    const step = slot({}, NOT_IN_CHARGE).send(noProcess);
    expect(step.state).toBe('held');
    expect(typesOf(step.reports)).toEqual(['spawn.failed', 'worker.failed']);
  });

  it('is filled again, after its backoff, once it is in charge', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    worker.send(spawned(), exits());
    expect(worker.send({ type: 'worker.retain' }).state).toBe('backoff');
    expect(worker.send(fires('backoff')).state).toBe('alive.spawning');
  });

  it.each([126, 127])('reports status %i before a first word as a command that cannot be run', (code) => {
    const worker = slot({}, NOT_IN_CHARGE);
    worker.send(spawned());
    expect(worker.send(exits({ code })).reports.at(-1)).toMatchObject({ reason: 'spawn-failed' });
  });

  it('reports status 127 after a word as an exit', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    worker.send(spawned(), { type: 'ping.said', channel: CHANNEL, count: 1, atMs: 1_500 });
    expect(worker.send(exits({ code: 127 })).reports.at(-1)).toMatchObject({ reason: 'worker-exited' });
  });

  it('says what the worker itself last said when it is too late', () => {
    const late = (...texts: string[]) => {
      const worker = slot({ startTimeoutMs: 900 }, NOT_IN_CHARGE);
      worker.send(spawned());
      for (const text of texts) worker.send({ type: 'status.said', channel: CHANNEL, text, atMs: 1_500 });
      return worker.send(fires('start'), explained).reports.find(({ type }) => type === 'worker.failed');
    };
    const silent = 'worker 1 (pid 70) did not say takeover within 900 ms';
    expect(late()).toMatchObject({ reason: 'start-timeout', detail: silent });
    expect(late('loads', 'waits for its database')).toMatchObject({
      detail: `${silent}; its last words: waits for its database`,
    });
    expect(late('loads', '')).toMatchObject({ detail: silent });
    expect(late('x'.repeat(4_000))).toMatchObject({
      detail: `${silent}; its last words: ${'x'.repeat(300)}`,
    });
  });

  it('names the signal that ended a worker that was ready', () => {
    const worker = slot({}, NOT_IN_CHARGE);
    worker.send(spawned(), asks());
    expect(worker.send(exits({ code: null, signal: 'SIGSEGV' })).reports.at(-1)).toMatchObject({
      detail: 'worker 1 (pid 70) exited by SIGSEGV after it was ready',
    });
  });
});

describe('a slot of a successor that waits for its turn', () => {
  const LATER = { ...NOT_IN_CHARGE, startDelayMs: 50 };

  it('starts no process before its alarm fires', () => {
    const worker = slot({}, LATER);
    expect([worker.now.state, worker.now.spawned.map(({ src }) => src)]).toEqual(['queued', ['alarm']]);
    expect(alarmsOf(worker.now)).toEqual([{ alarm: 'turn', delayMs: 50 }]);
    worker.send({ type: 'alarm.fired', alarm: 'turn', atMs: 1_000 });
    expect(worker.now.spawned.map(({ src }) => src)).toEqual(['fork']);
  });

  it('does not wait when its generation may serve, nor for a respawn', () => {
    const worker = slot({}, LATER);
    worker.send({ type: 'worker.admit' });
    expect(worker.now.spawned.map(({ src }) => src)).toEqual(['fork']);
    const admitted = slot({}, { ...LATER, admitted: true });
    expect(admitted.now.spawned.map(({ src }) => src)).toEqual(['fork']);
  });

  it('is empty when it is told to leave first', () => {
    const worker = slot({}, LATER);
    worker.send({ type: 'worker.drain' });
    expect([worker.now.state, typesOf(worker.now.reports)]).toEqual(['stopped', ['worker.stopped']]);
  });
});

describe('a worker under a watchdog', () => {
  const WATCHED: Partial<Settings> = { watchdogMs: 2_000 };
  const pings = (atMs: number): WorkerEvent => ({ type: 'ping.said', channel: CHANNEL, count: 1, atMs });
  /** The alarm fires, and what waits in the channel has been read. */
  const barks = (atMs: number): [WorkerEvent, WorkerEvent] => [
    { type: 'alarm.fired', alarm: 'watchdog', atMs },
    { type: 'channel.read', channel: CHANNEL, atMs },
  ];
  const watchdog = (worker: ReturnType<typeof slot>) =>
    alarmsOf(worker.now).filter(({ alarm }) => alarm === 'watchdog');

  it('is not watched before its first ping, nor without the option', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks());
    expect(watchdog(worker)).toEqual([]);
    const unwatched = slot();
    unwatched.send(spawned(), asks(), pings(3_000));
    expect(watchdog(unwatched)).toEqual([]);
  });

  it('is watched from its first ping on, and for what is left when it has said something meanwhile', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks(), pings(3_000));
    expect(watchdog(worker)).toEqual([{ alarm: 'watchdog', delayMs: 2_000 }]);
    worker.send({ type: 'status.said', channel: CHANNEL, text: 'busy', atMs: 4_500 }, ...barks(5_000));
    expect(worker.now.state).toBe('alive.living.ready.serving.trusted');
    expect(watchdog(worker)).toEqual([{ alarm: 'watchdog', delayMs: 1_500 }]);
  });

  it('X13: is killed with its group and respawned when it was silent for that long', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks(), pings(3_000));
    const { spawned: effects, reports } = worker.send(...barks(5_000), explained);
    expect(worker.now.state).toBe('alive.living.killing');
    expect(effects.find(({ src }) => src === 'kill')?.input).toMatchObject({
      pid: PID,
      signal: 'SIGKILL',
      group: true,
    });
    expect(reports.at(-1)).toMatchObject({
      type: 'worker.killing',
      cause: 'it has been silent for 2 s after it had pinged',
    });
    worker.send(exits({ code: null, signal: 'SIGKILL', atMs: 5_001 }));
    expect([worker.now.state, watchdog(worker)]).toEqual(['backoff', []]);
  });

  it('is not killed for a silence of its supervisor: what it said meanwhile is read before the alarm counts', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks(), pings(3_000));
    const [alarm, read] = barks(5_500);
    expect(sentTo(worker.send(alarm), 'channel')).toEqual([{ type: 'channel.look' }]);
    worker.send(pings(5_500), read);
    expect(worker.now.state).toBe('alive.living.ready.serving.trusted');
    expect(watchdog(worker)).toEqual([{ alarm: 'watchdog', delayMs: 2_000 }]);
  });

  it('gets its time again when both have slept, as in a container that was frozen', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks(), pings(3_000));
    const [alarm] = barks(90_000);
    expect(sentTo(worker.send(alarm), 'channel')).toEqual([]);
    expect(watchdog(worker)).toEqual([{ alarm: 'watchdog', delayMs: 2_000 }]);
    worker.send(...barks(92_000), explained);
    expect(worker.now.state).toBe('alive.living.killing');
  });

  it('need not ping any more when it is asked to leave', () => {
    const worker = slot(WATCHED);
    worker.send(spawned(), asks(), pings(3_000), { type: 'worker.drain' }, pings(3_100));
    expect([worker.now.state, watchdog(worker)]).toEqual(['alive.living.draining', []]);
  });

  it('that is killed in a generation not in charge fails it, and says why', () => {
    const worker = slot(WATCHED, NOT_IN_CHARGE);
    worker.send(spawned(), pings(3_000), ...barks(5_000), explained);
    const { reports } = worker.send(exits({ code: null, signal: 'SIGKILL', atMs: 5_001 }));
    expect(reports.at(-1)).toMatchObject({
      type: 'worker.failed',
      detail: expect.stringMatching(/by SIGKILL before it was ready: it has been silent for 2 s/),
    });
  });
});

describe('a worker that does not get ready', () => {
  it('is killed with its group when the start alarm fires', () => {
    const worker = slot();
    worker.send(spawned());
    const step = worker.send(fires('start'), explained);
    expect(step.state).toBe('alive.living.killing');
    expect(step.reports[0]).toMatchObject({ type: 'worker.failed', reason: 'start-timeout' });
    expect(step.spawned.find(({ src }) => src === 'kill')?.input).toEqual({
      pid: PID,
      startTime: '5',
      signal: 'SIGKILL',
      group: true,
    });
  });

  it('is not ready when its probe never answered well, with the last answer in the reason', () => {
    const worker = slot(HTTP);
    worker.send(spawned(), asks());
    expect(worker.now.state).toBe('alive.living.booting.probing');
    worker.send({ type: 'probe.failed', pid: PID, detail: 'it answered 500', atMs: 2_100 });
    expect(worker.send(fires('start'), explained).reports[0]).toMatchObject({
      reason: 'not-ready',
      detail: 'worker 1 (pid 70) was probed at /health for 60000 ms: it answered 500',
    });
  });

  it('is silent, not unready, when it was never probed', () => {
    const worker = slot(HTTP);
    worker.send(spawned());
    expect(worker.send(fires('start'), explained).reports[0]).toMatchObject({ reason: 'start-timeout' });
  });

  it('is killed again as long as the kernel does not say that it is gone', () => {
    const worker = slot();
    worker.send(spawned(), fires('start'), explained);
    const step = worker.send(fires('kill'));
    expect(step.state).toBe('alive.living.killing');
    expect(step.spawned.filter(({ src }) => src === 'kill')).toHaveLength(1);
  });
});

describe('a worker that has to be killed', () => {
  const FOLDER = '/run/web-evidence/1';
  const begun: WorkerEvent = { type: 'evidence.begun', pid: PID, folder: FOLDER, atMs: 61_001 };
  const kills = ({ spawned: effects }: { spawned: readonly { src: string }[] }) =>
    effects.filter(({ src }) => src === 'kill').length;

  it('is looked at before, for a second at most, and asked if there is a reporter in it', () => {
    const worker = slot();
    worker.send({ ...spawned(), reporter: 31 } as WorkerEvent);
    const step = worker.send(fires('start'));
    expect([step.state, kills(step), typesOf(step.reports)]).toEqual(['alive.living.examining', 0, []]);
    expect(step.spawned.find(({ src }) => src === 'evidence')?.input).toEqual({
      pid: PID,
      slot: 1,
      generation: 1,
      cause: 'it did not get ready in time',
      reporter: 31,
    });
    expect(alarmsOf(step)).toEqual([{ alarm: 'evidence', delayMs: 1_000 }]);
  });

  it('is looked at for half of the takeover timeout where that is less: another generation waits no longer', () => {
    const worker = slot({ takeoverTimeoutMs: 600 });
    worker.send(spawned(), asks(), { type: 'worker.drain' });
    expect(alarmsOf(worker.send(fires('drain')))).toEqual([{ alarm: 'evidence', delayMs: 300 }]);
  });

  it.each([
    ['all is found out', explained],
    ['it cannot be written', { type: 'evidence.failed', pid: PID, message: 'no space left', atMs: 61_010 }],
    ['its time is over', fires('evidence')],
  ] as const)('is killed when %s, and the folder is named', (_, event) => {
    const worker = slot();
    worker.send(spawned(), fires('start'), begun);
    const step = worker.send(event);
    expect([step.state, kills(step)]).toEqual(['alive.living.killing', 1]);
    expect(typesOf(step.reports)).toEqual(['worker.failed', 'worker.killing']);
    expect(step.reports.at(-1)).toMatchObject({ evidence: FOLDER });
  });

  it('is killed at once when somebody is in a hurry, or it asks for it', () => {
    for (const event of [
      { type: 'worker.kill' },
      { type: 'shutdown.said', channel: CHANNEL, atMs: 61_002 },
    ] as const) {
      const worker = slot();
      worker.send(spawned(), asks(), { type: 'worker.drain' }, fires('drain'));
      expect(worker.send(event).state).toBe('alive.living.killing');
    }
  });

  it('is not looked at when it asks to be killed', () => {
    const worker = slot();
    worker.send(spawned(), asks());
    const step = worker.send({ type: 'shutdown.said', channel: CHANNEL, atMs: 2_500 });
    expect(step.spawned.map(({ src }) => src)).not.toContain('evidence');
    expect(step.reports[0]).not.toHaveProperty('evidence');
  });

  it('stays to be killed whatever it says or is told meanwhile', () => {
    const worker = slot();
    worker.send(spawned(), fires('start'), asks(), { type: 'worker.drain' }, { type: 'worker.admit' });
    expect(worker.now.state).toBe('alive.living.examining');
    worker.send(explained);
    expect(worker.send(exits({ code: null, signal: 'SIGKILL' })).state).toBe('stopped');
  });

  it('does not take the folder of the process before it for its own', () => {
    const worker = slot({ respawn: 'fixed' });
    worker.send(
      spawned(),
      fires('start'),
      begun,
      explained,
      exits(),
      fires('backoff'),
      spawned(PID + 1, CHANNEL + 1),
    );
    worker.send(fires('start'), begun);
    const step = worker.send({ ...explained, pid: PID + 1 } as WorkerEvent);
    expect(step.reports.at(-1)).not.toHaveProperty('evidence');
  });
});

describe('other ways to be ready', () => {
  it('is ready when the probe of this very process passes', () => {
    const worker = slot(HTTP);
    worker.send(spawned(), asks());
    expect(worker.send({ type: 'probe.passed', pid: PID - 1, atMs: 2_200 }).state).toContain('probing');
    const step = worker.send({ type: 'probe.passed', pid: PID, atMs: 2_200 });
    expect(step.state).toBe('alive.living.ready.serving.trusted');
    expect(sentTo(step, 'channel')).toEqual([{ type: 'channel.ok' }]);
  });

  it('is ready when it has lived long enough, and is owed no answer', () => {
    const worker = slot(ALIVE);
    worker.send(spawned());
    expect(alarmsOf(worker.now)).toContainEqual({ alarm: 'alive', delayMs: 700 });
    const step = worker.send(fires('alive'));
    expect([step.state, sentTo(step, 'channel')]).toEqual(['alive.living.ready.serving.trusted', []]);
  });

  it('answers a program that knows the protocol all the same', () => {
    const worker = slot(ALIVE);
    expect(sentTo(worker.send(spawned(), asks()), 'channel')).toEqual([{ type: 'channel.ok' }]);
    const held = slot(ALIVE, NOT_IN_CHARGE);
    held.send(spawned(), asks(), fires('alive'));
    expect(sentTo(held.send({ type: 'worker.admit' }), 'channel')).toEqual([{ type: 'channel.ok' }]);
  });
});

describe('a worker that leaves', () => {
  it('gets the stop signal, then SIGKILL when the drain alarm fires', () => {
    const worker = slot({ stopSignal: 'SIGINT' });
    worker.send(spawned(), asks());
    const drains = worker.send({ type: 'worker.drain' });
    expect(drains.spawned.find(({ src }) => src === 'kill')?.input).toMatchObject({
      signal: 'SIGINT',
      group: false,
    });
    expect(alarmsOf(drains)).toEqual([{ alarm: 'drain', delayMs: 30_000 }]);
    const kills = worker.send(fires('drain'), explained);
    expect(kills.spawned.find(({ src }) => src === 'kill')?.input).toMatchObject({ signal: 'SIGKILL' });
    const gone = worker.send(exits());
    expect([gone.state, typesOf(gone.reports)]).toEqual(['stopped', ['worker.exited', 'worker.stopped']]);
  });

  it('is killed at once when told so, while it drains as well', () => {
    const worker = slot();
    worker.send(spawned(), asks(), { type: 'worker.drain' });
    expect(worker.send({ type: 'worker.kill' }).state).toBe('alive.living.killing');
  });

  it('leaves as soon as it exists when it was told before', () => {
    const worker = slot();
    worker.send({ type: 'worker.drain' });
    expect(worker.send(spawned()).state).toBe('alive.living.draining');
  });

  it('stays when it is wanted again before it exists', () => {
    const worker = slot();
    worker.send({ type: 'worker.drain' }, { type: 'worker.start' });
    expect(worker.send(spawned()).state).toBe('alive.living.booting.starting');
  });

  it('is replaced at once when the slot is wanted again while it drains', () => {
    const worker = slot();
    worker.send(spawned(), asks(), { type: 'worker.drain' }, { type: 'worker.start' });
    const step = worker.send(exits());
    expect([step.state, typesOf(step.reports)]).toEqual(['alive.spawning', ['worker.exited']]);
  });

  it('empties a slot that waits for its backoff', () => {
    const worker = slot();
    worker.send(spawned(), exits());
    expect(worker.send({ type: 'worker.drain' }).state).toBe('stopped');
  });

  it('is killed on its own request, and its slot is filled again', () => {
    const worker = slot();
    worker.send(spawned(), asks());
    const step = worker.send({ type: 'shutdown.said', channel: CHANNEL, atMs: 2_500 });
    expect(step.reports).toMatchObject([{ type: 'worker.killing', cause: 'it asked to be killed' }]);
    expect(worker.send(exits()).state).toBe('backoff');
  });

  it('is drained when it breaks a limit of its channel', () => {
    const worker = slot();
    worker.send(spawned(), asks());
    const step = worker.send({
      type: 'channel.overflowed',
      channel: CHANNEL,
      detail: 'too long',
      atMs: 2_500,
    });
    expect(step.state).toBe('alive.living.draining');
    expect(worker.send(exits()).state).toBe('backoff');
  });
});

describe('a respawn', () => {
  it('waits longer after each young death, and not at all after a long life', () => {
    const worker = slot();
    const waits = [1, 2, 3].map(() => {
      const step = worker.send(spawned(), exits());
      worker.send(fires('backoff'));
      return step.reports.at(-1);
    });
    expect(waits).toMatchObject([
      { type: 'worker.delayed', delayMs: 100, youngDeaths: 1 },
      { delayMs: 200, youngDeaths: 2 },
      { delayMs: 400, youngDeaths: 3 },
    ]);
    worker.send(spawned(), asks());
    expect(worker.send(exits({ code: 0, atMs: 6_000 })).reports.at(-1)).toMatchObject({
      delayMs: 0,
      youngDeaths: 0,
    });
  });

  it('rests for 100 ms at least where a standby has the slot: that one answers first', () => {
    const worker = slot();
    const assign = (place: number) => worker.send({ type: 'worker.assign', slot: place, admitted: false });
    worker.send(spawned(), asks());
    worker.send(exits({ code: 0, atMs: 6_000 }));
    const step = assign(0);
    expect(step.reports).toMatchObject([{ type: 'worker.delayed', slot: 0, delayMs: 100, youngDeaths: 0 }]);
    expect(step.stopped).toEqual(['backoffAlarm']);
    expect(step.spawned).toMatchObject([{ id: 'backoffAlarm', input: { alarm: 'backoff', delayMs: 100 } }]);
    // Once is enough.
    expect(assign(0).reports).toEqual([]);
    expect(worker.send(fires('backoff')).state).toBe('alive.spawning');
    // A death that has earned a longer wait has it.
    worker.send(spawned(), exits(), fires('backoff'), spawned(), exits());
    expect(assign(0).reports).toEqual([]);
  });

  it('follows a process that could not be started', () => {
    const step = slot().send(noProcess);
    expect(step.state).toBe('backoff');
    expect(typesOf(step.reports)).toEqual(['spawn.failed', 'worker.delayed']);
  });
});

describe('late facts about the process before', () => {
  it.each([
    ['its exit', exits({ pid: PID })],
    ['its words', asks(CHANNEL)],
    ['its wish to be killed', { type: 'shutdown.said', channel: CHANNEL, atMs: 9_000 } as const],
    ['its overflow', { type: 'channel.overflowed', channel: CHANNEL, detail: '', atMs: 9_000 } as const],
    ['its probe', { type: 'probe.passed', pid: PID, atMs: 9_000 } as const],
  ])('%s changes nothing', (_, fact) => {
    const worker = slot(HTTP);
    worker.send(spawned(), asks(), exits(), fires('backoff'), spawned(PID + 1, CHANNEL + 1));
    const { state, context } = worker.now;
    const step = worker.send(fact);
    expect([step.state, step.context]).toEqual([state, context]);
    expect([...step.reports, ...step.orders, ...step.spawned]).toEqual([]);
  });
});

describe('a worker on probation', () => {
  const CHECKED: Partial<Settings> = { health: { mode: 'http', path: '/well' }, probationMs: 10_000 };
  const passed = (tookMs = 100): WorkerEvent => ({ type: 'health.passed', pid: PID, tookMs, atMs: 3_000 });
  const failed = (status: number | null = 500): WorkerEvent => ({
    type: 'health.failed',
    pid: PID,
    status,
    detail: status === null ? 'no answer within 1000 ms' : `it answered ${status}`,
    tookMs: 1_000,
    atMs: 3_000,
  });
  const onTrial = (changes: Partial<Settings> = {}) => {
    const worker = slot({ ...CHECKED, ...changes }, NOT_IN_CHARGE);
    worker.send(spawned(), asks(), { type: 'worker.admit' });
    return worker;
  };

  it('is asked whether it is well from the moment it may serve, once a second', () => {
    const worker = onTrial();
    expect(childrenOf(worker.now)).toContainEqual(
      expect.objectContaining({
        src: 'health',
        input: { ...WHO, pid: PID, path: '/well', timeoutMs: 1_000 },
      }),
    );
    const step = worker.send(passed(100));
    expect(step.reports).toMatchObject([{ type: 'worker.checked', passed: true, failures: 0 }]);
    expect(alarmsOf(step)).toEqual([{ alarm: 'health', delayMs: 900 }]);
    expect(worker.send(fires('health')).spawned).toMatchObject([{ src: 'health' }]);
  });

  it('has failed after three failures in a row, and not after two with a pass between', () => {
    const worker = onTrial();
    const checks = [failed(), fires('health'), failed(), fires('health')] as const;
    expect(typesOf(worker.send(...checks, passed(), fires('health'), ...checks).reports)).not.toContain(
      'worker.failed',
    );
    expect(worker.send(failed()).reports).toMatchObject([
      { type: 'worker.checked', failures: 3 },
      {
        type: 'worker.failed',
        reason: 'health-failed',
        detail: `worker 1 (pid ${PID}) failed 3 health checks of /well in a row: it answered 500`,
      },
    ]);
    // It may finish what it has in hand.
    expect(worker.now.state).toBe('alive.living.ready.serving.trusted');
  });

  it('is killed when it does not answer and the workers of before wait for its end', () => {
    const worker = onTrial({ handoff: 'exclusive' });
    const step = worker.send(failed(null), fires('health'), failed(null), fires('health'), failed(null));
    expect(step.state).toBe('alive.living.examining');
    expect(typesOf(step.reports)).toEqual(Array<string>(3).fill('worker.checked'));
    const killed = worker.send(fires('evidence'));
    expect(killed.state).toBe('alive.living.killing');
    expect(typesOf(killed.reports)).toEqual(['worker.failed', 'worker.killing']);
    expect(killed.reports).toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining('TANIST_PROBE_FD') }),
    );
  });

  it('is not asked any more when its generation is in charge', () => {
    const worker = onTrial();
    worker.send(failed(), fires('health'), failed());
    const step = worker.send({ type: 'worker.retain' });
    expect([step.state, alarmsOf(step)]).toEqual(['alive.living.ready.serving.trusted', []]);
  });

  it('is not asked at all in a generation that is in charge from the beginning, and has a probe socket', () => {
    const worker = slot(CHECKED);
    const step = worker.send(spawned(), asks());
    expect(step.state).toBe('alive.living.ready.serving.trusted');
    expect(childrenOf(step).find(({ src }) => src === 'fork')?.input).toMatchObject({ probe: true });
  });

  it('is not moved by a late answer of the process before it', () => {
    const worker = onTrial();
    const step = worker.send({ ...passed(), pid: PID - 1 } as WorkerEvent);
    expect([step.state, step.reports]).toEqual(['alive.living.ready.serving.trial.asking', []]);
  });
});
