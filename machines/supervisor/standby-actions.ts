/**
 * Booted spares that wait for a slot.
 */
import { enqueueActions } from 'xstate';
import { emptySlot, freePlaces, markStarting, workerId } from '../slots.js';
import { everyWorker, mayServeIn, promotedInto } from './relief.js';
import { withRelief } from './relief-actions.js';
import { lacksSpares, nextPromotion } from './standby.js';

export const withStandby = withRelief.extend({
  guards: {
    mayPromote: ({ context }) => nextPromotion(context) !== null,
    lacksSpares: ({ context }) => lacksSpares(context),
  },
  actions: {
    startSpares: enqueueActions(({ context, enqueue }) => {
      const { settings, inheritance, generation, spares } = context;
      const count = settings.standby - spares.length;
      const added = freePlaces(everyWorker(context), count).map((place) => emptySlot(0, place, generation));
      for (const record of added) {
        const { slot, place } = record;
        const rights = { admitted: false, retained: true };
        const input = { slot, place, generation, settings, inheritance, ...rights };
        enqueue.spawnChild('worker', { id: workerId(record), input });
      }
      const all = [...spares, ...added];
      for (const record of all)
        if (record.state === 'stopped') enqueue.sendTo(workerId(record), { type: 'worker.start' });
      enqueue.assign({ spares: markStarting(all) });
    }),
    /** The machine of the empty slot makes the next standby, after the wait that its worker's end has earned. */
    promote: enqueueActions(({ context, enqueue }) => {
      const next = nextPromotion(context);
      if (next === null) return;
      const { empty, spare } = next;
      const { slot } = empty;
      const admitted = mayServeIn(context, slot);
      enqueue.sendTo(workerId(spare), { type: 'worker.assign', slot, admitted });
      enqueue.sendTo(workerId(empty), { type: 'worker.assign', slot: 0, admitted: false });
      enqueue.assign(promotedInto(context, empty, spare));
    }),
  },
});
