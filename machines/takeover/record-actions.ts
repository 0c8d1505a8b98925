/**
 * What the successor's part learns, and what it orders of the link.
 */
import { assign, sendTo } from 'xstate';
import { withGuards } from './setup.js';

export const withRecords = withGuards.extend({
  actions: {
    recordReady: assign({ ready: true }),
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
    readInbox: sendTo('predecessor', { type: 'inbox.read' }),
    takeToken: sendTo('predecessor', { type: 'token.take' }),
    killPredecessor: sendTo('predecessor', { type: 'predecessor.kill' }),
    killLeftovers: sendTo('predecessor', ({ context }) => ({
      type: 'leftovers.kill',
      leftovers: context.workers,
    })),
    sayTakeover: sendTo('predecessor', { type: 'link.say', message: { say: 'takeover' } }),
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
