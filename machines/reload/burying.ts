/**
 * The successor's supervisor is gone: what is left of its generation has to follow.
 */
import { reloadSetup } from './report-actions.js';

export const burying = reloadSetup.createStateConfig({
  description: "The successor's supervisor is gone: what is left of its generation has to follow.",
  initial: 'reading',
  on: {
    'reload.abort': { actions: 'recordStop' },
    'stop.relayed': { actions: ['recordStop', 'reportStop'] },
  },
  states: {
    reading: {
      description: 'Its last words are read first.',
      entry: 'readInbox',
      on: {
        'successor.failed': { actions: 'recordLastWords' },
        'inbox.empty': { target: 'deciding' },
      },
    },
    deciding: {
      description: 'Who is left, and may they finish what they serve?',
      always: [
        { guard: 'hasDeparted', target: '#reload.refused' },
        { guard: 'hasNotServed', target: 'sweeping' },
        { guard: 'mustBeMourned', target: 'mourning' },
        { target: '#reload.refused' },
      ],
    },
    mourning: {
      description: 'Its workers have served: they may drain before ours start.',
      invoke: {
        id: 'buryAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.drainTimeoutMs }),
      },
      on: {
        'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'sweeping' },
        'reload.abort': { guard: 'isStopping', target: 'sweeping' },
      },
    },
    sweeping: {
      description: 'What is left of it is killed, where its identity is proven.',
      entry: 'killLeftovers',
      invoke: {
        id: 'sweepAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'leftovers.counted': { guard: 'isOverlap', target: '#reload.refused' },
        'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'counting' },
      },
    },
    counting: {
      description: 'Something holds its life pipe: is it one of its workers?',
      entry: 'killLeftovers',
      on: {
        'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
        'leftovers.counted': [{ guard: 'noneRemain', target: '#reload.refused' }, { target: 'sweeping' }],
      },
    },
  },
});
