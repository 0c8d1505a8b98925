/**
 * The workers leave, then everything is given back.
 */
import { supervisorSetup } from './end-actions.js';

export const stopping = supervisorSetup.createStateConfig({
  description: 'The workers leave, then everything is given back.',
  entry: ['endScale', 'answerScale', 'drainSlots', 'passStop', 'answerDeferred'],
  initial: 'draining',
  on: {
    'reload.requested': { actions: 'answerStopped' },
    'stop.requested': { actions: ['countStop', 'drainSlots', 'passStop'] },
  },
  states: {
    draining: {
      description: 'Waits for the last worker, and for the end of another generation.',
      always: { guard: 'mayRelease', target: 'releasing', actions: ['killLeftovers', 'conclude', 'release'] },
    },
    releasing: {
      description: 'Paths and pid file are removed.',
      invoke: {
        id: 'releaseAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'release', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'lock.released': [
          { guard: 'hasFailure', target: '#supervisor.failed' },
          { target: '#supervisor.stopped' },
        ],
        // With a lock its release is the last thing that happens; without, this is.
        'listeners.removed': [
          { guard: 'hasFailedWithoutLock', target: '#supervisor.failed' },
          { guard: 'hasNoLock', target: '#supervisor.stopped' },
        ],
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'release' } },
          target: '#supervisor.stopped',
        },
      },
    },
  },
});
