/**
 * The successor's part of a reload: get ready, ask, serve, take charge, and see the predecessor off.
 *
 * Before the token is taken this machine never acts alone: a successor that has failed says so and waits to be
 * killed. Only the kernel's word that the predecessor is dead lets it go on without one.
 */
import { assign, sendTo, setup } from 'xstate';
import { alarm, predecessor } from './contracts.js';
import type { AlarmName, Identity, TakeoverEvent, TakeoverReport } from './events.js';
import { type Settings, startsAfterGrant } from './policy.js';
import { atMsOf, reporter } from './report.js';
import type { ReloadReason } from './status.js';

export interface TakeoverInput {
  readonly settings: Settings;
  readonly predecessor: Identity;
  /** The predecessor's workers, as the hand-over record named them. */
  readonly workers: readonly Identity[];
  /** Descriptors of the link. */
  readonly messages: number;
  readonly token: number;
  readonly lifeRead: number;
}

export interface TakeoverContext extends TakeoverInput {
  /** Every slot has been ready. */
  readonly ready: boolean;
  /** The token is ours. */
  readonly decided: boolean;
  /** The predecessor's supervisor is gone. */
  readonly dead: boolean;
  /** Supervisor and workers of the predecessor are gone. */
  readonly departed: boolean;
  readonly failure: { readonly reason: ReloadReason; readonly detail: string } | null;
  /** Somebody asked for a stop. */
  readonly stopping: boolean;
}

/** What ends the wait for a predecessor whose process stays: for the end of the service, or for its pid. */
const lastWords = {
  'predecessor.drained': { guard: 'isStopping', target: '#takeover.ended', actions: 'reportGone' },
  'predecessor.anchored': { target: '#takeover.ended', actions: ['reportAnchored', 'reportGone'] },
} as const;

const report = reporter<TakeoverContext, TakeoverEvent, TakeoverReport>();

