/**
 * What the successor's part learns, and what it orders of the link.
 */
import { assign, sendTo } from 'xstate';
import { commitTimeoutMs, proofTimeoutMs } from '../policy.js';
import { withGuards } from './setup.js';

export const withRecords = withGuards.extend({
  actions: {
    recordReady: assign({ ready: true }),
    recordActivated: assign({ activated: true }),
    recordHealth: assign(({ event }) => (event.type === 'slots.checked' ? { healthy: event.healthy } : {})),
    recordDecided: assign({ decided: true }),
    recordDead: assign({ dead: true }),
    recordDeparted: assign({ dead: true, departed: true }),
    recordStop: assign({ stopping: true }),
    recordWorkers: assign(({ event }) =>
      event.type === 'predecessor.workers' ? { workers: event.workers } : {},
    ),
    recordFailure: assign(({ event }) =>
      event.type !== 'slot.failed' ? {} : { failure: { reason: event.reason, detail: event.detail } },
    ),
    recordUnproven: assign(({ context }) => ({
      failure: {
        reason: 'health-failed' as const,
        detail: `the last health check of a worker had not passed ${proofTimeoutMs(context.settings) / 1_000} s after the end of the probation`,
      },
    })),
    readInbox: sendTo('predecessor', { type: 'inbox.read' }),
    takeToken: sendTo('predecessor', { type: 'token.take' }),
    killPredecessor: sendTo('predecessor', { type: 'predecessor.kill' }),
    killLeftovers: sendTo('predecessor', ({ context }) => ({
      type: 'leftovers.kill',
      leftovers: context.workers,
    })),
    sayTakeover: sendTo('predecessor', { type: 'link.say', message: { say: 'takeover' } }),
    // How long the probation is, this generation's settings say: they may be newer than the predecessor's.
    sayActivated: sendTo('predecessor', ({ context }) => ({
      type: 'link.say',
      message: {
        say: 'activated',
        probationMs: context.settings.probationMs,
        limitMs: commitTimeoutMs(context.settings),
      },
    })),
    sayCommitted: sendTo('predecessor', { type: 'link.say', message: { say: 'committed' } }),
    sayStop: sendTo('predecessor', { type: 'link.say', message: { say: 'stop' } }),
    sayFailed: sendTo('predecessor', ({ context }) => ({
      type: 'link.say',
      message: {
        say: 'failed',
        reason: context.failure?.reason ?? 'exited',
        detail: context.failure?.detail ?? '',
      },
    })),
    sayWorkers: sendTo('predecessor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'workers', workers: event.type === 'workers.changed' ? event.workers : [] },
    })),
  },
});
