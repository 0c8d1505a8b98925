import { describe, expect, it } from 'vitest';
import { arrowsTaken } from '../../src/inspector/view/arrows.js';
import { view, workersOf } from '../../src/inspector/view/fold.js';
import { keepersOf } from '../../src/inspector/view/keepers.js';
import { matches, rowOf } from '../../src/inspector/view/log-rows.js';
import { generationsOf, principalOf } from '../../src/inspector/view/picture.js';
import { activePaths, lifeOf } from '../../src/inspector/view/states.js';
import { MOST_ENTRIES, Timeline } from '../../src/inspector/view/timeline.js';
import { size, span } from '../../src/inspector/view/words.js';
import type { Effect, JournalEntry } from '../../src/journal/entry.js';

const START = Date.parse('2026-11-25T12:00:00.000Z');

/** A supervisor that writes a journal; `at` counts milliseconds from its start. */
const writer = (generation: number, pid: number) => {
  let seq = 0;
  const states = new Map<string, string>();
  return (
    at: number,
    actor: string,
    event: JournalEntry['event'],
    to: string,
    more: Partial<JournalEntry> = {},
  ): JournalEntry => {
    const from = states.get(actor) ?? null;
    states.set(actor, to);
    const time = new Date(START + at).toISOString();
    return { seq: ++seq, time, generation, pid, actor, event, from, to, effects: [], ...more };
  };
};

const alarm = (id: string, name: string, delayMs: number): Effect => ({
  spawn: id,
  src: 'alarm',
  input: { alarm: name, delayMs },
});

/** A start, a crash, a reload that is promoted, and one that is refused. */
const eventful = (): readonly JournalEntry[] => {
  const [one, two] = [writer(1, 100), writer(2, 200)];
  const serving = 'alive.living.ready.serving';
  return [
    one(0, 'supervisor', { type: 'xstate.init' }, 'idle.locking', { machine: 'supervisor' }),
    one(5, 'supervisor', { type: 'pid.written', pid: 100 }, 'idle.publishing'),
    one(10, 'worker-1', { type: 'xstate.init' }, 'stopped', { machine: 'worker' }),
    one(11, 'worker-1', { type: 'worker.start' }, 'alive.spawning'),
    one(
      12,
      'worker-1',
      { type: 'worker.spawned', pid: 101, startTime: '7' },
      'alive.living.booting.starting',
      {
        effects: [alarm('startAlarm', 'start', 60_000)],
      },
    ),
    one(112, 'worker-1', { type: 'takeover.said' }, serving, { effects: [{ stop: 'startAlarm' }] }),
    one(113, 'supervisor', { type: 'worker.ready', slot: 1 }, 'running'),
    one(500, 'worker-1', { type: 'worker.exited', pid: 101, code: null, signal: 'SIGKILL' }, 'backoff', {
      effects: [alarm('backoffAlarm', 'backoff', 200)],
    }),
    one(700, 'worker-1', { type: 'alarm.fired', alarm: 'backoff' }, 'alive.spawning', {
      effects: [{ stop: 'backoffAlarm' }],
    }),
    one(
      710,
      'worker-1',
      { type: 'worker.spawned', pid: 102, startTime: '8' },
      'alive.living.booting.starting',
    ),
    one(800, 'worker-1', { type: 'takeover.said' }, serving),
    one(1_000, 'reload', { type: 'successor.spawned', generation: 2, pid: 200 }, 'undecided.starting', {
      machine: 'reload',
    }),
    one(1_100, 'reload', { type: 'successor.workers', workers: [{ pid: 201 }] }, 'undecided.starting'),
    two(1_200, 'supervisor', { type: 'xstate.init' }, 'idle.warming', { machine: 'supervisor' }),
    two(1_210, 'worker-1', { type: 'xstate.init' }, 'stopped', { machine: 'worker' }),
    two(
      1_220,
      'worker-1',
      { type: 'worker.spawned', pid: 201, startTime: '9' },
      'alive.living.booting.starting',
    ),
    two(1_300, 'worker-1', { type: 'takeover.said' }, 'alive.living.ready.waiting'),
    two(1_400, 'supervisor', { type: 'pid.written', pid: 200 }, 'takeover'),
    two(1_401, 'worker-1', { type: 'worker.admit' }, serving),
    one(1_402, 'supervisor', { type: 'reload.promoted', generation: 2, pid: 200 }, 'handoff.leaving'),
    one(1_410, 'worker-1', { type: 'worker.drain' }, 'alive.living.draining', {
      effects: [alarm('drainAlarm', 'drain', 30_000)],
    }),
    one(1_500, 'worker-1', { type: 'worker.exited', pid: 102, code: 0, signal: null }, 'stopped'),
    one(1_501, 'supervisor', { type: 'reload.anchored' }, 'anchored.watching'),
    two(1_600, 'reload', { type: 'successor.spawned', generation: 3, pid: 300 }, 'undecided.starting', {
      machine: 'reload',
    }),
    two(1_700, 'reload', { type: 'successor.workers', workers: [{ pid: 301 }] }, 'undecided.starting'),
    two(
      1_800,
      'supervisor',
      { type: 'reload.refused', reason: 'worker-exited', detail: 'it crashed' },
      'running',
    ),
  ];
};

