/**
 * A slot's vocabulary: its types, its effects and its guards.
 */
import { setup } from 'xstate';
import { alarm, channel, evidence, fork, health, kill, memory, probe } from '../contracts.js';
import type { AlarmName, WorkerEvent } from '../events.js';
import { isTooMuch } from '../memory.js';
import { DEFAULTS, isChecked } from '../policy.js';
import { atMsOf } from '../report.js';
import { isCurrentChannel, isCurrentProcess, type WorkerContext, type WorkerInput } from './context.js';

/** An alarm that fires after so many times its delay was not only late. */
const OVERSLEPT = 1.5;

export const withGuards = setup({
  types: {} as { context: WorkerContext; events: WorkerEvent; input: WorkerInput },
  actors: { alarm, fork, channel, evidence, health, kill, memory, probe },
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
    /** Its generation is not in charge yet, and asks whether its workers are well before it is. */
    isOnTrial: ({ context }) => !context.retained && isChecked(context.settings),
    isLastFailure: (args) =>
      isCurrentProcess(args) && args.context.failedChecks + 1 >= DEFAULTS.healthFailures,
    /** It hangs, and keeps workers of the other generation from serving until it is gone. */
    isInTheWay: (args) =>
      isCurrentProcess(args) &&
      args.context.failedChecks + 1 >= DEFAULTS.healthFailures &&
      args.context.settings.handoff === 'exclusive' &&
      args.event.type === 'health.failed' &&
      args.event.status === null,
    startsLater: ({ context }) => !context.admitted && (context.startDelayMs ?? 0) > 0,
    mayBeAnswered: (args) => isCurrentChannel(args) && args.context.admitted,
    hasAsked: ({ context }) => context.asked,
    mayServeAndAsked: ({ context }) => context.admitted && context.asked,
    leavesForGood: (args) => isCurrentProcess(args) && args.context.leaving,
    isWanted: (args) => isCurrentProcess(args) && args.context.wanted,
    isHeld: (args) => isCurrentProcess(args) && !args.context.retained,
    isRetained: ({ context }) => context.retained,
    /** A standby has its slot. */
    restsTooShort: ({ context, event }) =>
      event.type === 'worker.assign' && event.slot === 0 && context.delayMs < DEFAULTS.standbyRestMs,
    /** So late that this process itself has slept, and the worker perhaps with it: it gets its time again. */
    hasSlept: ({ context, event }) =>
      event.type === 'alarm.fired' &&
      event.alarm === 'watchdog' &&
      event.atMs - (context.pingedAtMs ?? 0) > OVERSLEPT * (context.settings.watchdogMs ?? 0),
    /** More than it may use, and not more than that before. */
    outgrows: (args) =>
      isCurrentProcess(args) &&
      args.event.type === 'memory.measured' &&
      isTooMuch(args.context.settings, args.event.memoryBytes) &&
      !isTooMuch(args.context.settings, args.context.memoryBytes),
    isSilent: (args) =>
      isCurrentChannel(args) &&
      atMsOf(args.event) - (args.context.pingedAtMs ?? 0) >= (args.context.settings.watchdogMs ?? 0),
  },
});
