/**
 * What the predecessor's part learns, and what it orders of the link.
 */
import { assign, sendTo } from 'xstate';
import { commitTimeoutMs } from '../policy.js';
import { exitFacts, seconds } from './context.js';
import { withGuards } from './setup.js';

export const withRecords = withGuards.extend({
  actions: {
    recordSuccessor: assign(({ event }) =>
      event.type !== 'successor.spawned' ? {} : { successor: { pid: event.pid, startTime: event.startTime } },
    ),
    recordWorkers: assign(({ event }) =>
      event.type === 'successor.workers' ? { workers: event.workers } : {},
    ),
    recordDeparted: assign({ departed: true }),
    recordActivated: assign(({ event }) =>
      event.type === 'successor.activated' ? { activated: true, limitMs: event.limitMs } : {},
    ),
    recordServed: assign({ served: true }),
    recordCharge: assign({ served: true, activated: true }),
    recordCommitted: assign({ committed: true, served: true, activated: true, failure: null }),
    recordUnspawned: assign(({ event }) =>
      event.type !== 'successor.unspawned'
        ? {}
        : { failure: { reason: 'spawn-failed' as const, detail: event.message }, departed: true },
    ),
    recordFailure: assign(({ event }) =>
      event.type !== 'successor.failed' ? {} : { failure: { reason: event.reason, detail: event.detail } },
    ),
    recordLastWords: assign(({ context, event }) =>
      event.type !== 'successor.failed' || context.failure?.reason !== 'exited'
        ? {}
        : { failure: { reason: event.reason, detail: event.detail } },
    ),
    recordExit: assign(exitFacts),
    recordStop: assign(({ context }) => ({
      stopping: true,
      failure: context.failure ?? {
        reason: 'stopped' as const,
        detail: 'a stop was asked for before the reload was decided',
      },
    })),
    recordLateStop: assign({ stopping: true }),
    recordReloadTimeout: assign(({ context }) => ({
      failure: {
        reason: 'reload-timeout' as const,
        detail: `generation ${context.record.generation} did not ask for takeover within ${seconds(context.settings.reloadTimeoutMs)}`,
      },
    })),
    recordDrainTimeout: assign(({ context }) => ({
      failure: {
        reason: 'takeover-timeout' as const,
        detail: `the workers of this generation did not leave within ${seconds(context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs)}`,
      },
    })),
    recordCommitTimeout: assign(({ context }) => ({
      failure: {
        reason: 'takeover-timeout' as const,
        detail: `generation ${context.record.generation} did not take charge within ${
          context.limitMs === null
            ? `${seconds(commitTimeoutMs(context.settings))} of the grant`
            : `${seconds(context.limitMs)} from the moment its workers served`
        }`,
      },
    })),
    readInbox: sendTo('successor', { type: 'inbox.read' }),
    takeToken: sendTo('successor', { type: 'token.take' }),
    killSuccessor: sendTo('successor', { type: 'successor.kill' }),
    killLeftovers: sendTo('successor', ({ context }) => ({
      type: 'leftovers.kill',
      leftovers: context.workers,
    })),
    sayGranted: sendTo('successor', { type: 'link.say', message: { say: 'granted' } }),
    sayDraining: sendTo('successor', { type: 'link.say', message: { say: 'draining' } }),
    sayDrained: sendTo('successor', { type: 'link.say', message: { say: 'drained' } }),
    sayStop: sendTo('successor', { type: 'link.say', message: { say: 'stop' } }),
    sayAnchored: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: {
        say: 'anchored',
        pid: event.type === 'reload.anchor' ? event.pid : 0,
        startTime: event.type === 'reload.anchor' ? event.startTime : null,
      },
    })),
    sayJoined: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'joined', id: event.type === 'reload.join' ? event.id : '' },
    })),
    sayWorkers: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'workers', workers: event.type === 'workers.changed' ? event.workers : [] },
    })),
  },
});
