/**
 * The supervisor's vocabulary: its types, its children and its guards.
 */
import { setup } from 'xstate';
import {
  alarm,
  anchor,
  control,
  fence,
  flock,
  identity,
  kill,
  leftovers,
  lifePipe,
  listeners,
  reaper,
  service,
  signals,
  starter,
} from '../contracts.js';
import type { AlarmName, SupervisorEvent } from '../events.js';
import { exceedsLimit } from '../policy.js';
import { reloadMachine } from '../reload.js';
import { allReady } from '../slots.js';
import { takeoverMachine } from '../takeover.js';
import { workerMachine } from '../worker.js';
import type { SupervisorContext, SupervisorInput, SupervisorOutput } from './context.js';
import { isEmpty } from './relief.js';

export const withGuards = setup({
  types: {} as {
    context: SupervisorContext;
    events: SupervisorEvent;
    input: SupervisorInput;
    output: SupervisorOutput;
  },
  actors: {
    alarm,
    anchor,
    control,
    fence,
    flock,
    identity,
    kill,
    leftovers,
    lifePipe,
    listeners,
    reaper,
    service,
    signals,
    starter,
    worker: workerMachine,
    reloadMachine,
    takeoverMachine,
  },
  guards: {
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isSuccessor: ({ context }) => context.handover !== null,
    changesIdentity: ({ context }) => context.settings.account !== null,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    wasSuccessorKilled: ({ event }) => event.type === 'successor.gone' && event.killed,
    allReady: ({ context }) => allReady(context.slots),
    someReady: ({ context }) => context.everReady,
    notAllReady: ({ context }) => !allReady(context.slots),
    allStopped: ({ context }) => isEmpty(context),
    mayRelease: ({ context }) => isEmpty(context) && context.link === 'none',
    mayExit: ({ context }) => isEmpty(context) && (context.stops === 0 || context.link === 'none'),
    isStopping: ({ context }) => context.stops > 0 || context.failure !== null,
    isAwaited: ({ context }) => context.awaited,
    hasFailure: ({ context }) => context.failure !== null,
    hangupStops: ({ context }) => context.hangupStops,
    isSignalled: ({ event }) => event.type === 'reload.requested' && event.id === null,
    isReloadDeferred: ({ context }) => context.deferredReload !== null,
    isReloadable: ({ context }) => context.settings.hotReload,
    isLinked: ({ context }) => context.link !== 'none',
    isOverLimit: ({ context }) => exceedsLimit(context.settings.respawnLimit, context.respawnsAtMs),
    holdsLock: ({ context }) => context.lock !== null && context.inCharge,
    hasPidFile: ({ context }) => context.settings.pidFile !== null,
    hasNoControl: ({ context }) => !context.opened.includes('control'),
    hasNoLock: ({ context }) => !context.opened.includes('lock'),
    hasFailedWithoutLock: ({ context }) => !context.opened.includes('lock') && context.failure !== null,
  },
});
