/**
 * One slot: it is filled, gets ready, serves, leaves, and is filled again.
 */
import { assign, sendTo, setup } from 'xstate';
import { alarm, channel, fork, type Inheritance, kill, probe } from './contracts.js';
import type { AlarmName, Identity, WorkerEvent, WorkerReport } from './events.js';
import { DEFAULTS, respawnAfter, type Settings } from './policy.js';
import { atMsOf, reporter } from './report.js';
import type { ReloadReason } from './status.js';

export interface WorkerInput {
  readonly slot: number;
  readonly generation: number;
  readonly settings: Settings;
  readonly inheritance: Inheritance;
  /** It may be answered `ok` as soon as it asks. */
  readonly admitted: boolean;
  /** Its exit is answered by a respawn. */
  readonly retained: boolean;
  /**
   * How long a slot that is not admitted yet waits before it is filled: another generation serves, and needs the
   * processors. Milliseconds, default 0.
   */
  readonly startDelayMs?: number;
}

export interface WorkerContext extends WorkerInput {
  /** The live process; null between two. */
  readonly process: (Identity & { readonly channel: number }) | null;
  readonly spawnedAtMs: number;
  readonly readyAtMs: number | null;
  /** It has said `takeover`. */
  readonly asked: boolean;
  /** It has said any word of the protocol: whatever exits later is not a command that could not be run. */
  readonly heard: boolean;
  /** The slot is to stay empty after the exit. */
  readonly leaving: boolean;
  /** The slot is to be filled at once after the exit: it was asked for again while the worker left. */
  readonly wanted: boolean;
  /** Why the worker is being ended, for the log. */
  readonly cause: string;
  /** What the probe last found; null before its first answer. */
  readonly probed: string | null;
  /** What it last said of itself; empty for nothing. */
  readonly says: string;
  readonly delayMs: number;
  readonly youngDeaths: number;
}

type Args = { context: WorkerContext; event: WorkerEvent };

const idOf = ({ slot, generation }: WorkerContext) => ({ slot, generation });
const pidOf = (context: WorkerContext): number => context.process?.pid ?? 0;
const exitText = (event: { code: number | null; signal: string | null }): string =>
  event.signal === null ? `with status ${event.code}` : `by ${event.signal}`;

/** Why a worker that exits has failed, in the words of a reload's verdict. */
const exitReason = ({ context, event }: Args): { reason: ReloadReason; detail: string } => {
  if (event.type !== 'worker.exited') return { reason: 'worker-exited', detail: 'the worker exited' };
  const who = `worker ${context.slot} (pid ${event.pid})`;
  // A shell's words for "cannot be executed" and "not found": the wrapper that sets LISTEN_PID hides exec errors.
  if (!context.heard && context.readyAtMs === null && (event.code === 126 || event.code === 127)) {
    return { reason: 'spawn-failed', detail: `${who} could not be executed: status ${event.code}` };
  }
  return {
    reason: 'worker-exited',
    detail: `${who} exited ${exitText(event)} ${context.readyAtMs === null ? 'before it was ready' : 'after it was ready'}`,
  };
};

const LAST_WORDS_CHARS = 300;

/** Why a worker that did not get ready in time has failed. */
const lateReason = ({ context }: Args): { reason: ReloadReason; detail: string } => {
  const { ready, startTimeoutMs } = context.settings;
  const who = `worker ${context.slot} (pid ${pidOf(context)})`;
  if (ready.mode === 'http' && context.asked) {
    return {
      reason: 'not-ready',
      detail: `${who} was probed at ${ready.path} for ${startTimeoutMs} ms: ${context.probed ?? 'it never answered'}`,
    };
  }
  // A worker that tells people what it waits for has told why it is late.
  const says = context.says === '' ? '' : `; its last words: ${context.says.slice(0, LAST_WORDS_CHARS)}`;
  return {
    reason: 'start-timeout',
    detail: `${who} did not say takeover within ${startTimeoutMs} ms${says}`,
  };
};

const report = reporter<WorkerContext, WorkerEvent, WorkerReport>();

const isCurrentProcess = ({ context, event }: Args): boolean =>
  'pid' in event && context.process !== null && event.pid === context.process.pid;
const isCurrentChannel = ({ context, event }: Args): boolean =>
  'channel' in event && context.process !== null && event.channel === context.process.channel;

