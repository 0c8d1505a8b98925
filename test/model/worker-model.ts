/**
 * One slot in its world: a process that lives or not, words it may say, and orders that may come at any time.
 */
import type { ForkInput, KillInput } from '../../machines/contracts.js';
import type { Readiness, Settings } from '../../machines/policy.js';
import type { WorkerInput, workerMachine } from '../../machines/worker.js';
import type { Covered } from '../../src/testing/coverage.js';
import { alarmsOf, begin, childrenOf, type PlainEvent, sentTo, typesOf } from '../../src/testing/drive.js';
import type { Edge, Model } from '../../src/testing/walk.js';
import { settingsWith } from './settings.js';

export type WorkerCovered = Covered<typeof workerMachine>;

interface World {
  /** The live process; null when there is none. */
  readonly live: number | null;
  /** The pid before: facts about it are late. */
  readonly last: number;
  readonly forking: boolean;
  /** Whose channel is being read before an alarm counts; null for nobody's. */
  readonly looks: number | null;
}

type Happening = PlainEvent;

const AT = { atMs: 1_000 };
const WHO = { slot: 1, place: 1, generation: 1 };
const channelOf = (pid: number): number => pid - 90;

/** Only ever one of the two lives; the other one is the process before. */
const otherPid = (pid: number): number => (pid === 101 ? 102 : 101);

const ORDERS: readonly Happening[] = [
  { type: 'worker.start' },
  { type: 'worker.admit' },
  { type: 'worker.retain' },
  { type: 'worker.drain' },
  { type: 'worker.kill' },
];

/** A standby is promoted, and whoever has no process, or one that may not serve yet, is made one. */
const assignments = (state: string): readonly Happening[] => [
  { type: 'worker.assign', slot: 1, admitted: false },
  { type: 'worker.assign', slot: 1, admitted: true },
  ...(/serving|draining|killing/.test(state) ? [] : [{ type: 'worker.assign', slot: 0, admitted: false }]),
];

const WORDS = ['takeover.said', 'ping.said', 'shutdown.said', 'status.said', 'line.rejected'];

const words = (channel: number): readonly Happening[] => [
  ...WORDS.map((type) => ({ type, channel, count: 1, text: 'busy', excerpt: '?', dropped: 0, ...AT })),
  { type: 'channel.overflowed', channel, detail: 'too long', ...AT },
];

const probed = (pid: number): readonly Happening[] => [
  { type: 'probe.passed', pid, ...AT },
  { type: 'probe.failed', pid, detail: 'it answered 500', ...AT },
];

/** Little and too much, and that nobody tells. */
const measured = (pid: number): readonly Happening[] => [
  { type: 'memory.measured', pid, memoryBytes: 500, ...AT },
  { type: 'memory.measured', pid, memoryBytes: 2_000, ...AT },
  { type: 'memory.unreadable', pid, detail: 'no /proc', ...AT },
];

const explained = (pid: number): readonly Happening[] => [
  { type: 'evidence.begun', pid, folder: '/run/web-evidence/1', ...AT },
  { type: 'evidence.collected', pid, ...AT },
  { type: 'evidence.failed', pid, message: 'no space left', ...AT },
];

const checked = (pid: number): readonly Happening[] => [
  { type: 'health.passed', pid, tookMs: 5, ...AT },
  { type: 'health.failed', pid, status: 500, detail: 'it answered 500', tookMs: 5, ...AT },
  { type: 'health.failed', pid, status: null, detail: 'no answer within 1000 ms', tookMs: 1_000, ...AT },
];

const exits = (pid: number): readonly Happening[] => [
  { type: 'worker.exited', ...WHO, pid, code: 1, signal: null, ...AT },
];

/** Facts about the process before this one: none may change anything. */
const late = (pid: number): readonly Happening[] => [
  ...words(channelOf(pid)),
  ...probed(pid),
  ...measured(pid),
  ...explained(pid),
  ...checked(pid),
  ...exits(pid),
];

/** States that wait without an alarm, and why that is right. */
export const UNALARMED: Readonly<Record<string, string>> = {
  stopped: 'nothing is waited for',
  held: 'nothing is waited for until the generation is decided',
  'alive.spawning': 'the operating system answers a spawn at once, with a process or an error',
  'alive.living.ready.waiting': 'a worker that is ready is waited for by nobody',
  'alive.living.ready.serving.trusted': 'a worker that serves is waited for by nobody',
  'alive.living.ready.serving.trial.asking': 'our own process answers within the limit of a check',
};

type WorkerEdge = Edge<typeof workerMachine, World, Happening>;

const isLate = ({ before, happening }: WorkerEdge): boolean =>
  before !== null &&
  happening !== null &&
  late(otherPid(before.world.live ?? otherPid(before.world.last))).some(
    (fact) => JSON.stringify(fact) === JSON.stringify(happening),
  );

