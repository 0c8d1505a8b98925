/**
 * The supervisor: idle, running, respawning, reloading, takeover, handoff, stopping, stopped, failed.
 */
import { assign, enqueueActions, raise, setup, stopChild } from 'xstate';
import {
  alarm,
  control,
  fence,
  flock,
  type Inheritance,
  leftovers,
  lifePipe,
  listeners,
  signals,
} from './contracts.js';
import type { AlarmName, Failure, Identity, SupervisorEvent, WorkerReport } from './events.js';
import { HANDOVER_VERSION, type HandoverRecord } from './handover.js';
import { countRespawn, exceedsLimit, type Settings, startsAfterGrant } from './policy.js';
import { reloadMachine } from './reload.js';
import { atMsOf } from './report.js';
import {
  allReady,
  allStopped,
  applyWorkerFact,
  emptySlots,
  identitiesOf,
  markStarting,
  type SlotRecord,
  workerId,
} from './slots.js';
import type { ReloadReason, ReloadVerdict } from './status.js';
import { takeoverMachine } from './takeover.js';
import { workerMachine } from './worker.js';

export interface SupervisorInput {
  readonly settings: Settings;
  /** Package version, for status and hand-over. */
  readonly version: string;
  readonly self: Identity;
  readonly startedAtMs: number;
  /** SIGHUP stops: standard input was a terminal at the very first start. */
  readonly hangupStops: boolean;
  /** Only a successor has one. */
  readonly handover: { readonly record: HandoverRecord; readonly messages: number } | null;
}

/** A reload under way, on either side of it. */
export interface ReloadRecord {
  readonly phase: string;
  readonly generation: number;
  readonly startedAtMs: number;
  readonly successorPid: number | null;
  readonly ids: readonly string[];
}

export interface SupervisorContext extends SupervisorInput {
  readonly generation: number;
  /** Numbers of refused generations are not used again. */
  readonly nextGeneration: number;
  /** Facilities that have been opened: only they can be told anything. */
  readonly opened: readonly ('lock' | 'listeners' | 'control')[];
  readonly lock: number | null;
  readonly lifeRead: number | null;
  readonly inheritance: Inheritance;
  readonly slots: readonly SlotRecord[];
  /** Some worker of this generation has been ready. */
  readonly everReady: boolean;
  /** Lock, pid file and control path are ours to write. */
  readonly inCharge: boolean;
  /** Which machine links us to another generation. */
  readonly link: 'none' | 'reload' | 'takeover';
  /** The successor is in charge; we only finish. */
  readonly promoted: boolean;
  readonly predecessorDead: boolean;
  /** Asked for while pid and control socket were being published: begun as soon as the slots are filled. */
  readonly deferredReload: { readonly id: string | null; readonly atMs: number } | null;
  /** Our workers were told to leave, so that a successor's can serve. */
  readonly retiring: boolean;
  readonly reload: ReloadRecord | null;
  readonly lastReload: ReloadVerdict | null;
  readonly respawnsAtMs: readonly number[];
  /** How often a stop was asked for, here or of the other generation, whichever is more; the second one kills. */
  readonly stops: number;
  /** How often it was asked for here; what the other generation was asked, it tells us. */
  readonly stopsHere: number;
  readonly stopsThere: number;
  /** Processes of another generation that lost their supervisor and may still drain. */
  readonly leftovers: readonly Identity[];
  readonly failure: Failure | null;
}

export interface SupervisorOutput {
  readonly failure: Failure | null;
}

type Args = { context: SupervisorContext; event: SupervisorEvent };

const isWorkerReport = (event: SupervisorEvent): event is WorkerReport =>
  event.type.startsWith('worker.') || event.type === 'spawn.failed';

/** The other generation was asked and told us: it is not told in turn. */
const isRelayed = (event: SupervisorEvent): boolean =>
  event.type === 'stop.requested' && event.via === 'peer';

const iso = (ms: number): string => new Date(ms).toISOString();

const verdictOf = (
  { context, event }: Args,
  outcome: ReloadVerdict['outcome'],
  reason: ReloadReason | null,
  detail: string | null,
): ReloadVerdict => ({
  outcome,
  reason,
  detail,
  generation: context.reload?.generation ?? context.generation,
  durationMs: Math.round(atMsOf(event) - (context.reload?.startedAtMs ?? atMsOf(event))),
  at: iso(atMsOf(event)),
  ids: context.reload?.ids ?? [],
});