const at = (ms: number) => START + ms;
const behind = (event: string, entries: readonly JournalEntry[]): number =>
  entries.findLastIndex((entry) => entry.event.type === event) + 1;

describe('the picture of a moment', () => {
  it('has a lane for every generation, and says who was in charge when', () => {
    const generations = generationsOf(view(eventful()));
    expect(
      generations.map(({ generation, pid, fate, charge }) => ({ generation, pid, fate, charge })),
    ).toEqual([
      { generation: 1, pid: 100, fate: 'anchor', charge: [{ fromMs: at(5), toMs: at(1_400) }] },
      { generation: 2, pid: 200, fate: 'in charge', charge: [{ fromMs: at(1_400), toMs: null }] },
      { generation: 3, pid: 300, fate: 'refused', charge: [] },
    ]);
    expect(generations[2]?.why).toBe('worker-exited: it crashed');
    expect(generations[2]?.endedMs).toBe(at(1_800));
  });

  it('tells a generation whose workers served from one that never came so far', () => {
    const [one, two] = [writer(1, 100), writer(2, 200)];
    const refusal = { type: 'reload.refused', reason: 'worker-exited', detail: 'it crashed' };
    const entries = [
      one(0, 'supervisor', { type: 'pid.written', pid: 100 }, 'running', { machine: 'supervisor' }),
      one(10, 'reload', { type: 'successor.spawned', generation: 2, pid: 200 }, 'undecided.starting'),
      two(20, 'supervisor', { type: 'xstate.init' }, 'idle.warming', { machine: 'supervisor' }),
      two(50, 'supervisor', { type: 'takeover.activated' }, 'takeover'),
    ];
    const fateAt = (outcome: string) =>
      generationsOf(view([...entries, one(90, 'supervisor', { ...refusal, outcome }, 'running')]))[1];
    expect(fateAt('rolled-back')).toMatchObject({
      fate: 'rolled back',
      why: 'worker-exited: it crashed',
      probationMs: at(50),
      charge: [],
      endedMs: at(90),
    });
    expect(fateAt('refused')?.fate).toBe('refused');
  });

  it('shows the life of a worker through a crash and its drain', () => {
    const [worker] = workersOf(generationsOf(view(eventful()))[0] as never);
    expect(
      worker?.spans.map(({ kind, fromMs, toMs }) => [kind, fromMs - START, (toMs ?? 0) - START]),
    ).toEqual([
      ['boot', 11, 112],
      ['serving', 112, 500],
      ['backoff', 500, 700],
      ['boot', 700, 800],
      ['serving', 800, 1_410],
      ['draining', 1_410, 1_500],
    ]);
    expect(worker?.exits.map(({ pid, signal, code }) => [pid, signal, code])).toEqual([
      [101, 'SIGKILL', null],
      [102, null, 0],
    ]);
    expect(worker).toMatchObject({ pid: null, respawns: 1 });
  });

  it('tells what a standby was before it took a slot, and what the other one is now', () => {
    const write = writer(1, 100);
    const [serving, waiting] = ['alive.living.ready.serving', 'alive.living.ready.waiting'];
    const picture = view([
      write(0, 'worker-1', { type: 'xstate.init', input: { slot: 1 } }, 'stopped', { machine: 'worker' }),
      write(1, 'worker-1', { type: 'worker.spawned', pid: 101 }, serving),
      write(2, 'worker-2', { type: 'xstate.init', input: { slot: 0 } }, 'stopped', { machine: 'worker' }),
      write(3, 'worker-2', { type: 'worker.spawned', pid: 102 }, waiting),
      write(10, 'worker-1', { type: 'worker.exited', pid: 101, code: 1, signal: null }, 'backoff'),
      write(11, 'worker-2', { type: 'worker.assign', slot: 1 }, waiting),
      write(12, 'worker-2', { type: 'worker.admit' }, serving),
      write(13, 'worker-1', { type: 'worker.assign', slot: 0 }, 'backoff'),
    ]);
    const [generation] = generationsOf(picture);
    expect(
      workersOf(generation as never).map(({ actor, slot, spans }) => [
        `${actor} is ${slot}`,
        ...spans.map(({ kind, slot: then }) => `${kind} as ${then}`),
      ]),
    ).toEqual([
      ['worker-2 is 1', 'ready as 0', 'serving as 1'],
      ['worker-1 is 0', 'serving as 1', 'backoff as 1'],
    ]);
  });

  it('is that of any moment: states, alarms and the next respawn', () => {
    const entries = eventful();
    const crashed = principalOf(view(entries, 8));
    expect(crashed?.machines.get('worker-1')).toMatchObject({
      state: 'backoff',
      edge: { event: 'worker.exited', from: 'alive.living.ready.serving', to: 'backoff' },
    });
    expect(crashed?.workers.get('worker-1')).toMatchObject({ pid: null, respawnAtMs: at(700) });
    expect([...(crashed?.alarms.values() ?? [])]).toEqual([
      { actor: 'worker-1', id: 'backoffAlarm', alarm: 'backoff', setAtMs: at(500), dueAtMs: at(700) },
    ]);
    const booting = principalOf(view(entries, 5));
    expect([...(booting?.alarms.values() ?? [])].map(({ alarm: name }) => name)).toEqual(['start']);
    expect(principalOf(view(entries, 9))?.alarms.size).toBe(0);
    expect(principalOf(view(entries, 9))?.workers.get('worker-1')?.respawnAtMs).toBeNull();
  });

  it('shows of a successor that cannot be asked what its predecessor tells', () => {
    const entries = eventful();
    const told = generationsOf(view(entries, behind('successor.workers', entries))).at(-1);
    expect(told?.generation).toBe(3);
    expect([...(told?.workers.values() ?? [])]).toMatchObject([
      { isHearsay: true, pid: 301, spans: [{ kind: 'boot', fromMs: at(1_700), toMs: null }] },
    ]);
    const early = generationsOf(view(entries, 13))[1];
    expect([...(early?.workers.keys() ?? [])]).toEqual(['pid-201']);
    const own = generationsOf(view(entries, 14))[1];
    expect([...(own?.workers.keys() ?? [])]).toEqual([]);
  });

  it('begins in the middle with a snapshot: bars begin where they did', () => {
    const write = writer(4, 400);
    const snapshot = (context: object, children = {}) => ({ status: 'active', value: '', context, children });
    const picture = view([
      write(0, 'supervisor', { type: 'journal.snapshot' }, 'running', {
        machine: 'supervisor',
        snapshot: snapshot({
          startedAtMs: at(-9_000),
          inCharge: true,
          promoted: false,
          lastReload: { outcome: 'promoted', generation: 4, at: new Date(at(-8_000)).toISOString() },
          slots: [
            { slot: 1, place: 1, respawns: 3, startedAtMs: at(-5_000), memoryBytes: 42, lastExit: null },
          ],
        }),
      }),
      write(0, 'worker-1', { type: 'journal.snapshot' }, 'alive.living.ready.serving', {
        machine: 'worker',
        snapshot: snapshot(
          {
            process: { pid: 401, startTime: '5' },
            spawnedAtMs: at(-5_000),
            readyAtMs: at(-4_000),
            says: 'well',
          },
          { silenceAlarm: 'alarm', channel: 'channel' },
        ),
      }),
    ]);
    const principal = principalOf(picture);
    expect(principal?.charge).toEqual([{ fromMs: at(-8_000), toMs: null }]);
    expect(principal?.workers.get('worker-1')).toMatchObject({
      pid: 401,
      startTime: '5',
      respawns: 3,
      says: 'well',
      spans: [
        { kind: 'boot', fromMs: at(-5_000), toMs: at(-4_000) },
        { kind: 'serving', fromMs: at(-4_000), toMs: null },
      ],
    });
    expect([...(principal?.alarms.values() ?? [])]).toMatchObject([{ alarm: 'silence', dueAtMs: null }]);
  });

  it('learns from a snapshot what has come and gone while nothing was told', () => {
    const write = writer(1, 100);
    const whole = (context: object, children: Record<string, string>) => ({
      machine: 'machine' in context ? 'worker' : 'supervisor',
      snapshot: { status: 'active', value: '', context, children },
    });
    const SERVES = 'alive.living.ready.serving';
    const picture = view([
      write(0, 'supervisor', { type: 'pid.written', pid: 100 }, 'running', { machine: 'supervisor' }),
      write(1, 'worker-1', { type: 'worker.spawned', pid: 11, startTime: '1' }, SERVES),
      write(2, 'worker-2', { type: 'worker.spawned', pid: 12, startTime: '2' }, SERVES, {
        effects: [{ spawn: 'silenceAlarm', src: 'alarm', input: { alarm: 'silence', delayMs: 9 } }],
      }),
      write(3, 'worker-3', { type: 'worker.spawned', pid: 13, startTime: '3' }, SERVES, {
        effects: [{ spawn: 'silenceAlarm', src: 'alarm', input: { alarm: 'silence', delayMs: 9 } }],
      }),
      // The third one was told to go, the second one crashed, and came back.
      write(50, 'supervisor', { type: 'journal.snapshot' }, 'handoff.leaving', {
        ...whole(
          { inCharge: true, promoted: true, slots: [] },
          { 'worker-1': 'worker', 'worker-2': 'worker' },
        ),
      }),
      write(50, 'worker-1', { type: 'journal.snapshot' }, SERVES, {
        ...whole({ machine: 1, slot: 1, process: { pid: 11, startTime: '1' }, spawnedAtMs: at(1) }, {}),
      }),
      write(50, 'worker-2', { type: 'journal.snapshot' }, SERVES, {
        ...whole({ machine: 1, slot: 2, process: { pid: 22, startTime: '9' }, spawnedAtMs: at(30) }, {}),
      }),
    ]);
    const [generation] = generationsOf(picture);
    const spansOf = (actor: string) =>
      generation?.workers.get(actor)?.spans.map(({ pid, fromMs, toMs }) => [pid, fromMs, toMs]);
    expect(generation?.charge).toEqual([{ fromMs: at(0), toMs: at(50) }]);
    expect(spansOf('worker-1')).toEqual([[11, at(1), null]]);
    expect(spansOf('worker-2')).toEqual([
      [12, at(2), at(50)],
      [22, at(50), null],
    ]);
    expect(generation?.workers.get('worker-2')).toMatchObject({ pid: 22, spawnedAtMs: at(30) });
    expect(spansOf('worker-3')).toEqual([[13, at(3), at(50)]]);
    expect(generation?.workers.get('worker-3')).toMatchObject({ pid: null, state: 'gone' });
    expect(generation?.machines.get('worker-3')?.status).toBe('stopped');
    expect(generation?.alarms.size).toBe(0);
  });
});

