/**
 * The first process as an anchor, and what later generations and the anchor owe each other.
 */
import { assign, enqueueActions, raise, stopChild } from 'xstate';
import { concludeTimeoutMs } from '../policy.js';
import { atMsOf } from '../report.js';
import { workerId } from '../slots.js';
import type { SupervisorContext } from './context.js';
import { everyWorker } from './relief.js';
import { withTakeover } from './takeover-actions.js';

/** Everything that belongs to a service and not to its anchor. The leftovers and their alarm stay. */
const BELONGINGS = [
  'publishAlarm',
  'reliefAlarm',
  'control',
  'listeners',
  'fence',
  'lock',
  'lifePipe',
  'starter',
  'reload',
] as const;

/** A later generation that is in charge has its end of the socket pair open; nobody else has. */
const readsAnchor = ({ handover, inCharge, promoted, anchorDescriptor }: SupervisorContext): boolean =>
  handover !== null && inCharge && !promoted && anchorDescriptor !== null;

/** The signal that asks a generation for what the anchor was asked for. */
const signalOf = (via: string, otherwise: string): string => (via.startsWith('SIG') ? via : otherwise);

const chargeText = ({ charge }: SupervisorContext): string =>
  charge === null ? 'the generation in charge' : `generation ${charge.generation} (pid ${charge.pid})`;

export const withAnchor = withTakeover.extend({
  guards: {
    mustIntroduce: ({ context }) =>
      context.settings.anchor && context.handover === null && context.link === 'reload',
    becomesAnchor: ({ context }) => context.settings.anchor && context.handover === null,
    /** A service that stops already ends in any case, and a second stop would kill its workers. */
    mustFollowAnchor: ({ context }) => context.anchor !== null && context.stops === 0,
    hasLostAnchor: ({ context }) => context.anchorDescriptor === null && context.stops === 0,
    endedWell: ({ context }) => context.conclusion !== null && context.conclusion.failure === null,
  },
  actions: {
    // ── the first process ──
    openService: enqueueActions(({ enqueue }) => {
      enqueue.spawnChild('service', { id: 'service', input: {} });
    }),
    recordService: assign(({ event }) =>
      event.type === 'service.prepared' ? { anchorDescriptor: event.descriptor } : {},
    ),
    tellAnchored: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo('reload', { type: 'reload.anchor', ...context.self });
    }),
    giveBack: enqueueActions(({ context, enqueue }) => {
      for (const record of everyWorker(context)) enqueue.stopChild(workerId(record));
      for (const id of BELONGINGS) enqueue.stopChild(id);
      enqueue.assign({
        slots: [],
        reliefs: [],
        spares: [],
        reliefRests: false,
        opened: [],
        lock: null,
        lifeRead: null,
        inheritance: { listeners: [], lifeWrite: -1, fence: null },
        inCharge: false,
        link: 'none',
        reload: null,
        anchorDescriptor: null,
        anchor: context.self,
      });
    }),
    watchService: enqueueActions(({ enqueue }) => {
      enqueue.sendTo('service', { type: 'service.watch' });
    }),
    forwardStop: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'stop.requested') return;
      const signal = signalOf(event.via, 'SIGTERM');
      enqueue.sendTo('service', { type: 'service.forward', signal, stops: context.stopsHere });
    }),
    // Said on the link before, or not: the generation in charge counts it once.
    repeatStop: enqueueActions(({ context, enqueue }) => {
      const { stopsHere, stopVia } = context;
      if (stopsHere === 0) return;
      const signal = signalOf(stopVia, 'SIGTERM');
      enqueue.sendTo('service', { type: 'service.forward', signal, stops: stopsHere });
    }),
    forwardReload: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'reload.requested') return;
      const signal = signalOf(event.via, 'SIGUSR2');
      enqueue.sendTo('service', { type: 'service.forward', signal, stops: context.stopsHere });
    }),
    // The successor may know already that this process stays: for it, and for whoever asks it, that reload is over.
    forwardDeferredReload: enqueueActions(({ context, enqueue }) => {
      if (context.deferredReload === null) return;
      enqueue.sendTo('service', { type: 'service.forward', signal: 'SIGUSR2', stops: context.stopsHere });
      enqueue.assign({ deferredReload: null });
    }),
    // By a signal: nobody else can ask an anchor, which has no control socket.
    forwardScale: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'scale.requested') return;
      enqueue.sendTo('service', { type: 'service.forward', signal: event.via, stops: context.stopsHere });
    }),
    // Whoever takes charge after another one's end has not concluded anything.
    recordServiceCharge: assign(({ event }) =>
      event.type !== 'service.charged'
        ? {}
        : {
            charge: { pid: event.pid, startTime: event.startTime, generation: event.generation },
            conclusion: null,
          },
    ),
    recordConclusion: assign(({ event }) =>
      event.type !== 'service.concluded' ? {} : { conclusion: { failure: event.failure } },
    ),
    recordServiceEnd: assign(({ context }) => ({
      failure: context.conclusion?.failure ?? {
        code: 'TANIST_SERVICE_LOST',
        message: `the service ended without a word: ${chargeText(context)} was killed, or crashed`,
      },
    })),
    killCharge: enqueueActions(({ context, enqueue }) => {
      if (context.charge === null) return;
      const { pid, startTime } = context.charge;
      enqueue.spawnChild('kill', {
        id: 'chargeKill',
        input: { pid, startTime, signal: 'SIGKILL', group: false },
      });
    }),
    recordStopOverdue: assign(({ context }) => ({
      failure: {
        code: 'TANIST_STOP_OVERDUE',
        message: `${chargeText(context)} did not stop within ${concludeTimeoutMs(context.settings) / 1000} s`,
      },
    })),

    // ── a later generation ──
    openAnchor: enqueueActions(({ context, enqueue }) => {
      const { anchorDescriptor: descriptor, self, generation } = context;
      if (descriptor === null) return;
      enqueue.spawnChild('anchor', { id: 'anchor', input: { descriptor, ...self, generation } });
    }),
    leaveAnchor: stopChild('anchor'),
    // The successor that read it died in charge.
    resumeAnchor: enqueueActions(({ context, enqueue }) => {
      const { anchorDescriptor: descriptor, self, generation } = context;
      if (!context.promoted || context.handover === null || descriptor === null) return;
      enqueue.spawnChild('anchor', { id: 'anchor', input: { descriptor, ...self, generation } });
    }),
    recordAnchor: assign(({ event }) =>
      event.type !== 'anchor.introduced' ? {} : { anchor: { pid: event.pid, startTime: event.startTime } },
    ),
    dropAnchor: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('anchor');
      enqueue.assign({ anchor: null, anchorDescriptor: null });
    }),
    raiseAnchorStop: raise(({ event }) => ({ type: 'stop.requested', via: 'anchor', atMs: atMsOf(event) })),
    conclude: enqueueActions(({ context, enqueue }) => {
      if (!readsAnchor(context)) return;
      enqueue.sendTo('anchor', { type: 'anchor.conclude', failure: context.failure });
    }),
  },
});