/** The record for the successor that is about to start. Descriptor numbers are filled in by whoever spawns it. */
const recordFor = (context: SupervisorContext, reload: ReloadRecord): HandoverRecord => ({
  version: HANDOVER_VERSION,
  tanist: context.version,
  name: context.settings.name,
  pidFile: context.settings.pidFile,
  handoff: context.settings.handoff,
  generation: reload.generation,
  predecessor: context.self,
  workers: identitiesOf(context.slots),
  requestedAtMs: reload.startedAtMs,
  ids: reload.ids,
  hangupStops: context.hangupStops,
  descriptors: { lock: -1, token: -1, lifeWrite: -1, lifeRead: -1, peerRead: -1, fence: null },
  listeners: context.inheritance.listeners,
});

const withoutExtension = (pidFile: string): string => pidFile.replace(/\.pid$/, '');

/** Where the control socket is: beside the pid file. */
export const controlPath = (pidFile: string): string => `${withoutExtension(pidFile)}.sock`;

/** Where the lock is that workers of an exclusive daemon share. */
export const fencePath = (pidFile: string): string => `${withoutExtension(pidFile)}.workers`;

const failureOf = ({ event }: Args): Failure => {
  switch (event.type) {
    case 'lock.held':
      return {
        code: 'TANIST_LOCK_HELD',
        message: `already running: ${event.holderPid === null ? 'somebody' : `pid ${event.holderPid}`} holds the lock of ${event.path}`,
      };
    case 'lock.failed':
    case 'pid.failed':
    case 'fence.failed':
    case 'listeners.failed':
    case 'lifePipe.failed':
    case 'control.failed':
      return { code: event.code, message: event.message };
    case 'alarm.fired':
      return {
        code: 'TANIST_PREDECESSOR_WORKERS',
        message: 'workers of an earlier supervisor of this daemon did not leave within the drain timeout',
      };
    default:
      return { code: 'TANIST_INTERNAL', message: `unexpected ${event.type}` };
  }
};

