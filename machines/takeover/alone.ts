/**
 * The predecessor is dead: this generation takes charge, and never gives up.
 */
import { takeoverSetup } from './report-actions.js';

export const alone = takeoverSetup.createStateConfig({
  description: 'The predecessor is dead: this generation takes charge, and never gives up.',
  entry: 'reportDead',
  initial: 'claiming',
  states: {
    claiming: {
      description: 'The token is taken, so that nothing of the past decides any more.',
      entry: 'takeToken',
      on: {
        'token.taken': { target: 'deciding', actions: 'recordDecided' },
        'token.gone': { target: 'deciding', actions: 'recordDecided' },
      },
    },
    deciding: {
      description: 'Exclusive: its workers must be gone before ours serve.',
      always: [{ guard: 'mustBeMourned', target: 'mourning' }, { target: 'acting' }],
    },
    mourning: {
      description: 'Its workers saw their supervisor go and leave.',
      invoke: {
        id: 'buryAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.drainTimeoutMs }),
      },
      on: {
        'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'sweeping' },
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
        'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'counting' },
      },
    },
    counting: {
      description: 'Something holds its life pipe: is it one of its workers?',
      entry: 'killLeftovers',
      on: {
        'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
        'leftovers.counted': [{ guard: 'noneRemain', target: 'acting' }, { target: 'sweeping' }],
      },
    },
    acting: {
      description: 'Our workers may serve, and we are in charge.',
      entry: 'reportActivated',
      always: { target: '#takeover.charging' },
    },
  },
});
