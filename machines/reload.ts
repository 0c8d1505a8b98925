/**
 * The predecessor's part of a reload: start the successor, grant the takeover, and either leave or abort.
 *
 * Whoever takes the token decides how the reload ends. This machine takes it to abort, and only after every
 * message that waits has been read; when it is gone, the successor has decided, and this machine yields.
 */
import { assign, sendTo, setup } from 'xstate';
import { alarm, type SuccessorDescriptors, successor } from './contracts.js';
import type { AlarmName, Identity, ReloadEvent, ReloadReport } from './events.js';
import type { HandoverRecord } from './handover.js';
import { commitTimeoutMs, type Settings } from './policy.js';
import { atMsOf, reporter } from './report.js';
import type { ReloadReason } from './status.js';

export interface ReloadInput {
  readonly settings: Settings;
  readonly record: HandoverRecord;
  readonly descriptors: SuccessorDescriptors;
}

export interface ReloadContext extends ReloadInput {
  readonly successor: Identity | null;
  /** The successor's workers, as it last said. */
  readonly workers: readonly Identity[];
  /** The successor's workers may have served: they were granted it, or it has decided for itself. */
  readonly served: boolean;
  /** The successor has said that it is in charge. */
  readonly committed: boolean;
  /** Everything of the successor is gone. */
  readonly departed: boolean;
  readonly failure: { readonly reason: ReloadReason; readonly detail: string } | null;
  /** Somebody asked for a stop. */
  readonly stopping: boolean;
}

type Args = { context: ReloadContext; event: ReloadEvent };

const report = reporter<ReloadContext, ReloadEvent, ReloadReport>();
const seconds = (ms: number): string => `${ms / 1000} s`;

const exitFailure = ({ context, event }: Args): Pick<ReloadContext, 'failure'> => {
  if (event.type !== 'successor.exited' || context.failure !== null)
    return {} as Pick<ReloadContext, 'failure'>;
  const how = event.signal === null ? `with status ${event.code}` : `by ${event.signal}`;
  const when = context.committed ? 'after it had taken charge' : 'before it took charge';
  return {
    failure: {
      reason: 'exited',
      detail: `generation ${context.record.generation} (pid ${event.pid}) exited ${how} ${when}`,
    },
  };
};

const isSuccessor = ({ context, event }: Args): boolean =>
  'pid' in event && context.successor !== null && event.pid === context.successor.pid;

