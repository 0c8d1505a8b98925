/**
 * The predecessor was told; it finishes and goes.
 */
import { takeoverSetup } from './report-actions.js';

/** What ends the wait for a predecessor whose process stays: for the end of the service, or for its pid. */
const lastWords = {
  'predecessor.drained': { guard: 'isStopping', target: '#takeover.ended', actions: 'reportGone' },
  'predecessor.anchored': { target: '#takeover.ended', actions: ['reportAnchored', 'reportGone'] },
} as const;

export const leaving = takeoverSetup.createStateConfig({
  description: 'The predecessor was told; it finishes and goes.',
  entry: ['sayCommitted', 'reportCommitted'],
  initial: 'deciding',
  on: {
    'predecessor.departed': { target: '.departing', actions: 'recordDeparted' },
    'takeover.stop': { actions: ['recordStop', 'sayStop'] },
    'stop.relayed': { actions: ['recordStop', 'reportStop'] },
    'predecessor.ended': { target: 'ended', actions: ['recordDead', 'reportGone'] },
  },
  states: {
    deciding: {
      description: 'Is it still there, and is there a stop to pass on?',
      always: [
        { guard: 'isDead', target: '#takeover.ended', actions: 'reportGone' },
        { guard: 'isStopping', target: 'waiting', actions: 'sayStop' },
        { target: 'waiting' },
      ],
    },
    waiting: {
      description: 'Waits for its end.',
      invoke: {
        id: 'leaveAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'leave',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        ...lastWords,
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'leave' } },
          target: 'looking',
        },
      },
    },
    looking: {
      description: 'The leave alarm fired: what waits is read before it counts.',
      entry: 'readInbox',
      on: {
        ...lastWords,
        'inbox.empty': { target: 'relieving', actions: 'reportSilent' },
      },
    },
    departing: {
      description: 'Its life pipe ended: its last words are read first.',
      entry: 'readInbox',
      on: {
        'predecessor.anchored': lastWords['predecessor.anchored'],
        'inbox.empty': { target: '#takeover.ended', actions: 'reportGone' },
      },
    },
    relieving: {
      description: 'It did not go: it was sent SIGKILL.',
      entry: ['killPredecessor', 'reportKilled'],
      invoke: {
        id: 'killAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'predecessor.departed': { target: 'burying', actions: 'recordDeparted' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'kill' } },
          target: 'relieving',
          reenter: true,
        },
      },
    },
    burying: {
      description: 'It was killed, and is gone: a stop that it passed on before is read first.',
      entry: 'readInbox',
      on: {
        // Whatever else it said: it stays as nothing.
        'inbox.empty': { target: '#takeover.ended', actions: 'reportGone' },
      },
    },
  },
});