describe('the timeline', () => {
  it('is the same in whatever order two generations are heard', () => {
    const entries = eventful();
    const timeline = new Timeline();
    timeline.add(entries.filter(({ pid }) => pid === 200));
    timeline.add(entries.filter(({ pid }) => pid === 100));
    timeline.add(entries);
    expect(timeline.entries).toEqual(entries);
    expect(timeline.live).toEqual(view(entries));
    expect(timeline.at(8)).toEqual(view(entries, 8));
  });

  it('forgets what is old, and still knows how quiet machines are', () => {
    const timeline = new Timeline();
    const write = writer(1, 100);
    timeline.add([
      write(0, 'supervisor', { type: 'xstate.init' }, 'running', { machine: 'supervisor' }),
      write(1, 'worker-1', { type: 'worker.spawned', pid: 7, startTime: '1' }, 'alive.living.ready.serving'),
    ]);
    for (let index = 0; index <= MOST_ENTRIES; index += 1)
      timeline.add([write(2 + index, 'supervisor', { type: 'worker.described' }, 'running')]);
    expect(timeline.entries.length).toBeLessThanOrEqual(MOST_ENTRIES);
    expect(timeline.forgotten).toBeGreaterThan(MOST_ENTRIES / 5);
    expect(principalOf(timeline.live)?.workers.get('worker-1')).toMatchObject({ pid: 7, startTime: '1' });
    expect(principalOf(timeline.live)?.machines.get('supervisor')?.state).toBe('running');
  });

  it('keeps no more of what is old than there are machines', () => {
    const write = writer(1, 100);
    const many = Array.from({ length: 900 }, (_, index) =>
      write(index, `worker-${index % 3}`, { type: 'worker.spawned', pid: index }, 'alive'),
    );
    expect(keepersOf(many).map(({ event }) => event.pid)).toEqual([897, 898, 899]);
  });
});