export const reloadMachine = setup({
  types: {} as { context: ReloadContext; events: ReloadEvent; input: ReloadInput },
  actors: { alarm, successor },
  guards: {
    isSuccessor,
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isAborted: ({ context }) => context.failure !== null,
    hasSuccessor: ({ context }) => context.successor !== null,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    isOverlap: ({ context }) => context.settings.handoff === 'overlap',
    hasDeparted: ({ context }) => context.departed,
    isStopping: ({ context }) => context.stopping,
    hasNotServed: ({ context }) => !context.served,
    mustBeMourned: ({ context }) =>
      context.settings.handoff === 'exclusive' || (context.committed && context.stopping),
    endsInStop: ({ context }) => context.committed && context.stopping,
    noneRemain: ({ event }) => event.type === 'leftovers.counted' && event.remaining === 0,
  },
  actions: {
    recordSuccessor: assign(({ event }) =>
      event.type !== 'successor.spawned' ? {} : { successor: { pid: event.pid, startTime: event.startTime } },
    ),
    recordWorkers: assign(({ event }) =>
      event.type === 'successor.workers' ? { workers: event.workers } : {},
    ),
    recordDeparted: assign({ departed: true }),
    recordServed: assign({ served: true }),
    recordCommitted: assign({ committed: true, served: true, failure: null }),
    recordUnspawned: assign(({ event }) =>
      event.type !== 'successor.unspawned'
        ? {}
        : { failure: { reason: 'spawn-failed' as const, detail: event.message }, departed: true },
    ),
    recordFailure: assign(({ event }) =>
      event.type !== 'successor.failed' ? {} : { failure: { reason: event.reason, detail: event.detail } },
    ),
    recordLastWords: assign(({ context, event }) =>
      event.type !== 'successor.failed' || context.failure?.reason !== 'exited'
        ? {}
        : { failure: { reason: event.reason, detail: event.detail } },
    ),
    recordExit: assign(exitFailure),
    recordStop: assign(({ context }) => ({
      stopping: true,
      failure: context.failure ?? {
        reason: 'stopped' as const,
        detail: 'a stop was asked for before the reload was decided',
      },
    })),
    recordLateStop: assign({ stopping: true }),
    recordReloadTimeout: assign(({ context }) => ({
      failure: {
        reason: 'reload-timeout' as const,
        detail: `generation ${context.record.generation} did not ask for takeover within ${seconds(context.settings.reloadTimeoutMs)}`,
      },
    })),
    recordDrainTimeout: assign(({ context }) => ({
      failure: {
        reason: 'takeover-timeout' as const,
        detail: `the workers of this generation did not leave within ${seconds(context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs)}`,
      },
    })),
    recordCommitTimeout: assign(({ context }) => ({
      failure: {
        reason: 'takeover-timeout' as const,
        detail: `generation ${context.record.generation} did not take charge within ${seconds(commitTimeoutMs(context.settings))} of the grant`,
      },
    })),
    readInbox: sendTo('successor', { type: 'inbox.read' }),
    takeToken: sendTo('successor', { type: 'token.take' }),
    killSuccessor: sendTo('successor', { type: 'successor.kill' }),
    killLeftovers: sendTo('successor', ({ context }) => ({
      type: 'leftovers.kill',
      leftovers: context.workers,
    })),
    sayGranted: sendTo('successor', { type: 'link.say', message: { say: 'granted' } }),
    sayDraining: sendTo('successor', { type: 'link.say', message: { say: 'draining' } }),
    sayDrained: sendTo('successor', { type: 'link.say', message: { say: 'drained' } }),
    sayStop: sendTo('successor', { type: 'link.say', message: { say: 'stop' } }),
    sayAnchored: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: {
        say: 'anchored',
        pid: event.type === 'reload.anchor' ? event.pid : 0,
        startTime: event.type === 'reload.anchor' ? event.startTime : null,
      },
    })),
    sayJoined: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'joined', id: event.type === 'reload.join' ? event.id : '' },
    })),
    sayWorkers: sendTo('successor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'workers', workers: event.type === 'workers.changed' ? event.workers : [] },
    })),
    reportStarted: report(({ event }) =>
      event.type !== 'successor.spawned'
        ? null
        : { type: 'reload.started', pid: event.pid, generation: event.generation, atMs: event.atMs },
    ),
    reportHandoff: report(({ event }) => ({ type: 'handoff.begun', atMs: atMsOf(event) })),
    reportStop: report(({ event }) => ({ type: 'stop.requested', via: 'peer', atMs: atMsOf(event) })),
    reportPromoted: report(({ context, event }) => ({
      type: 'reload.promoted',
      generation: context.record.generation,
      pid: context.successor?.pid ?? 0,
      atMs: atMsOf(event),
    })),
    reportRefused: report(({ context, event }) => ({
      type: 'reload.refused',
      generation: context.record.generation,
      pid: context.successor?.pid ?? null,
      reason: context.failure?.reason ?? 'exited',
      detail: context.failure?.detail ?? '',
      leftovers: context.departed ? [] : context.workers,
      atMs: atMsOf(event),
    })),
    reportLost: report(({ event }) => ({ type: 'successor.lost', atMs: atMsOf(event) })),
    reportAnchored: report(() => ({ type: 'reload.anchored' })),
    reportGone: report(({ event }) => ({ type: 'successor.gone', atMs: atMsOf(event) })),
  },
}).createMachine({
  id: 'reload',
  description: "The predecessor's part of a reload.",
  context: ({ input }) => ({
    ...input,
    successor: null,
    workers: [],
    served: false,
    committed: false,
    departed: false,
    failure: null,
    stopping: false,
  }),
  invoke: {
    id: 'successor',
    src: 'successor',
    input: ({ context }) => ({ record: context.record, descriptors: context.descriptors }),
  },
  on: {
    // A spawn that is slower than the reload alarm still has to be known, or its end would never be.
    'successor.spawned': { actions: ['recordSuccessor', 'reportStarted'] },
    'successor.unspawned': { target: '.refused', actions: 'recordUnspawned' },
    'successor.workers': { actions: 'recordWorkers' },
    'successor.departed': { actions: 'recordDeparted' },
    'workers.changed': { actions: 'sayWorkers' },
    'reload.join': { actions: 'sayJoined' },
  },
  initial: 'undecided',
  states: {
    undecided: {
      description: 'The token lies there: the successor may still fail, or take charge.',
      initial: 'starting',
      on: {
        'successor.failed': { target: 'claiming', actions: 'recordFailure' },
        // At any step: while this process hung, the successor may have decided without it.
        'successor.committed': { target: 'leaving' },
        'successor.exited': { guard: 'isSuccessor', target: 'burying', actions: 'recordExit' },
        'reload.abort': { target: 'claiming', actions: 'recordStop' },
        'stop.relayed': { target: 'claiming', actions: ['recordStop', 'reportStop'] },
      },
      states: {
        starting: {
          description: 'The successor starts and brings up its workers.',
          invoke: {
            id: 'reloadAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'reload', delayMs: context.settings.reloadTimeoutMs }),
          },
          on: {
            'successor.spawned': {
              guard: 'isAborted',
              target: '#reload.claiming',
              actions: ['recordSuccessor', 'reportStarted'],
            },
            'takeover.requested': { target: 'looking' },
            'reload.abort': [
              { guard: 'hasSuccessor', target: '#reload.claiming', actions: 'recordStop' },
              { actions: 'recordStop' },
            ],
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'reload' } },
              target: 'lastLook',
            },
          },
        },
        lastLook: {
          description: 'The reload alarm fired: what waits is read before it counts.',
          entry: 'readInbox',
          on: {
            'takeover.requested': { target: 'looking' },
            'inbox.empty': { target: '#reload.claiming', actions: 'recordReloadTimeout' },
          },
        },
        looking: {
          description: 'The successor asked for takeover: does it live, and does nothing else wait?',
          entry: 'readInbox',
          on: {
            'inbox.empty': [
              { guard: 'isExclusive', target: 'draining' },
              { target: 'granted', actions: 'reportHandoff' },
            ],
          },
        },
        draining: {
          description: 'Exclusive: our workers leave, to the last process.',
          entry: ['sayDraining', 'readInbox'],
          invoke: {
            id: 'predecessorDrainAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'predecessorDrain',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            // Our workers are told to leave only when the successor has been told that they are.
            'inbox.empty': { actions: 'reportHandoff' },
            'workers.drained': { target: 'granted' },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'predecessorDrain' } },
              target: '#reload.claiming',
              actions: 'recordDrainTimeout',
            },
          },
        },
        granted: {
          description: 'The successor may let its workers serve and take charge.',
          entry: ['recordServed', 'sayGranted'],
          invoke: {
            id: 'commitAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'commit', delayMs: commitTimeoutMs(context.settings) }),
          },
          on: {
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'commit' } }, target: 'finalLook' },
          },
        },
        finalLook: {
          description: 'The commit alarm fired: what waits is read before it counts.',
          entry: 'readInbox',
          on: { 'inbox.empty': { target: '#reload.claiming', actions: 'recordCommitTimeout' } },
        },
      },
    },
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
    burying: {
      description: "The successor's supervisor is gone: what is left of its generation has to follow.",
      initial: 'reading',
      on: {
        'reload.abort': { actions: 'recordStop' },
        'stop.relayed': { actions: ['recordStop', 'reportStop'] },
      },
      states: {
        reading: {
          description: 'Its last words are read first.',
          entry: 'readInbox',
          on: {
            'successor.failed': { actions: 'recordLastWords' },
            'successor.committed': { actions: 'recordServed' },
            'inbox.empty': { target: 'deciding' },
          },
        },
        deciding: {
          description: 'Who is left, and may they finish what they serve?',
          always: [
            { guard: 'hasDeparted', target: '#reload.refused' },
            { guard: 'hasNotServed', target: 'sweeping' },
            { guard: 'mustBeMourned', target: 'mourning' },
            { target: '#reload.refused' },
          ],
        },
        mourning: {
          description: 'Its workers have served: they may drain before ours start.',
          invoke: {
            id: 'buryAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.drainTimeoutMs }),
          },
          on: {
            'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'sweeping' },
            'reload.abort': { guard: 'isStopping', target: 'sweeping' },
          },
        },
        sweeping: {
          description: 'What is left of it is killed, where its identity is proven.',
          entry: 'killLeftovers',
          invoke: {
            id: 'sweepAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.takeoverTimeoutMs }),
          },
          on: {
            'leftovers.counted': { guard: 'isOverlap', target: '#reload.refused' },
            'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'counting' },
          },
        },
        counting: {
          description: 'Something holds its life pipe: is it one of its workers?',
          entry: 'killLeftovers',
          on: {
            'successor.departed': { target: '#reload.refused', actions: 'recordDeparted' },
            'leftovers.counted': [{ guard: 'noneRemain', target: '#reload.refused' }, { target: 'sweeping' }],
          },
        },
      },
    },
    leaving: {
      description: 'The successor is in charge: we finish and go.',
      entry: ['recordCommitted', 'reportPromoted'],
      initial: 'deciding',
      on: {
        'successor.exited': {
          guard: 'isSuccessor',
          target: 'burying',
          actions: ['recordExit', 'reportLost'],
        },
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