const problemsOf = (key: Model<typeof workerMachine, World, Happening>['key']) => (edge: WorkerEdge) => {
  const { before, happening, after } = edge;
  const { step, world } = after;
  const { context, state } = step;
  const problems: string[] = [];
  const must = (truth: boolean, words: string) => {
    if (!truth) problems.push(words);
  };
  must(alarmsOf(step).length > 0 || state in UNALARMED, 'it waits for another process without an alarm');
  must(
    ['stopped', 'queued', 'held', 'backoff'].includes(state) ? world.live === null : true,
    'a process lives in an empty slot',
  );
  const watched = alarmsOf(step).some(({ alarm }) => alarm === 'watchdog');
  const mayServe = state.startsWith('alive.living.') && !/draining|examining|killing/.test(state);
  must(watched === (mayServe && context.pingedAtMs !== null), 'it is watched when it should not be, or not');
  must((context.process?.pid ?? null) === world.live, 'it does not know which process lives');
  const isMeasured = childrenOf(step).some(({ src }) => src === 'memory');
  must(
    isMeasured === (state.includes('.serving.') && context.settings.maxMemoryBytes !== null),
    'it is measured when it does not serve, or without a limit, or not at all',
  );
  const isExamined = childrenOf(step).some(({ src }) => src === 'evidence');
  must(
    isExamined === state.endsWith('.examining'),
    'evidence is collected of what is not to be killed, or not',
  );
  must(
    !isExamined || alarmsOf(step).some(({ alarm }) => alarm === 'evidence'),
    'a kill waits for evidence without a limit',
  );
  for (const { src, input } of step.spawned) {
    if (src === 'fork')
      must(before?.world.live == null || happening?.type === 'worker.exited', 'two processes in one slot');
    if (src === 'fork') must((input as ForkInput).slot === context.slot, 'a fork for another slot');
    if (src === 'kill') must((input as KillInput).pid === world.live, 'a kill order without a live target');
  }
  if (sentTo(step, 'channel').some(({ type }) => type === 'channel.ok')) {
    must(context.admitted, 'ok before it was admitted');
    must(context.asked, 'ok to a worker that has not asked');
  }
  const forks = step.spawned.some(({ src }) => src === 'fork');
  const backsOff = state === 'backoff' && before?.step.state !== 'backoff';
  if (forks || backsOff) {
    const asked = happening?.type === 'worker.start' || before?.step.context.wanted === true;
    const first = before?.step.state === 'queued';
    must(asked || first || context.retained, 'a respawn in a generation that is not in charge');
    must(asked || before?.step.context.leaving !== true, 'a respawn of a worker that was to leave for good');
  }
  const reported = typesOf(step.reports);
  const wasLarge = (before?.step.context.memoryBytes ?? 0) > 1_000;
  must(
    reported.includes('memory.exceeded') ===
      (happening?.memoryBytes === 2_000 && happening.pid === world.live && isMeasured && !wasLarge),
    'it is not told once that it uses too much',
  );
  must(
    happening?.type !== 'worker.assign' || happening.slot !== 0 || !context.admitted,
    'a standby may serve',
  );
  must(
    reported.includes('worker.promoted') === (happening?.type === 'worker.assign' && happening.slot === 1),
    'a promotion is not reported, or one that was none',
  );
  const real = happening?.type === 'worker.exited' && happening.pid === before?.world.live;
  must(reported.includes('worker.exited') === real, 'an exit is not reported, or one that was none');
  must(
    reported.includes('worker.stopped') ===
      (state === 'stopped' && before !== null && before.step.state !== 'stopped'),
    'an empty slot is not reported as such',
  );
  must(
    reported.filter((type) => type === 'worker.ready').length <= 1 &&
      reported.includes('worker.ready') ===
        (state.startsWith('alive.living.ready') &&
          before?.step.state.startsWith('alive.living.ready') === false),
    'readiness is not reported once',
  );
  const asks = step.spawned.some(({ src }) => src === 'health');
  if (asks) must(context.admitted && !context.retained, 'it is asked whether it is well, and is on no trial');
  if (context.retained)
    must(!childrenOf(step).some(({ src }) => src === 'health'), 'it is asked on after its probation');
  const fails = step.reports.filter(({ reason }) => reason === 'health-failed');
  // One that is killed for it is first looked at, and then told.
  const isTold = state.endsWith('.killing') && before?.step.state.endsWith('.examining') === true;
  const isSpared = happening?.type === 'health.failed' && !state.endsWith('.examining') && !isLate(edge);
  must(
    fails.length === 0 || (fails.length === 1 && context.failedChecks === 3 && (isSpared || isTold)),
    'fewer than three failed checks in a row are a failure, or it is told twice',
  );
  must(
    !(isSpared && context.failedChecks === 3) || fails.length === 1,
    'three failed checks in a row are not a failure',
  );
  if (isLate(edge) && before !== null) {
    must(key(before.step, before.world) === key(step, world), 'a late fact changes something');
    must(step.reports.length + step.orders.length + step.spawned.length === 0, 'a late fact has an effect');
  }
  return problems;
};

