/**
 * The token lies there: the predecessor may still abort.
 */
import { takeoverSetup } from './report-actions.js';

export const undecided = takeoverSetup.createStateConfig({
  description: 'The token lies there: the predecessor may still abort.',
  initial: 'warming',
  on: {
    'slot.failed': { target: 'doomed.failing', actions: 'recordFailure' },
    'predecessor.ended': { target: 'alone', actions: 'recordDead' },
    'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
    'takeover.stop': { target: 'doomed.deferring', actions: 'recordStop' },
  },
  states: {
    warming: {
      description:
        'The workers start; none is answered yet. Bounded by their start timeout and the reload alarm.',
      always: { guard: 'startsAfterGrant', target: 'asking' },
      on: { 'slots.ready': { target: 'asking', actions: 'recordReady' } },
    },
    asking: {
      description: 'Every slot is ready: the predecessor was asked.',
      entry: ['reportAsked', 'sayTakeover'],
      invoke: {
        id: 'takeoverAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'takeover', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'predecessor.granted': { target: '#takeover.activated' },
        'predecessor.draining': { target: 'waiting' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
          target: 'looking',
          actions: 'reportSilent',
        },
      },
    },
    waiting: {
      description: "Exclusive: the predecessor's workers drain.",
      invoke: {
        id: 'takeoverAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'takeover',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        'predecessor.granted': { target: '#takeover.activated' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
          target: 'waitingLook',
          actions: 'reportSilent',
        },
      },
    },
    looking: {
      description: 'The takeover alarm fired: what waits is read before it counts.',
      entry: 'readInbox',
      on: {
        'predecessor.granted': { target: '#takeover.activated' },
        'predecessor.draining': { target: 'waiting' },
        'inbox.empty': { target: 'claiming' },
      },
    },
    waitingLook: {
      description: 'The takeover alarm fired while it drained: what waits is read before it counts.',
      entry: 'readInbox',
      on: {
        'predecessor.granted': { target: '#takeover.activated' },
        'inbox.empty': { target: 'claiming' },
      },
    },
    claiming: {
      description: 'The predecessor is silent: the token says who decides.',
      entry: 'takeToken',
      on: {
        'token.taken': [
          { guard: 'isExclusive', target: '#takeover.ousting', actions: 'recordDecided' },
          { target: '#takeover.activated', actions: 'recordDecided' },
        ],
        'token.gone': { target: '#takeover.doomed.condemned' },
      },
    },
  },
});
