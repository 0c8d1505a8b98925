/**
 * Between too late and the kill: what explains the worker is written down.
 */
import { evidenceTimeoutMs } from '../policy.js';
import { idOf, pidOf } from './context.js';
import { workerSetup } from './report-actions.js';

export const examining = workerSetup.createStateConfig({
  description:
    'It has to be killed: what explains that is written down first, for a moment. Whoever is in a hurry kills at once.',
  entry: 'stopWatching',
  invoke: [
    {
      id: 'evidence',
      src: 'evidence',
      input: ({ context }) => ({
        slot: idOf(context).slot,
        generation: idOf(context).generation,
        pid: pidOf(context),
        cause: context.cause,
        reporter: context.process?.reporter ?? null,
      }),
    },
    {
      id: 'evidenceAlarm',
      src: 'alarm',
      input: ({ context }) => ({ alarm: 'evidence', delayMs: evidenceTimeoutMs(context.settings) }),
    },
  ],
  on: {
    'evidence.begun': { guard: 'isCurrentProcess', actions: 'recordEvidence' },
    'evidence.collected': { guard: 'isCurrentProcess', target: 'killing', actions: 'reportLate' },
    'evidence.failed': { guard: 'isCurrentProcess', target: 'killing', actions: 'reportLate' },
    'alarm.fired': {
      guard: { type: 'isAlarm', params: { alarm: 'evidence' } },
      target: 'killing',
      actions: 'reportLate',
    },
    'worker.drain': { actions: 'leave' },
    'worker.start': { actions: 'want' },
    // It stays decided, whatever it says now.
    'ping.said': { guard: 'isCurrentChannel' },
    'channel.read': { guard: 'isCurrentChannel' },
    'channel.overflowed': { guard: 'isCurrentChannel' },
  },
});
