/**
 * A worker that may serve, and is asked whether it is well as long as its generation is on probation.
 */
import { DEFAULTS } from '../policy.js';
import { idOf, pidOf } from './context.js';
import { workerSetup } from './report-actions.js';

export const serving = workerSetup.createStateConfig({
  description: 'Ready, and told that it may serve.',
  entry: 'measure',
  exit: 'stopMeasuring',
  initial: 'judging',
  on: {
    'takeover.said': { guard: 'isCurrentChannel', actions: ['recordAsked', 'sayOk'] },
    'memory.measured': [
      { guard: 'outgrows', actions: ['reportExceeded', 'recordMemory', 'reportMemory'] },
      { guard: 'isCurrentProcess', actions: ['recordMemory', 'reportMemory'] },
    ],
    'memory.unreadable': { guard: 'isCurrentProcess', actions: 'reportMemory' },
  },
  states: {
    judging: {
      description: 'Is its generation on probation?',
      always: [{ guard: 'isOnTrial', target: 'trial' }, { target: 'trusted' }],
    },
    trusted: { description: 'Nothing is asked of it.' },
    trial: {
      description: 'Its generation is on probation: it is asked again and again whether it is well.',
      initial: 'asking',
      on: { 'worker.retain': { target: 'trusted', actions: 'retain' } },
      states: {
        asking: {
          description: 'One question on its private probe socket. The effect bounds it.',
          invoke: {
            id: 'health',
            src: 'health',
            input: ({ context }) => ({
              ...idOf(context),
              pid: pidOf(context),
              path: context.settings.health?.path ?? '/',
              timeoutMs: DEFAULTS.healthTimeoutMs,
            }),
          },
          on: {
            'health.passed': {
              guard: 'isCurrentProcess',
              target: 'resting',
              actions: ['recordWell', 'reportChecked'],
            },
            'health.failed': [
              {
                guard: 'isInTheWay',
                target: '#worker.alive.living.examining',
                actions: [
                  'recordUnwell',
                  'reportChecked',
                  'recordUnfitness',
                  { type: 'setCause', params: { cause: 'it does not answer, and another one has to serve' } },
                ],
              },
              {
                guard: 'isLastFailure',
                target: '#worker.alive.living.ready.serving.trusted',
                actions: ['recordUnwell', 'reportChecked', 'reportUnwell'],
              },
              {
                guard: 'isCurrentProcess',
                target: 'resting',
                actions: ['recordUnwell', 'reportChecked'],
              },
            ],
          },
        },
        resting: {
          description: 'Until the next question is due.',
          invoke: {
            id: 'healthAlarm',
            src: 'alarm',
            input: ({ event }) => ({
              alarm: 'health',
              delayMs: Math.max(
                0,
                DEFAULTS.healthIntervalMs - ('tookMs' in event ? event.tookMs : DEFAULTS.healthIntervalMs),
              ),
            }),
          },
          on: {
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'health' } }, target: 'asking' },
          },
        },
      },
    },
  },
});