const supervisorSetup = setup({
  types: {} as {
    context: SupervisorContext;
    events: SupervisorEvent;
    input: SupervisorInput;
    output: SupervisorOutput;
  },
  actors: {
    alarm,
    control,
    fence,
    flock,
    leftovers,
    lifePipe,
    listeners,
    signals,
    worker: workerMachine,
    reloadMachine,
    takeoverMachine,
  },
  guards: {
    isAlarm: ({ event }, params: { alarm: AlarmName }) =>
      event.type === 'alarm.fired' && event.alarm === params.alarm,
    isSuccessor: ({ context }) => context.handover !== null,
    isExclusive: ({ context }) => context.settings.handoff === 'exclusive',
    allReady: ({ context }) => allReady(context.slots),
    someReady: ({ context }) => context.everReady,
    notAllReady: ({ context }) => !allReady(context.slots),
    allStopped: ({ context }) => allStopped(context.slots),
    mayRelease: ({ context }) => allStopped(context.slots) && context.link === 'none',
    mayExit: ({ context }) => allStopped(context.slots) && (context.stops === 0 || context.link === 'none'),
    isStopping: ({ context }) => context.stops > 0 || context.failure !== null,
    hasFailure: ({ context }) => context.failure !== null,
    hangupStops: ({ context }) => context.hangupStops,
    isReloadDeferred: ({ context }) => context.deferredReload !== null,
    isLinked: ({ context }) => context.link !== 'none',
    isOverLimit: ({ context }) => exceedsLimit(context.settings.respawnLimit, context.respawnsAtMs),
    holdsLock: ({ context }) => context.lock !== null && context.inCharge,
  },
  actions: {
    // ── facilities ──
    openLock: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('flock', {
        id: 'lock',
        input: { path: context.settings.pidFile, inherited: context.lock },
      });
      enqueue.assign({ opened: [...context.opened, 'lock' as const] });
    }),
    openFence: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('fence', {
        id: 'fence',
        input: { path: fencePath(context.settings.pidFile), inherited: context.inheritance.fence },
      });
    }),
    openFenceIfInherited: enqueueActions(({ context, enqueue }) => {
      if (context.inheritance.fence === null) return;
      enqueue.spawnChild('fence', {
        id: 'fence',
        input: { path: fencePath(context.settings.pidFile), inherited: context.inheritance.fence },
      });
    }),
    openListeners: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('listeners', {
        id: 'listeners',
        input: {
          specs: context.settings.listen,
          inherited: context.handover === null ? null : context.inheritance.listeners,
        },
      });
      enqueue.assign({ opened: [...context.opened, 'listeners' as const] });
    }),
    openLifePipe: enqueueActions(({ enqueue }) => {
      enqueue.spawnChild('lifePipe', { id: 'lifePipe', input: {} });
    }),
    openControl: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('control', {
        id: 'control',
        input: { path: controlPath(context.settings.pidFile) },
      });
      enqueue.assign({ opened: [...context.opened, 'control' as const] });
    }),
    publish: enqueueActions(({ enqueue }) => {
      enqueue.sendTo('lock', { type: 'pid.write' });
      enqueue.sendTo('control', { type: 'control.claim' });
    }),
    recordLock: assign(({ event }) => (event.type === 'lock.acquired' ? { lock: event.descriptor } : {})),
    recordFence: assign(({ context, event }) =>
      event.type !== 'fence.acquired'
        ? {}
        : { inheritance: { ...context.inheritance, fence: event.descriptor } },
    ),
    recordListeners: assign(({ context, event }) =>
      event.type !== 'listeners.bound'
        ? {}
        : { inheritance: { ...context.inheritance, listeners: event.listeners } },
    ),
    recordLifePipe: assign(({ context, event }) =>
      event.type !== 'lifePipe.opened'
        ? {}
        : { lifeRead: event.read, inheritance: { ...context.inheritance, lifeWrite: event.write } },
    ),
    recordFailure: assign((args) => ({ failure: failureOf(args) })),
    recordOverLimit: assign(({ context }) => ({
      failure: {
        code: 'TANIST_RESPAWN_LIMIT',
        message: `more than ${context.settings.respawnLimit?.count} respawns within ${(context.settings.respawnLimit?.withinMs ?? 0) / 1000} s`,
      },
    })),

    // ── slots ──
    createSlots: enqueueActions(({ context, enqueue }) => {
      for (const { slot } of context.slots) {
        enqueue.spawnChild('worker', {
          id: workerId(slot),
          input: {
            slot,
            generation: context.generation,
            settings: context.settings,
            inheritance: context.inheritance,
            admitted: context.inCharge,
            retained: context.inCharge,
          },
        });
      }
    }),
    fillSlots: enqueueActions(({ context, enqueue }) => {
      for (const { slot } of context.slots) enqueue.sendTo(workerId(slot), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots) });
    }),
    fillSlotsUnlessLate: enqueueActions(({ context, enqueue }) => {
      if (startsAfterGrant(context.settings)) return;
      for (const { slot } of context.slots) enqueue.sendTo(workerId(slot), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots) });
    }),
    admitSlots: enqueueActions(({ context, enqueue }) => {
      if (context.stops > 0) return;
      for (const { slot } of context.slots) {
        enqueue.sendTo(workerId(slot), { type: 'worker.admit' });
        if (startsAfterGrant(context.settings)) enqueue.sendTo(workerId(slot), { type: 'worker.start' });
      }
      if (startsAfterGrant(context.settings)) enqueue.assign({ slots: markStarting(context.slots) });
    }),
    retainSlots: enqueueActions(({ context, enqueue }) => {
      if (context.stops > 0) return;
      for (const { slot } of context.slots) enqueue.sendTo(workerId(slot), { type: 'worker.retain' });
    }),
    drainSlots: enqueueActions(({ context, enqueue }) => {
      const type = context.stops > 1 ? 'worker.kill' : 'worker.drain';
      for (const { slot, state } of context.slots) {
        if (state !== 'stopped') enqueue.sendTo(workerId(slot), { type });
      }
    }),
    retire: assign({ retiring: true }),
    recordWorker: assign(({ context, event }) =>
      isWorkerReport(event) ? { slots: applyWorkerFact(context.slots, event) } : {},
    ),
    recordReady: assign({ everReady: true }),
    countRespawn: assign(({ context, event }) =>
      event.type !== 'worker.delayed'
        ? {}
        : { respawnsAtMs: countRespawn(context.settings.respawnLimit, context.respawnsAtMs, event.atMs) },
    ),
    announceWorkers: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'none') return;
      enqueue.sendTo(context.link, { type: 'workers.changed', workers: identitiesOf(context.slots) });
    }),
    announceReady: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'takeover' && allReady(context.slots))
        enqueue.sendTo('takeover', { type: 'slots.ready' });
    }),
    announceFailure: enqueueActions(({ context, event, enqueue }) => {
      if (context.link !== 'takeover' || event.type !== 'worker.failed') return;
      const { reason, detail, atMs } = event;
      enqueue.sendTo('takeover', { type: 'slot.failed', reason, detail, atMs });
    }),
    announceDrained: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'reload') enqueue.sendTo('reload', { type: 'workers.drained' });
    }),

    // ── reload: this generation is the predecessor ──
    beginReload: assign(({ context, event }) => ({
      link: 'reload' as const,
      nextGeneration: context.nextGeneration + 1,
      reload: {
        phase: 'starting',
        generation: context.nextGeneration,
        startedAtMs: atMsOf(event),
        successorPid: null,
        ids: event.type === 'reload.requested' && event.id !== null ? [event.id] : [],
      },
    })),
    deferReload: assign(({ context, event }) =>
      event.type !== 'reload.requested' || context.deferredReload !== null
        ? {}
        : { deferredReload: { id: event.id, atMs: event.atMs } },
    ),
    beginDeferredReload: assign(({ context }) => ({
      link: 'reload' as const,
      deferredReload: null,
      nextGeneration: context.nextGeneration + 1,
      reload: {
        phase: 'starting',
        generation: context.nextGeneration,
        startedAtMs: context.deferredReload?.atMs ?? context.startedAtMs,
        successorPid: null,
        ids: context.deferredReload?.id ? [context.deferredReload.id] : [],
      },
    })),
    startSuccessor: enqueueActions(({ context, enqueue }) => {
      if (context.reload === null) return;
      enqueue.spawnChild('reloadMachine', {
        id: 'reload',
        input: {
          settings: context.settings,
          record: recordFor(context, context.reload),
          descriptors: {
            lock: context.lock ?? -1,
            lifeRead: context.lifeRead ?? -1,
            fence: context.inheritance.fence,
            listeners: context.inheritance.listeners.map((listener) => listener.descriptor),
          },
        },
      });
    }),
    recordSuccessor: assign(({ context, event }) =>
      event.type !== 'reload.started' || context.reload === null
        ? {}
        : { reload: { ...context.reload, phase: 'warming', successorPid: event.pid } },
    ),
    joinReload: assign(({ context, event }) => {
      if (context.reload === null) return {};
      if (event.type !== 'reload.requested' && event.type !== 'reload.joined') return {};
      if (event.id === null || context.reload.ids.includes(event.id)) return {};
      return { reload: { ...context.reload, ids: [...context.reload.ids, event.id] } };
    }),
    passJoin: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'reload.requested' || event.id === null || context.link !== 'reload') return;
      enqueue.sendTo('reload', { type: 'reload.join', id: event.id });
    }),
    abortReload: enqueueActions(({ context, event, enqueue }) => {
      if (context.link !== 'reload' || isRelayed(event)) return;
      enqueue.sendTo('reload', { type: 'reload.abort', atMs: atMsOf(event) });
    }),
    phaseGranting: assign(({ context }) => ({
      reload: context.reload && { ...context.reload, phase: 'handoff' },
    })),
    phaseLeaving: assign(({ context }) => ({
      reload: context.reload && { ...context.reload, phase: 'leaving' },
    })),
    recordPromoted: assign((args) => ({
      promoted: true,
      lastReload: verdictOf(args, 'promoted', null, null),
    })),
    recordRefused: assign((args) => {
      const { context, event } = args;
      if (event.type !== 'reload.refused') return {};
      const outcome = context.promoted ? 'rolled-back' : 'refused';
      return {
        link: 'none' as const,
        promoted: false,
        lastReload: verdictOf(args, outcome, event.reason, event.detail),
        reload: null,
        leftovers: [...context.leftovers, ...event.leftovers],
      };
    }),
    answer: enqueueActions(({ context, enqueue }) => {
      if (context.lastReload !== null && context.opened.includes('control')) {
        enqueue.sendTo('control', { type: 'control.answer', verdict: context.lastReload });
      }
    }),
    answerEnded: enqueueActions((args) => {
      if (!args.context.opened.includes('control')) return;
      const verdict = verdictOf(args, 'refused', 'stopped', 'both generations stop');
      args.enqueue.sendTo('control', { type: 'control.answer', verdict });
    }),
    answerStopped: enqueueActions((args) => {
      if (!args.context.opened.includes('control')) return;
      const detail = 'the supervisor is stopping';
      const { event } = args;
      if (event.type !== 'reload.requested' || event.via !== 'control') return;
      args.enqueue.sendTo('control', {
        type: 'control.answer',
        verdict: verdictOf(args, 'refused', 'stopped', detail),
      });
    }),
    comeBack: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo('lock', { type: 'pid.write' });
      enqueue.sendTo('control', { type: 'control.claim' });
      if (context.stops > 0 || !context.retiring) return;
      // It is about to give up: a worker that is started now would only be asked to leave.
      if (exceedsLimit(context.settings.respawnLimit, context.respawnsAtMs)) return;
      // All of them: one that was just being spawned was told to leave as well, and shows no sign of it.
      for (const { slot } of context.slots) enqueue.sendTo(workerId(slot), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots), retiring: false });
    }),
    dropReload: stopChild('reload'),
    forgetSuccessor: assign({ link: 'none' as const, reload: null }),

    // ── takeover: this generation is the successor ──
    startTakeover: enqueueActions(({ context, enqueue }) => {
      const { handover } = context;
      if (handover === null) return;
      enqueue.spawnChild('takeoverMachine', {
        id: 'takeover',
        input: {
          settings: context.settings,
          predecessor: handover.record.predecessor,
          workers: handover.record.workers,
          messages: handover.messages,
          token: handover.record.descriptors.token,
          lifeRead: handover.record.descriptors.peerRead,
        },
      });
    }),
    phaseTakeover: assign(({ context }) => ({
      reload: context.reload && { ...context.reload, phase: 'takeover' },
    })),
    recordCharge: assign({ inCharge: true }),
    tellCharge: enqueueActions(({ context, event, enqueue }) => {
      if (context.link === 'takeover' && context.inCharge)
        enqueue.sendTo('takeover', { type: 'charge.taken', atMs: atMsOf(event) });
    }),
    recordCommitted: assign((args) => ({
      lastReload: verdictOf(
        args,
        'promoted',
        null,
        args.context.predecessorDead ? 'the predecessor died during the reload' : null,
      ),
    })),
    recordPredecessorDead: assign({ predecessorDead: true }),
    recordPredecessorGone: assign(({ context, event }) => ({
      link: 'none' as const,
      reload: null,
      lastReload: context.lastReload && {
        ...context.lastReload,
        ids: [...new Set([...context.lastReload.ids, ...(context.reload?.ids ?? [])])],
      },
      leftovers: [...context.leftovers, ...(event.type === 'predecessor.gone' ? event.leftovers : [])],
    })),
    dropTakeover: stopChild('takeover'),
    passStop: enqueueActions(({ context, event, enqueue }) => {
      if (context.link !== 'takeover' || isRelayed(event)) return;
      enqueue.sendTo('takeover', { type: 'takeover.stop' });
    }),

    // ── leftovers and end ──
    awaitLeftovers: enqueueActions(({ context, enqueue }) => {
      if (context.leftovers.length === 0) return;
      enqueue.stopChild('leftoversAlarm');
      enqueue.spawnChild('alarm', {
        id: 'leftoversAlarm',
        input: { alarm: 'leftovers', delayMs: context.settings.drainTimeoutMs },
      });
    }),
    killLeftovers: enqueueActions(({ context, enqueue }) => {
      enqueue.stopChild('leftoversAlarm');
      if (context.leftovers.length === 0) return;
      enqueue.stopChild('leftovers');
      enqueue.spawnChild('leftovers', { id: 'leftovers', input: { leftovers: context.leftovers } });
      enqueue.assign({ leftovers: [] });
    }),
    raiseStop: raise(({ event }) => ({ type: 'stop.requested', via: 'SIGHUP', atMs: atMsOf(event) })),
    raiseReload: raise(({ event }) => ({
      type: 'reload.requested',
      via: 'SIGHUP',
      id: null,
      atMs: atMsOf(event),
    })),
    joinLastReload: assign(({ context, event }) => ({
      lastReload: context.lastReload && {
        ...context.lastReload,
        ids:
          event.type === 'reload.requested' && event.id !== null
            ? [...context.lastReload.ids, event.id]
            : context.lastReload.ids,
      },
    })),
    countStop: assign(({ context, event }) => {
      const stopsHere = context.stopsHere + (isRelayed(event) ? 0 : 1);
      const stopsThere = context.stopsThere + (isRelayed(event) ? 1 : 0);
      // Somebody who asks both generations once, as a service manager does, has asked once.
      return { stopsHere, stopsThere, stops: Math.max(stopsHere, stopsThere) };
    }),
    release: enqueueActions(({ context, enqueue }) => {
      if (context.opened.includes('control')) enqueue.sendTo('control', { type: 'control.remove' });
      if (context.opened.includes('listeners')) enqueue.sendTo('listeners', { type: 'listeners.remove' });
      if (context.inheritance.fence !== null) enqueue.sendTo('fence', { type: 'fence.remove' });
      enqueue.sendTo('lock', { type: 'lock.release' });
    }),
  },
});