/**
 * A slot with the given readiness; `inCharge` is whether it may answer and respawn from the beginning,
 * `startDelayMs` how long it waits for its turn, `watchdogMs` how long it may be silent, `maxMemoryBytes` its limit,
 * `standby` whether it begins without a slot.
 */
export const workerModel = (
  covered: WorkerCovered,
  ready: Readiness,
  inCharge: boolean,
  {
    startDelayMs = 0,
    watchdogMs = null,
    standby = false,
    ...changes
  }: { startDelayMs?: number; standby?: boolean } & Partial<
    Pick<Settings, 'watchdogMs' | 'maxMemoryBytes' | 'health' | 'probationMs' | 'handoff' | 'respawnDelayMs'>
  > = {},
): Model<typeof workerMachine, World, Happening> => {
  const input: WorkerInput = {
    ...WHO,
    settings: settingsWith({ ready, watchdogMs, ...changes }),
    inheritance: { listeners: [], lifeWrite: 8, fence: null },
    slot: standby ? 0 : WHO.slot,
    admitted: inCharge,
    retained: inCharge || standby,
    startDelayMs,
  };
  const key: Model<typeof workerMachine, World, Happening>['key'] = ({ state, context }, world) =>
    JSON.stringify([
      state,
      world.live !== null,
      world.forking,
      world.looks === null ? null : world.looks === world.live,
      [context.admitted, context.retained, context.asked, context.heard, context.leaving, context.wanted],
      context.probed,
      context.pingedAtMs !== null,
      [context.memoryBytes, context.slot],
      [context.failedChecks, context.hasAnswered],
      context.cause,
      context.lateness !== null,
      // Whether a standby that has the slot has to wait for more.
      standby && state === 'backoff' && context.delayMs > 0,
    ]);
  return {
    covered,
    start: begin(covered.machine, input),
    world: { live: null, last: 102, forking: false, looks: null },
    key,
    happenings: (step, world) => {
      const has = (src: string) => childrenOf(step).some((child) => child.src === src);
      const { live } = world;
      const next = otherPid(world.last);
      return [
        ...ORDERS,
        ...(standby ? assignments(step.state) : []),
        ...alarmsOf(step).map(({ alarm }) => ({ type: 'alarm.fired', alarm, ...AT })),
        // This process has slept.
        ...(watchdogMs !== null && alarmsOf(step).some(({ alarm }) => alarm === 'watchdog')
          ? [{ type: 'alarm.fired', alarm: 'watchdog', atMs: AT.atMs + 2 * watchdogMs }]
          : []),
        // At once, and long after the last word.
        ...(world.looks === null
          ? []
          : [0, watchdogMs ?? 0].map((laterMs) => ({
              type: 'channel.read',
              channel: channelOf(world.looks ?? 0),
              atMs: AT.atMs + laterMs,
            }))),
        ...(world.forking
          ? [
              { type: 'worker.spawned', ...WHO, pid: next, startTime: '1', channel: channelOf(next), ...AT },
              { type: 'spawn.failed', ...WHO, code: 'EAGAIN', message: 'no more processes', ...AT },
            ]
          : []),
        ...(live === null ? [] : exits(live)),
        ...(live === null || !has('channel') ? [] : words(channelOf(live))),
        ...(live === null || !has('probe') ? [] : probed(live)),
        ...(live === null || !has('memory') ? [] : measured(live)),
        ...(live === null || !has('evidence') ? [] : explained(live)),
        ...(live === null || !has('health') ? [] : checked(live)),
        ...late(otherPid(live ?? next)),
      ];
    },
    happen: (world, happening) => {
      const facts = [happening];
      if (happening.type === 'worker.spawned') {
        const pid = Number(happening.pid);
        return { world: { ...world, live: pid, last: pid, forking: false }, facts };
      }
      if (happening.type === 'spawn.failed') return { world: { ...world, forking: false }, facts };
      if (happening.type === 'channel.read') return { world: { ...world, looks: null }, facts };
      if (happening.type === 'worker.exited' && happening.pid === world.live)
        return { world: { ...world, live: null }, facts };
      return { world, facts };
    },
    react: (world, step) => ({
      world: {
        ...world,
        forking: world.forking || step.spawned.some(({ src }) => src === 'fork'),
        looks: sentTo(step, 'channel').some(({ type }) => type === 'channel.look') ? world.live : world.looks,
      },
      facts: [],
    }),
    isEnd: (state) => state === 'stopped',
    problems: problemsOf(key),
  };
};