export const workerMachine = setup({
  types: {} as { context: WorkerContext; events: WorkerEvent; input: WorkerInput },
  actors: { alarm, fork, channel, kill, probe },
  guards: {
    isCurrentProcess,
    isCurrentChannel,
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    needsNoProbe: (args) => isCurrentChannel(args) && args.context.settings.ready.mode === 'takeover',
    needsProbe: (args) => isCurrentChannel(args) && args.context.settings.ready.mode === 'http',
    isAliveMode: ({ context }) => context.settings.ready.mode === 'alive',
    isLeaving: ({ context }) => context.leaving,
    isAdmitted: ({ context }) => context.admitted,
    startsLater: ({ context }) => !context.admitted && (context.startDelayMs ?? 0) > 0,
    mayBeAnswered: (args) => isCurrentChannel(args) && args.context.admitted,
    hasAsked: ({ context }) => context.asked,
    mayServeAndAsked: ({ context }) => context.admitted && context.asked,
    leavesForGood: (args) => isCurrentProcess(args) && args.context.leaving,
    isWanted: (args) => isCurrentProcess(args) && args.context.wanted,
    isHeld: (args) => isCurrentProcess(args) && !args.context.retained,
    isRetained: ({ context }) => context.retained,
  },
  actions: {
    recordSpawn: assign(({ event }) =>
      event.type !== 'worker.spawned'
        ? {}
        : {
            process: { pid: event.pid, startTime: event.startTime, channel: event.channel },
            spawnedAtMs: event.atMs,
            readyAtMs: null,
            asked: false,
            heard: false,
            probed: null,
            says: '',
            cause: '',
            wanted: false,
          },
    ),
    recordReady: assign(({ event }) => ({ readyAtMs: atMsOf(event) })),
    recordAsked: assign({ asked: true, heard: true }),
    recordHeard: assign({ heard: true }),
    recordSays: assign(({ event }) => (event.type === 'status.said' ? { says: event.text } : {})),
    recordProbe: assign(({ event }) => (event.type === 'probe.failed' ? { probed: event.detail } : {})),
    recordExit: assign(({ context, event }) => {
      if (event.type !== 'worker.exited') return {};
      const readyForMs = context.readyAtMs === null ? null : event.atMs - context.readyAtMs;
      return {
        process: null,
        ...respawnAfter(context.settings, { readyForMs, youngDeaths: context.youngDeaths }),
      };
    }),
    recordNoSpawn: assign(({ context }) => ({
      process: null,
      ...respawnAfter(context.settings, { readyForMs: null, youngDeaths: context.youngDeaths }),
    })),
    setCause: assign((_, params: { cause: string }) => ({ cause: params.cause })),
    leave: assign({ leaving: true, wanted: false }),
    stay: assign({ leaving: false }),
    want: assign({ leaving: false, wanted: true }),
    admit: assign({ admitted: true }),
    retain: assign({ retained: true }),
    sayOk: sendTo('channel', { type: 'channel.ok' }),
    sayPong: sendTo('channel', ({ event }) => ({
      type: 'channel.pong',
      count: event.type === 'ping.said' ? event.count : 1,
    })),
    reportSpawned: report(({ context, event }) =>
      event.type !== 'worker.spawned'
        ? null
        : {
            type: 'worker.spawned',
            ...idOf(context),
            pid: event.pid,
            startTime: event.startTime,
            atMs: event.atMs,
          },
    ),
    reportReady: report(({ context, event }) => ({
      type: 'worker.ready',
      ...idOf(context),
      pid: pidOf(context),
      bootMs: atMsOf(event) - context.spawnedAtMs,
      atMs: atMsOf(event),
    })),
    reportExited: report(({ event }) => (event.type === 'worker.exited' ? event : null)),
    reportUnspawned: report(({ event }) => (event.type === 'spawn.failed' ? event : null)),
    reportUnspawnedFailure: report(({ context, event }) =>
      event.type !== 'spawn.failed'
        ? null
        : {
            type: 'worker.failed',
            ...idOf(context),
            pid: null,
            reason: 'spawn-failed',
            detail: `worker ${context.slot} could not be started: ${event.message}`,
            atMs: event.atMs,
          },
    ),
    reportExitFailure: report((args) => ({
      type: 'worker.failed',
      ...idOf(args.context),
      pid: 'pid' in args.event ? args.event.pid : null,
      ...exitReason(args),
      atMs: atMsOf(args.event),
    })),
    reportLate: report((args) => ({
      type: 'worker.failed',
      ...idOf(args.context),
      pid: pidOf(args.context),
      ...lateReason(args),
      atMs: atMsOf(args.event),
    })),
    reportDraining: report(({ context }) => ({
      type: 'worker.draining',
      ...idOf(context),
      pid: pidOf(context),
      cause: context.cause,
      limitMs: context.settings.drainTimeoutMs,
    })),
    reportKilling: report(({ context }) => ({
      type: 'worker.killing',
      ...idOf(context),
      pid: pidOf(context),
      cause: context.cause,
    })),
    reportDelayed: report(({ context, event }) => ({
      type: 'worker.delayed',
      ...idOf(context),
      delayMs: context.delayMs,
      youngDeaths: context.youngDeaths,
      atMs: atMsOf(event),
    })),
    reportStopped: report(({ context }) => ({ type: 'worker.stopped', ...idOf(context) })),
    reportSilent: report(({ context }) => ({
      type: 'worker.silent',
      ...idOf(context),
      pid: pidOf(context),
      waitedMs: DEFAULTS.silenceNoticeMs,
      remainingMs: Math.max(0, context.settings.startTimeoutMs - DEFAULTS.silenceNoticeMs),
      says: context.says,
    })),
    reportDescribed: report(({ context, event }) =>
      event.type !== 'status.said'
        ? null
        : { type: 'worker.described', ...idOf(context), pid: pidOf(context), status: event.text },
    ),
  },
}).createMachine({
  id: 'worker',
  description: 'One slot of a supervisor: filled, ready, serving, leaving, filled again.',
  context: ({ input }) => ({
    ...input,
    process: null,
    spawnedAtMs: 0,
    readyAtMs: null,
    asked: false,
    heard: false,
    leaving: false,
    wanted: false,
    cause: '',
    probed: null,
    says: '',
    delayMs: 0,
    youngDeaths: 0,
  }),
  initial: 'stopped',
  on: {
    'worker.admit': { actions: 'admit' },
    'worker.retain': { actions: 'retain' },
  },
  states: {
    stopped: {
      description: 'No process, and none is wanted.',
      on: {
        'worker.start': [
          { guard: 'startsLater', target: 'queued', actions: 'stay' },
          { target: 'alive', actions: 'stay' },
        ],
      },
    },
    queued: {
      description: "It waits for its turn: a successor's workers do not all boot in the same instant.",
      invoke: {
        id: 'turnAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'turn', delayMs: context.startDelayMs ?? 0 }),
      },
      on: {
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'turn' } }, target: 'alive' },
        'worker.start': { target: 'alive' },
        'worker.admit': { target: 'alive', actions: 'admit' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
    alive: {
      description: 'A process is being started, lives, or is being ended.',
      initial: 'spawning',
      invoke: {
        id: 'process',
        src: 'fork',
        input: ({ context }) => ({
          ...idOf(context),
          inheritance: context.inheritance,
          probe: context.settings.ready.mode === 'http',
          tethered: context.settings.ready.mode === 'alive',
        }),
      },
      on: {
        'worker.exited': [
          {
            guard: 'leavesForGood',
            target: 'stopped',
            actions: ['reportExited', 'recordExit', 'reportStopped'],
          },
          { guard: 'isWanted', target: 'alive', reenter: true, actions: ['reportExited', 'recordExit'] },
          { guard: 'isHeld', target: 'held', actions: ['reportExited', 'reportExitFailure', 'recordExit'] },
          { guard: 'isCurrentProcess', target: 'backoff', actions: ['reportExited', 'recordExit'] },
        ],
        'spawn.failed': [
          {
            guard: 'isLeaving',
            target: 'stopped',
            actions: ['reportUnspawned', 'recordNoSpawn', 'reportStopped'],
          },
          { guard: 'isRetained', target: 'backoff', actions: ['reportUnspawned', 'recordNoSpawn'] },
          { target: 'held', actions: ['reportUnspawned', 'reportUnspawnedFailure', 'recordNoSpawn'] },
        ],
      },
      states: {
        spawning: {
          description: 'The operating system was asked for a process.',
          on: {
            'worker.spawned': [
              {
                guard: 'isLeaving',
                target: 'living.draining',
                actions: [
                  'recordSpawn',
                  'reportSpawned',
                  { type: 'setCause', params: { cause: 'its generation ends' } },
                ],
              },
              { target: 'living', actions: ['recordSpawn', 'reportSpawned'] },
            ],
            'worker.drain': { actions: 'leave' },
            'worker.kill': { actions: 'leave' },
            'worker.start': { actions: 'stay' },
          },
        },
        living: {
          description: 'The process exists and its channel is read.',
          initial: 'booting',
          invoke: {
            id: 'channel',
            src: 'channel',
            input: ({ context }) => ({ channel: context.process?.channel ?? -1 }),
          },
          on: {
            'ping.said': { guard: 'isCurrentChannel', actions: ['recordHeard', 'sayPong'] },
            'status.said': {
              guard: 'isCurrentChannel',
              actions: ['recordHeard', 'recordSays', 'reportDescribed'],
            },
            'line.rejected': { guard: 'isCurrentChannel', actions: 'recordHeard' },
            'shutdown.said': {
              guard: 'isCurrentChannel',
              target: '.killing',
              actions: ['recordHeard', { type: 'setCause', params: { cause: 'it asked to be killed' } }],
            },
            'channel.overflowed': {
              guard: 'isCurrentChannel',
              target: '.draining',
              actions: [
                'recordHeard',
                { type: 'setCause', params: { cause: 'it broke a limit of its channel' } },
              ],
            },
            'worker.drain': {
              target: '.draining',
              actions: ['leave', { type: 'setCause', params: { cause: 'its generation ends' } }],
            },
            'worker.kill': {
              target: '.killing',
              actions: ['leave', { type: 'setCause', params: { cause: 'the supervisor stops at once' } }],
            },
          },
          states: {
            booting: {
              description: 'Not ready yet.',
              initial: 'listening',
              invoke: {
                id: 'startAlarm',
                src: 'alarm',
                input: ({ context }) => ({ alarm: 'start', delayMs: context.settings.startTimeoutMs }),
              },
              on: {
                'alarm.fired': {
                  guard: { type: 'isAlarm', params: { alarm: 'start' } },
                  target: 'killing',
                  actions: [
                    'reportLate',
                    { type: 'setCause', params: { cause: 'it did not get ready in time' } },
                  ],
                },
              },
              states: {
                listening: {
                  description: 'How readiness is known decides what is waited for.',
                  always: [{ guard: 'isAliveMode', target: 'proving' }, { target: 'starting' }],
                },
                starting: {
                  description: 'Waits for the word takeover.',
                  invoke: {
                    id: 'silenceAlarm',
                    src: 'alarm',
                    input: { alarm: 'silence', delayMs: DEFAULTS.silenceNoticeMs },
                  },
                  on: {
                    'takeover.said': [
                      {
                        guard: 'needsNoProbe',
                        target: '#worker.alive.living.ready',
                        actions: ['recordAsked', 'recordReady', 'reportReady'],
                      },
                      { guard: 'needsProbe', target: 'probing', actions: 'recordAsked' },
                    ],
                    'alarm.fired': {
                      guard: { type: 'isAlarm', params: { alarm: 'silence' } },
                      actions: 'reportSilent',
                    },
                  },
                },
                probing: {
                  description: 'It has said takeover; its private probe socket must answer well.',
                  invoke: {
                    id: 'probe',
                    src: 'probe',
                    input: ({ context }) => ({
                      ...idOf(context),
                      pid: pidOf(context),
                      path: context.settings.ready.mode === 'http' ? context.settings.ready.path : '/',
                    }),
                  },
                  on: {
                    'probe.passed': {
                      guard: 'isCurrentProcess',
                      target: '#worker.alive.living.ready',
                      actions: ['recordReady', 'reportReady'],
                    },
                    'probe.failed': { guard: 'isCurrentProcess', actions: 'recordProbe' },
                  },
                },
                proving: {
                  description: 'It does not know the protocol: living long enough is being ready.',
                  invoke: {
                    id: 'aliveAlarm',
                    src: 'alarm',
                    input: ({ context }) => ({
                      alarm: 'alive',
                      delayMs: context.settings.ready.mode === 'alive' ? context.settings.ready.forMs : 0,
                    }),
                  },
                  on: {
                    'alarm.fired': {
                      guard: { type: 'isAlarm', params: { alarm: 'alive' } },
                      target: '#worker.alive.living.ready',
                      actions: ['recordReady', 'reportReady'],
                    },
                    'takeover.said': [
                      { guard: 'mayBeAnswered', actions: ['recordAsked', 'sayOk'] },
                      { guard: 'isCurrentChannel', actions: 'recordAsked' },
                    ],
                  },
                },
              },
            },
            ready: {
              description: 'It can serve.',
              initial: 'settling',
              states: {
                settling: {
                  description: 'Whether it may serve was decided before or is decided later.',
                  always: [
                    { guard: 'mayServeAndAsked', target: 'serving', actions: 'sayOk' },
                    { guard: 'isAdmitted', target: 'serving' },
                    { target: 'waiting' },
                  ],
                },
                waiting: {
                  description: 'Ready, and not yet told that it may serve.',
                  on: {
                    'worker.admit': [
                      { guard: 'hasAsked', target: 'serving', actions: ['admit', 'sayOk'] },
                      { target: 'serving', actions: 'admit' },
                    ],
                    'takeover.said': { guard: 'isCurrentChannel', actions: 'recordAsked' },
                  },
                },
                serving: {
                  description: 'Ready, and told that it may serve.',
                  on: { 'takeover.said': { guard: 'isCurrentChannel', actions: ['recordAsked', 'sayOk'] } },
                },
              },
            },
            draining: {
              description: 'Asked to leave: it finishes what it has begun.',
              entry: 'reportDraining',
              invoke: [
                {
                  id: 'stopSignal',
                  src: 'kill',
                  input: ({ context }) => ({
                    pid: pidOf(context),
                    startTime: context.process?.startTime ?? null,
                    signal: context.settings.stopSignal,
                    group: false,
                  }),
                },
                {
                  id: 'drainAlarm',
                  src: 'alarm',
                  input: ({ context }) => ({ alarm: 'drain', delayMs: context.settings.drainTimeoutMs }),
                },
              ],
              on: {
                'alarm.fired': {
                  guard: { type: 'isAlarm', params: { alarm: 'drain' } },
                  target: 'killing',
                  actions: {
                    type: 'setCause',
                    params: { cause: 'it did not leave within the drain timeout' },
                  },
                },
                'worker.drain': { actions: 'leave' },
                'worker.start': { actions: 'want' },
                'channel.overflowed': { guard: 'isCurrentChannel' },
              },
            },
            killing: {
              description: 'Its process group was sent SIGKILL; the kernel has yet to say that it is gone.',
              entry: 'reportKilling',
              invoke: [
                {
                  id: 'killSignal',
                  src: 'kill',
                  input: ({ context }) => ({
                    pid: pidOf(context),
                    startTime: context.process?.startTime ?? null,
                    signal: 'SIGKILL',
                    group: true,
                  }),
                },
                {
                  id: 'killAlarm',
                  src: 'alarm',
                  input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
                },
              ],
              on: {
                'alarm.fired': {
                  guard: { type: 'isAlarm', params: { alarm: 'kill' } },
                  target: 'killing',
                  reenter: true,
                  actions: { type: 'setCause', params: { cause: 'SIGKILL has not ended it yet' } },
                },
                'worker.drain': { actions: 'leave' },
                'worker.kill': { actions: 'leave' },
                'worker.start': { actions: 'want' },
                'shutdown.said': { guard: 'isCurrentChannel' },
                'channel.overflowed': { guard: 'isCurrentChannel' },
              },
            },
          },
        },
      },
    },
    held: {
      description:
        'It exited in a generation that is not in charge: the slot stays empty until that is decided.',
      on: {
        'worker.retain': { target: 'backoff', actions: 'retain' },
        'worker.start': { target: 'alive', actions: 'stay' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
    backoff: {
      description: 'The slot is filled again when the alarm fires.',
      entry: 'reportDelayed',
      invoke: {
        id: 'backoffAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'backoff', delayMs: context.delayMs }),
      },
      on: {
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'backoff' } }, target: 'alive' },
        'worker.start': { target: 'alive', actions: 'stay' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
  },
});
