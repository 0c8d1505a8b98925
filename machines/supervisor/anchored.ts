/**
 * The first process, after its hand-over: it owns nothing and stays for its pid.
 */
import { concludeTimeoutMs } from '../policy.js';
import { supervisorSetup } from './end-actions.js';

export const anchored = supervisorSetup.createStateConfig({
  description:
    'The first process stays for its pid: it owns nothing, passes signals on and ends as the service does.',
  entry: ['giveBack', 'watchService', 'forwardDeferredReload'],
  initial: 'deciding',
  on: {
    'service.charged': { actions: 'recordServiceCharge' },
    'service.concluded': { actions: 'recordConclusion' },
    'service.ended': [
      { guard: 'endedWell', target: '#supervisor.stopped' },
      { target: '#supervisor.failed', actions: 'recordServiceEnd' },
    ],
    'reload.requested': { actions: 'forwardReload' },
    'scale.requested': { actions: 'forwardScale' },
    'stop.requested': { actions: ['countStop', 'forwardStop'] },
  },
  states: {
    deciding: {
      description: 'Was the service told to stop before?',
      always: [{ guard: 'isStopping', target: 'concluding', actions: 'repeatStop' }, { target: 'watching' }],
    },
    watching: {
      description: 'Waits for signals, and for the end of the service.',
      on: { 'stop.requested': { target: 'concluding', actions: ['countStop', 'forwardStop'] } },
    },
    concluding: {
      description: 'The service was told to stop: it has to end.',
      invoke: {
        id: 'concludeAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'conclude', delayMs: concludeTimeoutMs(context.settings) }),
      },
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'conclude' } },
          target: 'killing',
          actions: 'recordStopOverdue',
        },
      },
    },
    killing: {
      description: 'It did not: the supervisor in charge was sent SIGKILL, if its identity is proven.',
      entry: 'killCharge',
      invoke: {
        id: 'killAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'service.ended': { target: '#supervisor.failed' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'kill' } },
          target: '#supervisor.failed',
        },
      },
    },
  },
});
