/**
 * A reload, where this generation is the successor.
 */
import { assign, enqueueActions, stopChild } from 'xstate';
import { atMsOf } from '../report.js';
import { isRelayed, verdictOf } from './context.js';
import { withReload } from './reload-actions.js';

export const withTakeover = withReload.extend({
  actions: {
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
  },
});