export const takeoverMachine = setup({
  types: {} as { context: TakeoverContext; events: TakeoverEvent; input: TakeoverInput },
  actors: { alarm, predecessor },
  guards: {
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    startsAfterGrant: ({ context }) => startsAfterGrant(context.settings) && !context.ready,
    hasProbation: ({ context }) => context.settings.probationMs > 0,
    isDecided: ({ context }) => context.decided,
    isDead: ({ context }) => context.dead,
    isStopping: ({ context }) => context.stopping,
    mustBeMourned: ({ context }) => context.settings.handoff === 'exclusive' && !context.departed,
    noneRemain: ({ event }) => event.type === 'leftovers.counted' && event.remaining === 0,
  },
  actions: {
    recordReady: assign({ ready: true }),
    recordDecided: assign({ decided: true }),
    recordDead: assign({ dead: true }),
    recordDeparted: assign({ dead: true, departed: true }),
    recordStop: assign({ stopping: true }),
    recordWorkers: assign(({ event }) =>
      event.type === 'predecessor.workers' ? { workers: event.workers } : {},
    ),
    recordFailure: assign(({ event }) =>
      event.type !== 'slot.failed' ? {} : { failure: { reason: event.reason, detail: event.detail } },
    ),
    readInbox: sendTo('predecessor', { type: 'inbox.read' }),
    takeToken: sendTo('predecessor', { type: 'token.take' }),
    killPredecessor: sendTo('predecessor', { type: 'predecessor.kill' }),
    killLeftovers: sendTo('predecessor', ({ context }) => ({
      type: 'leftovers.kill',
      leftovers: context.workers,
    })),
    sayTakeover: sendTo('predecessor', { type: 'link.say', message: { say: 'takeover' } }),
    sayCommitted: sendTo('predecessor', { type: 'link.say', message: { say: 'committed' } }),
    sayStop: sendTo('predecessor', { type: 'link.say', message: { say: 'stop' } }),
    sayFailed: sendTo('predecessor', ({ context }) => ({
      type: 'link.say',
      message: {
        say: 'failed',
        reason: context.failure?.reason ?? 'exited',
        detail: context.failure?.detail ?? '',
      },
    })),
    sayWorkers: sendTo('predecessor', ({ event }) => ({
      type: 'link.say',
      message: { say: 'workers', workers: event.type === 'workers.changed' ? event.workers : [] },
    })),
    reportAsked: report(({ event }) => ({ type: 'takeover.asked', atMs: atMsOf(event) })),
    reportActivated: report(({ event }) => ({ type: 'takeover.activated', atMs: atMsOf(event) })),
    reportCharged: report(({ event }) => ({ type: 'takeover.charged', atMs: atMsOf(event) })),
    reportCommitted: report(({ event }) => ({ type: 'takeover.committed', atMs: atMsOf(event) })),
    reportFailed: report(({ context, event }) => ({
      type: 'takeover.failed',
      reason: context.failure?.reason ?? 'exited',
      detail: context.failure?.detail ?? '',
      atMs: atMsOf(event),
    })),
    reportSilent: report(({ event }) => ({
      type: 'predecessor.silent',
      alarm: event.type === 'alarm.fired' ? event.alarm : 'leave',
      atMs: atMsOf(event),
    })),
    reportDead: report(({ event }) => ({ type: 'predecessor.dead', atMs: atMsOf(event) })),
    reportKilled: report(({ context, event }) => ({
      type: 'predecessor.killed',
      pid: context.predecessor.pid,
      atMs: atMsOf(event),
    })),
    reportGone: report(({ context, event }) => ({
      type: 'predecessor.gone',
      leftovers: context.departed ? [] : context.workers,
      atMs: atMsOf(event),
    })),
    reportAnchored: report(({ event }) =>
      event.type !== 'predecessor.anchored'
        ? null
        : { type: 'anchor.introduced', pid: event.pid, startTime: event.startTime, atMs: event.atMs },
    ),
    reportJoined: report(({ event }) => (event.type === 'reload.joined' ? event : null)),
    reportStop: report(({ event }) => ({ type: 'stop.requested', via: 'peer', atMs: atMsOf(event) })),
  },
}).createMachine({
  id: 'takeover',
  description: "The successor's part of a reload.",
  context: ({ input }) => ({
    ...input,
    ready: false,
    decided: false,
    dead: false,
    departed: false,
    failure: null,
    stopping: false,
  }),
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
    'takeover.stop': { actions: 'recordStop' },
  },
  initial: 'undecided',
  states: {
    undecided: {
      description: 'The token lies there: the predecessor may still abort.',
      initial: 'warming',
      on: {
        'slot.failed': { target: 'doomed.failing', actions: 'recordFailure' },
        'predecessor.ended': { target: 'alone', actions: 'recordDead' },
        'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
        'takeover.stop': { target: 'doomed.deferring', actions: 'recordStop' },
      },
      states: {
        warming: {
          description:
            'The workers start; none is answered yet. Bounded by their start timeout and the reload alarm.',
          always: { guard: 'startsAfterGrant', target: 'asking' },
          on: { 'slots.ready': { target: 'asking', actions: 'recordReady' } },
        },
        asking: {
          description: 'Every slot is ready: the predecessor was asked.',
          entry: ['reportAsked', 'sayTakeover'],
          invoke: {
            id: 'takeoverAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'takeover', delayMs: context.settings.takeoverTimeoutMs }),
          },
          on: {
            'predecessor.granted': { target: '#takeover.activated' },
            'predecessor.draining': { target: 'waiting' },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
              target: 'looking',
              actions: 'reportSilent',
            },
          },
        },
        waiting: {
          description: "Exclusive: the predecessor's workers drain.",
          invoke: {
            id: 'takeoverAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'takeover',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            'predecessor.granted': { target: '#takeover.activated' },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
              target: 'waitingLook',
              actions: 'reportSilent',
            },
          },
        },
        looking: {
          description: 'The takeover alarm fired: what waits is read before it counts.',
          entry: 'readInbox',
          on: {
            'predecessor.granted': { target: '#takeover.activated' },
            'predecessor.draining': { target: 'waiting' },
            'inbox.empty': { target: 'claiming' },
          },
        },
        waitingLook: {
          description: 'The takeover alarm fired while it drained: what waits is read before it counts.',
          entry: 'readInbox',
          on: {
            'predecessor.granted': { target: '#takeover.activated' },
            'inbox.empty': { target: 'claiming' },
          },
        },
        claiming: {
          description: 'The predecessor is silent: the token says who decides.',
          entry: 'takeToken',
          on: {
            'token.taken': [
              { guard: 'isExclusive', target: '#takeover.ousting', actions: 'recordDecided' },
              { target: '#takeover.activated', actions: 'recordDecided' },
            ],
            'token.gone': { target: '#takeover.doomed.condemned' },
          },
        },
      },
    },
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
      description: 'Our workers may serve.',
      entry: 'reportActivated',
      initial: 'deciding',
      on: {
        'slot.failed': { target: 'doomed.failing', actions: 'recordFailure' },
        'predecessor.ended': { target: 'alone', actions: 'recordDead' },
        'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
        'takeover.stop': { target: 'doomed.deferring', actions: 'recordStop' },
      },
      states: {
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
          description: 'Any exit of a worker is still a failure of this generation.',
          invoke: {
            id: 'probationAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'probation', delayMs: context.settings.probationMs }),
          },
          on: {
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'probation' } },
              target: '#takeover.committing',
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
    leaving: {
      description: 'The predecessor was told; it finishes and goes.',
      entry: ['sayCommitted', 'reportCommitted'],
      initial: 'deciding',
      on: {
        'predecessor.departed': { target: '.departing', actions: 'recordDeparted' },
        'takeover.stop': { actions: ['recordStop', 'sayStop'] },
        'stop.relayed': { actions: ['recordStop', 'reportStop'] },
        'predecessor.ended': { target: 'ended', actions: ['recordDead', 'reportGone'] },
      },
      states: {
        deciding: {
          description: 'Is it still there, and is there a stop to pass on?',
          always: [
            { guard: 'isDead', target: '#takeover.ended', actions: 'reportGone' },
            { guard: 'isStopping', target: 'waiting', actions: 'sayStop' },
            { target: 'waiting' },
          ],
        },
        waiting: {
          description: 'Waits for its end.',
          invoke: {
            id: 'leaveAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'leave',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            ...lastWords,
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'leave' } },
              target: 'looking',
            },
          },
        },
        looking: {
          description: 'The leave alarm fired: what waits is read before it counts.',
          entry: 'readInbox',
          on: {
            ...lastWords,
            'inbox.empty': { target: 'relieving', actions: 'reportSilent' },
          },
        },
        departing: {
          description: 'Its life pipe ended: its last words are read first.',
          entry: 'readInbox',
          on: {
            'predecessor.anchored': lastWords['predecessor.anchored'],
            'inbox.empty': { target: '#takeover.ended', actions: 'reportGone' },
          },
        },
        relieving: {
          description: 'It did not go: it was sent SIGKILL.',
          entry: ['killPredecessor', 'reportKilled'],
          invoke: {
            id: 'killAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'kill', delayMs: context.settings.takeoverTimeoutMs }),
          },
          on: {
            // Whatever it said: it was killed, and stays as nothing.
            'predecessor.departed': { target: '#takeover.ended', actions: ['recordDeparted', 'reportGone'] },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'kill' } },
              target: 'relieving',
              reenter: true,
            },
          },
        },
      },
    },
    doomed: {
      description:
        'This generation has failed or was refused: it waits to be killed, and goes on alone if nobody is left to do it.',
      on: {
        'predecessor.ended': { target: 'alone', actions: 'recordDead' },
        'predecessor.departed': { target: 'alone', actions: 'recordDeparted' },
        'takeover.stop': { target: '.deferring', actions: 'recordStop' },
      },
      initial: 'failing',
      states: {
        failing: {
          description: 'The predecessor was told why; it is told again whenever the alarm fires.',
          entry: ['sayFailed', 'reportFailed'],
          invoke: {
            id: 'failAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'takeover',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
              target: 'failing',
              reenter: true,
              actions: 'reportSilent',
            },
          },
        },
        deferring: {
          description: 'A stop was asked of us: the predecessor aborts this reload and stops.',
          entry: 'sayStop',
          invoke: {
            id: 'deferAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'takeover',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
              target: 'deferring',
              reenter: true,
              actions: 'reportSilent',
            },
          },
        },
        condemned: {
          description: 'The predecessor took the token: it aborts.',
          invoke: {
            id: 'condemnedAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'takeover', delayMs: context.settings.takeoverTimeoutMs }),
          },
          on: {
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'takeover' } },
              target: 'condemned',
              reenter: true,
              actions: 'reportSilent',
            },
          },
        },
      },
    },
    alone: {
      description: 'The predecessor is dead: this generation takes charge, and never gives up.',
      entry: 'reportDead',
      initial: 'claiming',
      states: {
        claiming: {
          description: 'The token is taken, so that nothing of the past decides any more.',
          entry: 'takeToken',
          on: {
            'token.taken': { target: 'deciding', actions: 'recordDecided' },
            'token.gone': { target: 'deciding', actions: 'recordDecided' },
          },
        },
        deciding: {
          description: 'Exclusive: its workers must be gone before ours serve.',
          always: [{ guard: 'mustBeMourned', target: 'mourning' }, { target: 'acting' }],
        },
        mourning: {
          description: 'Its workers saw their supervisor go and leave.',
          invoke: {
            id: 'buryAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'bury', delayMs: context.settings.drainTimeoutMs }),
          },
          on: {
            'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'sweeping' },
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
            'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
            'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'bury' } }, target: 'counting' },
          },
        },
        counting: {
          description: 'Something holds its life pipe: is it one of its workers?',
          entry: 'killLeftovers',
          on: {
            'predecessor.departed': { target: 'acting', actions: 'recordDeparted' },
            'leftovers.counted': [{ guard: 'noneRemain', target: 'acting' }, { target: 'sweeping' }],
          },
        },
        acting: {
          description: 'Our workers may serve, and we are in charge.',
          entry: 'reportActivated',
          always: { target: '#takeover.charging' },
        },
      },
    },
    ended: { type: 'final', description: 'The predecessor is gone.' },
  },
});