describe('states and arrows', () => {
  it('takes apart nested and parallel states', () => {
    expect(activePaths('alive.living.ready')).toEqual(['alive', 'alive.living', 'alive.living.ready']);
    expect(activePaths('a.(b & c.(d & e.f))')).toEqual(['a', 'a.b', 'a.c', 'a.c.d', 'a.c.e', 'a.c.e.f']);
    expect(lifeOf('alive.living.ready.serving')).toBe('serving');
    expect(lifeOf('alive.living.ready.settling')).toBe('ready');
    expect(lifeOf('stopped')).toBeNull();
  });

  it('finds the innermost arrow that was taken, joined ones and those at once behind it', () => {
    const drawn = [
      'alive worker.exited [isWanted] alive',
      'alive worker.exited [isCurrentProcess] backoff; alive spawn.failed [isRetained] backoff',
      'backoff alarm: backoff alive; backoff worker.start alive',
      ' stop.requested stopping',
      'running worker.exited checking',
      'checking at once respawning',
    ];
    const taken = (from: string, event: string, to: string) =>
      arrowsTaken(drawn, { from, event, to, atMs: 0 });
    expect(taken('alive.living.ready.serving', 'worker.exited', 'backoff')).toEqual([drawn[1]]);
    expect(taken('backoff', 'alarm: backoff', 'alive.spawning')).toEqual([drawn[2]]);
    expect(taken('running', 'stop.requested', 'stopping')).toEqual([drawn[3]]);
    expect(taken('running', 'worker.exited', 'respawning')).toEqual([drawn[4], drawn[5]]);
    expect(taken('running', 'unheard.of', 'idle')).toEqual([]);
  });
});

