/**
 * Stops, leftovers of another generation, and giving everything back.
 */
import { assign, enqueueActions, raise } from 'xstate';
import { atMsOf } from '../report.js';
import { withAnchor } from './anchor-actions.js';
import { isRelayed, passedOn } from './context.js';

export const supervisorSetup = withAnchor.extend({
  actions: {
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
    raiseStop: raise(({ event }) => ({
      type: 'stop.requested',
      via: 'SIGHUP',
      atMs: atMsOf(event),
      ...passedOn(event),
    })),
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
      const { anchorStops } = passedOn(event);
      const isOurs = !isRelayed(event) && anchorStops === undefined;
      const stopsHere = context.stopsHere + (isOurs ? 1 : 0);
      const stopsThere = context.stopsThere + (isRelayed(event) ? 1 : 0);
      const stopsAtAnchor = anchorStops ?? context.stopsAtAnchor;
      // Somebody who asks all of them once, as a service manager does, has asked once.
      const stops = Math.max(stopsHere, stopsThere, stopsAtAnchor);
      const stopVia = isOurs && event.type === 'stop.requested' ? event.via : context.stopVia;
      return { stopsHere, stopVia, stopsThere, stopsAtAnchor, stops };
    }),
    release: enqueueActions(({ context, enqueue }) => {
      if (context.opened.includes('control')) enqueue.sendTo('control', { type: 'control.remove' });
      if (context.opened.includes('listeners')) enqueue.sendTo('listeners', { type: 'listeners.remove' });
      if (context.inheritance.fence !== null) enqueue.sendTo('fence', { type: 'fence.remove' });
      if (context.opened.includes('lock')) enqueue.sendTo('lock', { type: 'lock.release' });
    }),
  },
});
