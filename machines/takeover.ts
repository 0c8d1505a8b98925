/**
 * The successor's part of a reload: get ready, ask, serve, take charge, and see the predecessor off.
 *
 * Before the token is taken this machine never acts alone: a successor that has failed says so and waits to be
 * killed. Only the kernel's word that the predecessor is dead lets it go on without one.
 */
import { proofTimeoutMs } from './policy.js';
import { alone } from './takeover/alone.js';
import { initialContext } from './takeover/context.js';
import { doomed } from './takeover/doomed.js';
import { leaving } from './takeover/leaving.js';
import { takeoverSetup } from './takeover/report-actions.js';
import { undecided } from './takeover/undecided.js';

export type { TakeoverContext, TakeoverInput } from './takeover/context.js';

const machine = takeoverSetup.createMachine({
  id: 'takeover',
  description: "The successor's part of a reload.",
  context: ({ input }) => initialContext(input),
  invoke: {
    id: 'predecessor',
    src: 'predecessor',
    input: ({ context }) => ({
      predecessor: context.predecessor,
      messages: context.messages,
      token: context.token,
      lifeRead: context.lifeRead,
    }),
  },
  on: {
    'predecessor.workers': { actions: 'recordWorkers' },
    'predecessor.ended': { actions: 'recordDead' },
    'predecessor.departed': { actions: 'recordDeparted' },
    'workers.changed': { actions: 'sayWorkers' },
    'reload.joined': { actions: 'reportJoined' },
    'slots.ready': { actions: 'recordReady' },
    'slots.checked': { actions: 'recordHealth' },
    'takeover.stop': { actions: 'recordStop' },
  },
  initial: 'undecided',
  states: {
    undecided,
    ousting: {
      description:
        'Exclusive: the silent predecessor was sent SIGKILL, since its workers must not serve with ours.',
      entry: ['killPredecessor', 'reportKilled'],
      invoke: {
        id: 'killAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'predecessor.ended': { target: 'alone', actions: 'recordDead' },
        'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'kill' } },
          target: 'ousting',
          reenter: true,
        },
      },
    },
    activated: {
      description: 'Our workers may serve, or are about to.',
      entry: 'recordActivated',
      initial: 'announcing',
      on: {
        'slot.failed': { target: 'doomed.failing', actions: 'recordFailure' },
        'predecessor.ended': { target: 'alone', actions: 'recordDead' },
        'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
        'takeover.stop': { target: 'doomed.deferring', actions: 'recordStop' },
      },
      states: {
        announcing: {
          description:
            'The predecessor is told first: whatever happens then, it knows that they may have served.',
          entry: ['sayActivated', 'readInbox'],
          on: { 'inbox.empty': { target: 'deciding', actions: 'reportActivated' } },
        },
        deciding: {
          description: 'Is there anything to wait for before the token?',
          always: [
            { guard: 'startsAfterGrant', target: 'starting' },
            { guard: 'hasProbation', target: 'probation' },
            { target: '#takeover.committing' },
          ],
        },
        starting: {
          description:
            'Exclusive, without the protocol: the workers start only now. Bounded by their start timeout.',
          on: { 'slots.ready': { target: 'deciding', actions: 'recordReady' } },
        },
        probation: {
          description: 'Any exit of a worker, and checks that fail, are still a failure of this generation.',
          invoke: {
            id: 'probationAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'probation', delayMs: context.settings.probationMs }),
          },
          on: {
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'probation' } },
              target: 'judging',
            },
          },
        },
        judging: {
          description: 'The time is over: is every worker well?',
          always: [{ guard: 'isHealthy', target: '#takeover.committing' }, { target: 'doubting' }],
        },
        doubting: {
          description: 'The last check of some worker has not passed: it passes one, or fails for good.',
          invoke: {
            id: 'proofAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'proof', delayMs: proofTimeoutMs(context.settings) }),
          },
          on: {
            'slots.checked': [
              { guard: 'foundHealthy', target: '#takeover.committing', actions: 'recordHealth' },
              { actions: 'recordHealth' },
            ],
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'proof' } },
              target: '#takeover.doomed.failing',
              actions: 'recordUnproven',
            },
          },
        },
      },
    },
    committing: {
      description: 'The token decides.',
      initial: 'deciding',
      states: {
        deciding: {
          description: 'Was it taken before, from a silent predecessor?',
          always: [{ guard: 'isDecided', target: '#takeover.charging' }, { target: 'taking' }],
        },
        taking: {
          description: 'The kernel gives the token to one of us.',
          entry: 'takeToken',
          on: {
            'token.taken': { target: '#takeover.charging', actions: 'recordDecided' },
            'token.gone': [
              { guard: 'isDead', target: '#takeover.alone' },
              { target: '#takeover.doomed.condemned' },
            ],
          },
        },
      },
    },
    charging: {
      description: 'In charge: pid and control path are being taken.',
      entry: 'reportCharged',
      on: { 'charge.taken': { target: 'leaving' } },
    },
    leaving,
    doomed,
    alone,
    ended: { type: 'final', description: 'The predecessor is gone.' },
  },
});

/** The machine of the successor's part: its context is `TakeoverContext`, its events are `TakeoverEvent`s. */
export type TakeoverMachine = typeof machine;

/**
 * The successor's part of a reload, from its start to the end of its predecessor.
 *
 * Pure, as the supervisor's machine is. Until it has the token it can fail without harm: it says why, and waits to be
 * killed.
 */
export const takeoverMachine: TakeoverMachine = machine;
