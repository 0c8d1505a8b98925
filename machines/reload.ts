/**
 * The predecessor's part of a reload: start the successor, grant the takeover, and either leave or abort.
 *
 * Whoever takes the token decides how the reload ends. This machine takes it to abort, and only after every
 * message that waits has been read; when it is gone, the successor has decided, and this machine yields.
 */
import { burying } from './reload/burying.js';
import { initialContext } from './reload/context.js';
import { reloadSetup } from './reload/report-actions.js';
import { undecided } from './reload/undecided.js';

export type { ReloadContext, ReloadInput } from './reload/context.js';

const machine = reloadSetup.createMachine({
  id: 'reload',
  description: "The predecessor's part of a reload.",
  context: ({ input }) => initialContext(input),
  invoke: {
    id: 'successor',
    src: 'successor',
    input: ({ context }) => ({ record: context.record, descriptors: context.descriptors }),
  },
  on: {
    // A spawn that is slower than the reload alarm still has to be known, or its end would never be.
    'successor.spawned': { actions: ['recordSuccessor', 'reportStarted'] },
    'successor.unspawned': { target: '.refused', actions: 'recordUnspawned' },
    // Whenever it is heard: while this process hung, the successor may have activated its workers without it.
    'successor.activated': { actions: ['recordActivated', 'reportActivated'] },
    // Too late to change anything, and still what happened.
    'successor.committed': { actions: 'recordCharge' },
    'successor.workers': { actions: 'recordWorkers' },
    'successor.departed': { actions: 'recordDeparted' },
    'workers.changed': { actions: 'sayWorkers' },
    'reload.join': { actions: 'sayJoined' },
  },
  initial: 'undecided',
  states: {
    undecided,
    claiming: {
      description: 'Aborting: the token says whether that is ours to decide.',
      entry: 'takeToken',
      on: {
        'token.taken': { target: 'killing' },
        'token.gone': { target: 'yielding', actions: 'recordServed' },
        'successor.exited': { guard: 'isSuccessor', target: 'burying', actions: 'recordExit' },
        'successor.committed': { target: 'leaving' },
        'reload.abort': { actions: 'recordStop' },
        'stop.relayed': { actions: ['recordStop', 'reportStop'] },
      },
    },
    yielding: {
      description: 'The successor took the token: it has decided, and must say so.',
      initial: 'waiting',
      on: {
        'successor.committed': { target: 'leaving' },
        'successor.exited': { guard: 'isSuccessor', target: 'burying', actions: 'recordExit' },
        'reload.abort': { actions: 'recordStop' },
        'stop.relayed': { actions: ['recordStop', 'reportStop'] },
      },
      states: {
        waiting: {
          description: 'Waits for the word committed.',
          invoke: {
            id: 'yieldAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'yield', delayMs: context.settings.takeoverTimeoutMs }),
          },
          on: {
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'yield' } }, target: 'looking' },
          },
        },
        looking: {
          description: 'The yield alarm fired: what waits is read before it counts.',
          entry: 'readInbox',
          on: { 'inbox.empty': { target: '#reload.killing' } },
        },
      },
    },
    killing: {
      description: 'The successor was sent SIGKILL; the kernel has yet to say that it is gone.',
      entry: 'killSuccessor',
      invoke: {
        id: 'killAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'successor.exited': { guard: 'isSuccessor', target: 'burying', actions: 'recordExit' },
        'reload.abort': { actions: 'recordStop' },
        'stop.relayed': { actions: ['recordStop', 'reportStop'] },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'kill' } },
          target: 'killing',
          reenter: true,
        },
      },
    },
    burying,
    leaving: {
      description: 'The successor is in charge: we finish and go.',
      entry: ['recordCommitted', 'reportPromoted'],
      initial: 'deciding',
      on: {
        'successor.exited': [
          // It was told to stop, and may have been the only one who was.
          {
            guard: 'hasStopped',
            target: 'burying',
            actions: ['recordExit', 'recordLateStop', 'reportLost'],
          },
          { guard: 'isSuccessor', target: 'burying', actions: ['recordExit', 'reportLost'] },
        ],
        'workers.drained': { actions: 'sayDrained' },
        'reload.anchor': { target: '.introducing', actions: 'sayAnchored' },
        'stop.relayed': { actions: ['recordLateStop', 'reportStop'] },
        'reload.abort': { actions: ['recordLateStop', 'sayStop'] },
      },
      states: {
        deciding: {
          description: 'A stop that was asked for meanwhile is passed on.',
          always: [{ guard: 'isStopping', target: 'finishing', actions: 'sayStop' }, { target: 'finishing' }],
        },
        finishing: { description: 'Our workers drain; the supervisor ends when they are gone.' },
        introducing: {
          description:
            'The successor is told that this process stays: nothing is closed before that is said.',
          entry: 'readInbox',
          on: { 'inbox.empty': { target: '#reload.ended', actions: 'reportAnchored' } },
        },
      },
    },
    refused: {
      description: 'Nothing of the successor can act any more.',
      always: [
        { guard: 'endsInStop', target: 'ended', actions: 'reportGone' },
        { target: 'ended', actions: 'reportRefused' },
      ],
    },
    ended: { type: 'final', description: 'The reload is over.' },
  },
});

/** The machine of the predecessor's part: its context is `ReloadContext`, its events are `ReloadEvent`s. */
export type ReloadMachine = typeof machine;

/**
 * The predecessor's part of a reload, from the start of the successor to the verdict.
 *
 * Pure, as the supervisor's machine is. Whatever fails, its own generation goes on, unless the successor has taken the
 * token: then that one has decided.
 */
export const reloadMachine: ReloadMachine = machine;
