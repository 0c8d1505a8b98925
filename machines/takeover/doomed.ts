/**
 * This generation has failed or was refused.
 */
import { takeoverSetup } from './report-actions.js';

export const doomed = takeoverSetup.createStateConfig({
  description:
    'This generation has failed or was refused: it waits to be killed, and goes on alone if nobody is left to do it.',
  on: {
    'predecessor.ended': { target: 'alone', actions: 'recordDead' },
    'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
    'takeover.stop': { target: '.deferring', actions: 'recordStop' },
  },
  initial: 'failing',
  states: {
    failing: {
      description: 'The predecessor was told why; it is told again whenever the alarm fires.',
      entry: ['sayFailed', 'reportFailed'],
      invoke: {
        id: 'failAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'takeover',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
          target: 'failing',
          reenter: true,
          actions: 'reportSilent',
        },
      },
    },
    deferring: {
      description: 'A stop was asked of us: the predecessor aborts this reload and stops.',
      entry: 'sayStop',
      invoke: {
        id: 'deferAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'takeover',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
          target: 'deferring',
          reenter: true,
          actions: 'reportSilent',
        },
      },
    },
    condemned: {
      description: 'The predecessor took the token: it aborts.',
      invoke: {
        id: 'condemnedAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'takeover', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
          target: 'condemned',
          reenter: true,
          actions: 'reportSilent',
        },
      },
    },
  },
});
