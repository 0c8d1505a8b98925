/**
 * A reload, where this generation is the predecessor.
 */
import { assign, enqueueActions, stopChild } from 'xstate';
import { exceedsLimit } from '../policy.js';
import { atMsOf } from '../report.js';
import { markStarting, wantedSlots, workerId } from '../slots.js';
import { isRelayed, recordFor, verdictOf } from './context.js';
import { withScale } from './scale-actions.js';

export const withReload = withScale.extend({
  actions: {
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
    deferReload: assign(({ context, event }) => {
      if (event.type !== 'reload.requested') return {};
      const { ids, atMs } = context.deferredReload ?? { ids: [], atMs: event.atMs };
      return { deferredReload: { ids: event.id === null ? ids : [...ids, event.id], atMs } };
    }),
    beginDeferredReload: assign(({ context }) => ({
      link: 'reload' as const,
      deferredReload: null,
      nextGeneration: context.nextGeneration + 1,
      reload: {
        phase: 'starting',
        generation: context.nextGeneration,
        startedAtMs: context.deferredReload?.atMs ?? context.startedAtMs,
        successorPid: null,
        ids: context.deferredReload?.ids ?? [],
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
            lock: context.lock,
            lifeRead: context.lifeRead ?? -1,
            fence: context.inheritance.fence,
            anchor: context.anchorDescriptor,
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
    phaseProbation: assign(({ context, event }) =>
      event.type === 'reload.activated' && event.probationMs > 0
        ? { reload: context.reload && { ...context.reload, phase: 'probation' } }
        : {},
    ),
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
      return {
        link: 'none' as const,
        promoted: false,
        lastReload: verdictOf(args, event.outcome, event.reason, event.detail),
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
    refuseReload: enqueueActions((args) => {
      const { context, event, enqueue } = args;
      if (event.type !== 'reload.requested') return;
      const verdict = {
        ...verdictOf(
          args,
          'refused',
          'not-reloadable',
          'this daemon allows no reload: stop it and start it again',
        ),
        ids: event.id === null ? [] : [event.id],
      };
      enqueue.assign({ lastReload: verdict });
      if (context.opened.includes('control')) enqueue.sendTo('control', { type: 'control.answer', verdict });
    }),
    answerDeferred: enqueueActions((args) => {
      if (args.context.deferredReload === null || !args.context.opened.includes('control')) return;
      const verdict = verdictOf(args, 'refused', 'stopped', 'the supervisor is stopping');
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
      if (context.opened.includes('lock')) enqueue.sendTo('lock', { type: 'pid.write' });
      if (context.opened.includes('control'))
        enqueue.sendTo('control', { type: 'control.claim', first: false });
      if (context.stops > 0 || !context.retiring) return;
      // It is about to give up: a worker that is started now would only be asked to leave.
      if (exceedsLimit(context.settings.respawnLimit, context.respawnsAtMs)) return;
      // All of them: one that was just being spawned was told to leave as well, and shows no sign of it.
      for (const record of wantedSlots(context.slots))
        enqueue.sendTo(workerId(record), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots), retiring: false });
    }),
    takeBack: assign({ promoted: false }),
    dropReload: stopChild('reload'),
    forgetSuccessor: assign({ link: 'none' as const, reload: null }),
  },
});
