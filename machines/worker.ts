/**
 * One slot: it is filled, gets ready, serves, leaves, and is filled again.
 *
 * Its room, `worker/`, has what it knows (`context`), its vocabulary (`setup` and the actions by purpose) and the
 * states of a living process.
 */
import { idOf, initialContext } from './worker/context.js';
import { living } from './worker/living.js';
import { workerSetup } from './worker/report-actions.js';

export type { WorkerContext, WorkerInput } from './worker/context.js';

const machine = workerSetup.createMachine({
  id: 'worker',
  description: 'One slot of a supervisor: filled, ready, serving, leaving, filled again.',
  context: ({ input }) => initialContext(input),
  initial: 'stopped',
  on: {
    'worker.admit': { actions: 'admit' },
    'worker.retain': { actions: 'retain' },
    'worker.assign': { actions: ['assignSlot', 'reportPromoted'] },
  },
  states: {
    stopped: {
      description: 'No process, and none is wanted.',
      on: {
        'worker.start': [
          { guard: 'startsLater', target: 'queued', actions: 'stay' },
          { target: 'alive', actions: 'stay' },
        ],
      },
    },
    queued: {
      description: "It waits for its turn: a successor's workers do not all boot in the same instant.",
      invoke: {
        id: 'turnAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'turn', delayMs: context.startDelayMs ?? 0 }),
      },
      on: {
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'turn' } }, target: 'alive' },
        'worker.start': { target: 'alive' },
        'worker.admit': { target: 'alive', actions: 'admit' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
    alive: {
      description: 'A process is being started, lives, or is being ended.',
      initial: 'spawning',
      invoke: {
        id: 'process',
        src: 'fork',
        input: ({ context }) => ({
          ...idOf(context),
          inheritance: context.inheritance,
          probe: context.settings.ready.mode === 'http' || context.settings.health !== null,
          tethered: context.settings.ready.mode === 'alive',
        }),
      },
      on: {
        'worker.exited': [
          {
            guard: 'leavesForGood',
            target: 'stopped',
            actions: ['reportExited', 'recordExit', 'reportStopped'],
          },
          { guard: 'isWanted', target: 'alive', reenter: true, actions: ['reportExited', 'recordExit'] },
          { guard: 'isHeld', target: 'held', actions: ['reportExited', 'reportExitFailure', 'recordExit'] },
          { guard: 'isCurrentProcess', target: 'backoff', actions: ['reportExited', 'recordExit'] },
        ],
        'spawn.failed': [
          {
            guard: 'isLeaving',
            target: 'stopped',
            actions: ['reportUnspawned', 'recordNoSpawn', 'reportStopped'],
          },
          { guard: 'isRetained', target: 'backoff', actions: ['reportUnspawned', 'recordNoSpawn'] },
          { target: 'held', actions: ['reportUnspawned', 'reportUnspawnedFailure', 'recordNoSpawn'] },
        ],
      },
      states: {
        spawning: {
          description: 'The operating system was asked for a process.',
          on: {
            'worker.spawned': [
              {
                guard: 'isLeaving',
                target: 'living.draining',
                actions: [
                  'recordSpawn',
                  'reportSpawned',
                  { type: 'setCause', params: { cause: 'its generation ends' } },
                ],
              },
              { target: 'living', actions: ['recordSpawn', 'reportSpawned'] },
            ],
            'worker.drain': { actions: 'leave' },
            'worker.kill': { actions: 'leave' },
            'worker.start': { actions: 'stay' },
          },
        },
        living,
      },
    },
    held: {
      description:
        'It exited in a generation that is not in charge: the slot stays empty until that is decided.',
      on: {
        'worker.retain': { target: 'backoff', actions: 'retain' },
        'worker.start': { target: 'alive', actions: 'stay' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
    backoff: {
      description: 'The slot is filled again when the alarm fires.',
      entry: 'reportDelayed',
      invoke: {
        id: 'backoffAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'backoff', delayMs: context.delayMs }),
      },
      on: {
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'backoff' } }, target: 'alive' },
        // Whoever was promoted answers first: the next standby does not boot in the same instant.
        'worker.assign': {
          guard: 'restsTooShort',
          target: 'backoff',
          reenter: true,
          actions: ['assignSlot', 'rest'],
        },
        'worker.start': { target: 'alive', actions: 'stay' },
        'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
        'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
      },
    },
  },
});

/** The machine of one slot: its context is `WorkerContext`, its events are `WorkerEvent`s. */
export type WorkerMachine = typeof machine;

/**
 * Fills one slot: starts a process, waits until it is ready, lets it serve, asks it to leave, fills the slot again.
 *
 * Pure, as the supervisor's machine is. It never starts a second process before the kernel has said that the first
 * one is gone, and signals none but the one it started.
 */
export const workerMachine: WorkerMachine = machine;
