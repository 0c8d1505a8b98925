/**
 * From the start of the process to the moment it is ready.
 */
import { DEFAULTS } from '../policy.js';
import { idOf, pidOf } from './context.js';
import { workerSetup } from './report-actions.js';

export const booting = workerSetup.createStateConfig({
  description: 'Not ready yet.',
  initial: 'listening',
  invoke: {
    id: 'startAlarm',
    src: 'alarm',
    input: ({ context }) => ({ alarm: 'start', delayMs: context.settings.startTimeoutMs }),
  },
  on: {
    'alarm.fired': {
      guard: { type: 'isAlarm', params: { alarm: 'start' } },
      target: 'examining',
      actions: ['recordLateness', { type: 'setCause', params: { cause: 'it did not get ready in time' } }],
    },
  },
  states: {
    listening: {
      description: 'How readiness is known decides what is waited for.',
      always: [{ guard: 'isAliveMode', target: 'proving' }, { target: 'starting' }],
    },
    starting: {
      description: 'Waits for the word takeover.',
      invoke: {
        id: 'silenceAlarm',
        src: 'alarm',
        input: { alarm: 'silence', delayMs: DEFAULTS.silenceNoticeMs },
      },
      on: {
        'takeover.said': [
          {
            guard: 'needsNoProbe',
            target: '#worker.alive.living.ready',
            actions: ['recordAsked', 'recordReady', 'reportReady'],
          },
          { guard: 'needsProbe', target: 'probing', actions: 'recordAsked' },
        ],
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'silence' } },
          actions: 'reportSilent',
        },
      },
    },
    probing: {
      description: 'It has said takeover; its private probe socket must answer well.',
      invoke: {
        id: 'probe',
        src: 'probe',
        input: ({ context }) => ({
          ...idOf(context),
          pid: pidOf(context),
          path: context.settings.ready.mode === 'http' ? context.settings.ready.path : '/',
          kept: context.settings.health !== null,
        }),
      },
      on: {
        'probe.passed': {
          guard: 'isCurrentProcess',
          target: '#worker.alive.living.ready',
          actions: ['recordReady', 'reportReady'],
        },
        'probe.failed': { guard: 'isCurrentProcess', actions: 'recordProbe' },
      },
    },
    proving: {
      description: 'It does not know the protocol: living long enough is being ready.',
      invoke: {
        id: 'aliveAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'alive',
          delayMs: context.settings.ready.mode === 'alive' ? context.settings.ready.forMs : 0,
        }),
      },
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'alive' } },
          target: '#worker.alive.living.ready',
          actions: ['recordReady', 'reportReady'],
        },
        'takeover.said': [
          { guard: 'mayBeAnswered', actions: ['recordAsked', 'sayOk'] },
          { guard: 'isCurrentChannel', actions: 'recordAsked' },
        ],
      },
    },
  },
});
