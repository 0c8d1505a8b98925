/**
 * A process exists: it gets ready, serves, and is ended.
 */
import { booting } from './booting.js';
import { pidOf } from './context.js';
import { examining } from './examining.js';
import { workerSetup } from './report-actions.js';
import { serving } from './serving.js';

export const living = workerSetup.createStateConfig({
  description: 'The process exists and its channel is read.',
  initial: 'booting',
  invoke: {
    id: 'channel',
    src: 'channel',
    input: ({ context }) => ({ channel: context.process?.channel ?? -1 }),
  },
  exit: 'stopWatching',
  on: {
    'ping.said': { guard: 'isCurrentChannel', actions: ['recordHeard', 'watch', 'sayPong'] },
    // This process may have been suspended itself: what the worker said meanwhile is read before it counts.
    'alarm.fired': [
      { guard: 'hasSlept', actions: 'watchAnew' },
      { guard: { type: 'isAlarm', params: { alarm: 'watchdog' } }, actions: 'look' },
    ],
    'channel.read': [
      { guard: 'isSilent', target: '.examining', actions: 'setSilentCause' },
      { guard: 'isCurrentChannel', actions: 'watchOn' },
    ],
    'status.said': {
      guard: 'isCurrentChannel',
      actions: ['recordHeard', 'recordSays', 'reportDescribed'],
    },
    'line.rejected': { guard: 'isCurrentChannel', actions: 'recordHeard' },
    'shutdown.said': {
      guard: 'isCurrentChannel',
      target: '.killing',
      actions: ['recordHeard', { type: 'setCause', params: { cause: 'it asked to be killed' } }],
    },
    'channel.overflowed': {
      guard: 'isCurrentChannel',
      target: '.draining',
      actions: ['recordHeard', { type: 'setCause', params: { cause: 'it broke a limit of its channel' } }],
    },
    'worker.drain': {
      target: '.draining',
      actions: ['leave', 'setFarewell'],
    },
    'worker.kill': {
      target: '.killing',
      actions: ['leave', { type: 'setCause', params: { cause: 'the supervisor stops at once' } }],
    },
  },
  states: {
    booting,
    ready: {
      description: 'It can serve.',
      initial: 'settling',
      states: {
        settling: {
          description: 'Whether it may serve was decided before or is decided later.',
          always: [
            { guard: 'mayServeAndAsked', target: 'serving', actions: 'sayOk' },
            { guard: 'isAdmitted', target: 'serving' },
            { target: 'waiting' },
          ],
        },
        waiting: {
          description: 'Ready, and not yet told that it may serve.',
          on: {
            'worker.admit': { target: 'settling', actions: 'admit' },
            'worker.assign': { target: 'settling', actions: ['assignSlot', 'reportPromoted'] },
            'takeover.said': { guard: 'isCurrentChannel', actions: 'recordAsked' },
          },
        },
        serving,
      },
    },
    draining: {
      description: 'Asked to leave: it finishes what it has begun, and need not ping any more.',
      entry: ['stopWatching', 'reportDraining'],
      invoke: [
        {
          id: 'stopSignal',
          src: 'kill',
          input: ({ context }) => ({
            pid: pidOf(context),
            startTime: context.process?.startTime ?? null,
            signal: context.settings.stopSignal,
            group: false,
          }),
        },
        {
          id: 'drainAlarm',
          src: 'alarm',
          input: ({ context }) => ({ alarm: 'drain', delayMs: context.settings.drainTimeoutMs }),
        },
      ],
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'drain' } },
          target: 'examining',
          actions: {
            type: 'setCause',
            params: { cause: 'it did not leave within the drain timeout' },
          },
        },
        'worker.drain': { actions: 'leave' },
        'worker.start': { actions: 'want' },
        'ping.said': { guard: 'isCurrentChannel', actions: ['recordHeard', 'sayPong'] },
        'channel.read': { guard: 'isCurrentChannel' },
        'channel.overflowed': { guard: 'isCurrentChannel' },
      },
    },
    examining,
    killing: {
      description: 'Its process group was sent SIGKILL; the kernel has yet to say that it is gone.',
      entry: ['stopWatching', 'reportKilling'],
      invoke: [
        {
          id: 'killSignal',
          src: 'kill',
          input: ({ context }) => ({
            pid: pidOf(context),
            startTime: context.process?.startTime ?? null,
            signal: 'SIGKILL',
            group: true,
          }),
        },
        {
          id: 'killAlarm',
          src: 'alarm',
          input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
        },
      ],
      on: {
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'kill' } },
          target: 'killing',
          reenter: true,
          actions: { type: 'setCause', params: { cause: 'SIGKILL has not ended it yet' } },
        },
        'worker.drain': { actions: 'leave' },
        'worker.kill': { actions: 'leave' },
        'worker.start': { actions: 'want' },
        'ping.said': { guard: 'isCurrentChannel' },
        'channel.read': { guard: 'isCurrentChannel' },
        'shutdown.said': { guard: 'isCurrentChannel' },
        'channel.overflowed': { guard: 'isCurrentChannel' },
      },
    },
  },
});