describe('the rows of the log', () => {
  const rows = eventful().map(rowOf);
  const all = { text: '', actor: '', withIgnored: true };

  it('tell a change, its effects, and what was ignored', () => {
    const crash = rows.find(({ event }) => event === 'worker.exited');
    expect(crash).toMatchObject({
      change: 'alive.living.ready.serving → backoff',
      effects: 'sets backoffAlarm',
      payload: 'pid 101, code null, signal SIGKILL',
      isIgnored: false,
    });
    expect(rows.find(({ event }) => event === 'successor.workers')?.isIgnored).toBe(true);
    expect(rows.find(({ event }) => event === 'alarm: backoff')).toBeDefined();
  });

  it('are found by words in any column, and by machine', () => {
    const found = (filter: object) => rows.filter((row) => matches(row, { ...all, ...filter })).length;
    expect(found({})).toBe(rows.length);
    expect(found({ text: 'sigkill 101' })).toBe(1);
    expect(found({ text: 'sigkill 102' })).toBe(0);
    expect(found({ actor: 'reload' })).toBe(4);
    expect(found({ actor: 'reload', withIgnored: false })).toBe(2);
  });
});

it('times and sizes are in words', () => {
  expect([300, 12_000, 185_000, 7_800_000, 360_000_000].map(span)).toEqual([
    '0.3 s',
    '12 s',
    '3 min 05 s',
    '2 h 10 min',
    '4 d 4 h',
  ]);
  expect([0, 900, 87_136_666].map(size)).toEqual(['0 B', '900 B', '83.1 MiB']);
});