/** Where the supervisor goes when nothing of a reload is left to do: as its slots are. */
const settle = [
  { guard: 'isStopping', target: '#supervisor.stopping' },
  { guard: 'allReady', target: '#supervisor.running' },
  { guard: 'someReady', target: '#supervisor.respawning' },
  { target: '#supervisor.idle.starting' },
] as const;

const settleWith = <const Actions extends readonly string[]>(actions: Actions) =>
  settle.map((transition) => ({ ...transition, actions }));

const reload = { target: '#supervisor.reloading', actions: ['beginReload', 'startSuccessor'] } as const;

/** What can be asked of a supervisor that serves; a predecessor may still be finishing beside it. */
const requests = {
  'reload.requested': [{ guard: 'isLinked', actions: 'joinReload' }, reload],
  'stop.requested': { target: '#supervisor.stopping', actions: 'countStop' },
} as const;

export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  description: 'A supervisor of one generation, from its start to its end.',
  context: ({ input }) => {
    const record = input.handover?.record ?? null;
    const generation = record?.generation ?? 1;
    return {
      ...input,
      generation,
      nextGeneration: generation + 1,
      opened: [],
      lock: record?.descriptors.lock ?? null,
      lifeRead: record?.descriptors.lifeRead ?? null,
      inheritance: {
        listeners: record?.listeners ?? [],
        lifeWrite: record?.descriptors.lifeWrite ?? -1,
        fence: record?.descriptors.fence ?? null,
      },
      slots: emptySlots(input.settings.workers, generation),
      everReady: false,
      inCharge: record === null,
      link: record === null ? 'none' : 'takeover',
      promoted: false,
      predecessorDead: false,
      deferredReload: null,
      retiring: false,
      reload: record && {
        phase: 'warming',
        generation,
        startedAtMs: record.requestedAtMs,
        successorPid: input.self.pid,
        ids: record.ids,
      },
      lastReload: null,
      respawnsAtMs: [],
      stops: 0,
      stopsHere: 0,
      stopsThere: 0,
      leftovers: [],
      failure: null,
    };
  },
  output: ({ context }) => ({ failure: context.failure }),
  invoke: { id: 'signals', src: 'signals', input: {} },
  on: {
    'hangup.received': [{ guard: 'hangupStops', actions: 'raiseStop' }, { actions: 'raiseReload' }],
    'worker.spawned': { actions: ['recordWorker', 'announceWorkers'] },
    'worker.ready': { actions: ['recordWorker', 'recordReady', 'announceReady'] },
    'worker.exited': { actions: ['recordWorker', 'announceWorkers'] },
    'worker.delayed': { actions: ['recordWorker', 'countRespawn'] },
    'worker.failed': { actions: 'announceFailure' },
    'worker.draining': { actions: 'recordWorker' },
    'worker.killing': { actions: 'recordWorker' },
    'worker.stopped': { actions: 'recordWorker' },
    'worker.described': { actions: 'recordWorker' },
    'spawn.failed': { actions: 'recordWorker' },
    'takeover.activated': { actions: 'admitSlots' },
    'takeover.charged': { actions: ['recordCharge', 'publish', 'retainSlots'] },
    'control.claimed': { actions: 'tellCharge' },
    'control.failed': { actions: 'tellCharge' },
    'takeover.committed': settleWith(['recordCommitted', 'phaseLeaving']),
    'predecessor.dead': { actions: 'recordPredecessorDead' },
    'predecessor.gone': { actions: ['recordPredecessorGone', 'answer', 'dropTakeover', 'awaitLeftovers'] },
    'reload.joined': { actions: 'joinReload' },
    'alarm.fired': {
      guard: { type: 'isAlarm', params: { alarm: 'leftovers' } },
      actions: 'killLeftovers',
    },
  },
  initial: 'idle',
  states: {
    idle: {
      description: 'No worker has been ready yet. A successor stays here until it asks for takeover.',
      initial: 'deciding',
      on: { 'stop.requested': { target: 'stopping', actions: 'countStop' } },
      states: {
        deciding: {
          description: 'A successor inherits what a first generation has to open.',
          always: [
            {
              guard: 'isSuccessor',
              target: 'warming',
              actions: ['openLock', 'openFenceIfInherited', 'openListeners', 'openControl', 'startTakeover'],
            },
            { target: 'locking', actions: 'openLock' },
          ],
        },
        locking: {
          description: 'The pid-file lock is being taken.',
          on: {
            'lock.acquired': [
              { guard: 'isExclusive', target: 'fencing', actions: ['recordLock', 'openFence'] },
              { target: 'binding', actions: ['recordLock', 'openListeners'] },
            ],
            'lock.held': { target: '#supervisor.failed', actions: 'recordFailure' },
            'lock.failed': { target: '#supervisor.failed', actions: 'recordFailure' },
          },
        },
        fencing: {
          description: 'Exclusive: workers of an earlier supervisor, killed alone, may still serve.',
          invoke: {
            id: 'fenceAlarm',
            src: 'alarm',
            input: ({ context }) => ({ alarm: 'fence', delayMs: context.settings.drainTimeoutMs }),
          },
          on: {
            'fence.acquired': { target: 'binding', actions: ['recordFence', 'openListeners'] },
            'fence.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'fence' } },
              target: '#supervisor.stopping',
              actions: 'recordFailure',
            },
          },
        },
        binding: {
          description: 'The listeners are being opened.',
          on: {
            'listeners.bound': { target: 'opening', actions: ['recordListeners', 'openLifePipe'] },
            'listeners.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
          },
        },
        opening: {
          description: 'The life pipe is being made.',
          on: {
            'lifePipe.opened': {
              target: 'publishing',
              actions: ['recordLifePipe', 'openControl', 'publish'],
            },
            'lifePipe.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
            'reload.requested': { actions: 'deferReload' },
          },
        },
        publishing: {
          description: 'Pid and control socket are being published.',
          on: {
            'control.claimed': { target: 'starting', actions: ['createSlots', 'fillSlots'] },
            'control.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
            'pid.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
            'reload.requested': { actions: 'deferReload' },
          },
        },
        starting: {
          description: 'Waits for the first worker that is ready.',
          always: [
            { guard: 'isOverLimit', target: '#supervisor.stopping', actions: 'recordOverLimit' },
            {
              guard: 'isReloadDeferred',
              target: '#supervisor.reloading',
              actions: ['beginDeferredReload', 'startSuccessor'],
            },
            { guard: 'allReady', target: '#supervisor.running' },
            { guard: 'someReady', target: '#supervisor.respawning' },
          ],
          on: { 'reload.requested': reload },
        },
        warming: {
          description: 'A successor brings up its workers; the predecessor serves.',
          entry: ['createSlots', 'fillSlotsUnlessLate'],
          on: {
            'takeover.asked': { target: '#supervisor.takeover', actions: 'phaseTakeover' },
            'stop.requested': { actions: ['countStop', 'passStop'] },
            'reload.requested': { actions: 'joinReload' },
          },
        },
      },
    },
    running: {
      description: 'Every slot is ready.',
      always: [
        { guard: 'isOverLimit', target: 'stopping', actions: 'recordOverLimit' },
        { guard: 'notAllReady', target: 'respawning' },
      ],
      on: requests,
    },
    respawning: {
      description: 'Some slot is not ready.',
      always: [
        { guard: 'isOverLimit', target: 'stopping', actions: 'recordOverLimit' },
        { guard: 'allReady', target: 'running' },
      ],
      on: requests,
    },
    reloading: {
      description: 'A successor starts; this generation serves and fills its slots.',
      on: {
        'reload.started': { actions: 'recordSuccessor' },
        'handoff.begun': { target: 'handoff' },
        // While this process hung, the successor decided without it.
        'reload.promoted': { target: 'handoff.leaving', actions: ['recordPromoted', 'answer'] },
        'reload.refused': settleWith(['recordRefused', 'dropReload', 'comeBack', 'answer', 'awaitLeftovers']),
        'reload.requested': { actions: ['joinReload', 'passJoin'] },
        'stop.requested': { actions: ['countStop', 'abortReload'] },
      },
    },
    takeover: {
      description: 'The successor, ready, has asked; until it is in charge.',
      on: {
        'stop.requested': { actions: ['countStop', 'passStop'] },
        'reload.requested': { actions: 'joinReload' },
      },
    },
    handoff: {
      description: 'The predecessor grants the takeover, finishes and goes.',
      entry: 'phaseGranting',
      initial: 'deciding',
      on: {
        'reload.refused': settleWith(['recordRefused', 'dropReload', 'comeBack', 'answer', 'awaitLeftovers']),
        'reload.promoted': { target: '.leaving', actions: ['recordPromoted', 'answer'] },
        'reload.requested': { actions: ['joinReload', 'passJoin'] },
        'stop.requested': { actions: ['countStop', 'abortReload'] },
      },
      states: {
        deciding: {
          description: 'Exclusive mode drains first.',
          always: [{ guard: 'isExclusive', target: 'draining' }, { target: 'granting' }],
        },
        draining: {
          description: 'Exclusive: our workers leave before the successor serves.',
          entry: ['retire', 'drainSlots'],
          always: { guard: 'allStopped', target: 'granting', actions: 'announceDrained' },
        },
        granting: { description: 'The successor takes charge, or fails. Bounded by the commit alarm.' },
        leaving: {
          description: 'The successor is in charge: our workers finish.',
          entry: ['phaseLeaving', 'retire', 'drainSlots'],
          always: [
            { guard: 'mayExit', target: '#supervisor.stopped' },
            { guard: 'allStopped', target: 'parting', actions: 'announceDrained' },
          ],
          on: {
            'successor.lost': { target: 'returning' },
            'reload.requested': { actions: ['joinLastReload', 'answer'] },
            'stop.requested': { actions: ['countStop', 'drainSlots', 'abortReload'] },
          },
        },
        returning: {
          description:
            'The successor died in charge: this generation comes back, or ends if a stop was asked for. Bounded by the alarms of the reload.',
          on: { 'successor.gone': { target: 'leaving', actions: ['answerEnded', 'forgetSuccessor'] } },
        },
        parting: {
          description: 'Both generations stop: this one waits for the end of the other.',
          invoke: {
            id: 'partAlarm',
            src: 'alarm',
            input: ({ context }) => ({
              alarm: 'leave',
              delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
            }),
          },
          on: {
            'successor.gone': { target: '#supervisor.stopped', actions: 'forgetSuccessor' },
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'leave' } },
              target: '#supervisor.stopped',
            },
            'reload.requested': { actions: 'answerStopped' },
            'stop.requested': { actions: ['countStop', 'abortReload'] },
          },
        },
      },
    },
    stopping: {
      description: 'The workers leave, then everything is given back.',
      entry: ['drainSlots', 'passStop'],
      initial: 'draining',
      on: {
        'reload.requested': { actions: 'answerStopped' },
        'stop.requested': { actions: ['countStop', 'drainSlots', 'passStop'] },
      },
      states: {
        draining: {
          description: 'Waits for the last worker, and for the end of another generation.',
          always: { guard: 'mayRelease', target: 'releasing', actions: ['killLeftovers', 'release'] },
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
            'alarm.fired': {
              guard: { type: 'isAlarm', params: { alarm: 'release' } },
              target: '#supervisor.stopped',
            },
          },
        },
      },
    },
    stopped: { type: 'final', description: 'Done: nothing of this generation is left.' },
    failed: { type: 'final', description: 'It could not start, or gave up: the reason is in the output.' },
  },
});
