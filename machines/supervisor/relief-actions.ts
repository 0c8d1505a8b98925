/**
 * A worker that uses too much memory is replaced: its successor is ready first.
 */
import { assign, enqueueActions } from 'xstate';
import type { AlarmInput } from '../contracts.js';
import { excessText } from '../memory.js';
import { startsAfterGrant } from '../policy.js';
import { type SlotRecord, workerId } from '../slots.js';
import type { SupervisorContext } from './context.js';
import {
  isNeedless,
  mayServeIn,
  newRelief,
  nextToRelieve,
  readySpare,
  reliefOf,
  relieved,
  relievedBy,
  withdrawn,
} from './relief.js';
import { withSlots } from './slot-actions.js';

const causeOf = ({ settings }: SupervisorContext, { memoryBytes }: SlotRecord): string =>
  // It may have exited since, and been filled again.
  memoryBytes === null
    ? 'its replacement is ready'
    : `it is replaced, since it uses ${excessText(memoryBytes, settings.maxMemoryBytes ?? 0)}`;

interface Enqueue {
  stopChild(id: string): void;
  spawnChild(src: 'alarm', options: { readonly id: string; readonly input: AlarmInput }): void;
}

/** Whatever is wrong with all of them, or with what replaces them, is not tried again and again at once. */
const rest = (enqueue: Enqueue, { settings }: SupervisorContext): { reliefRests: true } => {
  enqueue.stopChild('reliefAlarm');
  enqueue.spawnChild('alarm', {
    id: 'reliefAlarm',
    input: { alarm: 'relief', delayMs: settings.respawnDelayMs },
  });
  return { reliefRests: true };
};

export const withRelief = withSlots.extend({
  guards: {
    mayRelieve: ({ context }) => nextToRelieve(context) !== null,
  },
  actions: {
    startRelief: enqueueActions(({ context, enqueue }) => {
      const worker = nextToRelieve(context);
      if (worker === null) return;
      const { settings, inheritance, generation } = context;
      if (startsAfterGrant(settings)) {
        // A second one would serve as soon as it lives: this one leaves first, and its slot is filled at once.
        enqueue.sendTo(workerId(worker), { type: 'worker.drain', cause: causeOf(context, worker) });
        enqueue.sendTo(workerId(worker), { type: 'worker.start' });
        const slots = context.slots.map((record) =>
          record === worker ? { ...record, memoryBytes: null } : record,
        );
        enqueue.assign({ slots, ...rest(enqueue, context) });
        return;
      }
      const spare = readySpare(context);
      if (spare !== null) {
        const admitted = settings.handoff === 'overlap';
        enqueue.sendTo(workerId(spare), { type: 'worker.assign', slot: worker.slot, admitted });
        enqueue.sendTo(workerId(worker), { type: 'worker.drain', cause: causeOf(context, worker) });
        enqueue.assign({ ...relievedBy(context, worker, spare), ...rest(enqueue, context) });
        return;
      }
      const reliefs = newRelief(context, worker);
      for (const relief of reliefs) {
        const { slot, place } = relief;
        const rights = { admitted: false, retained: false };
        const input = { slot, place, generation, settings, inheritance, ...rights };
        enqueue.spawnChild('worker', { id: workerId(relief), input });
        enqueue.sendTo(workerId(relief), { type: 'worker.start' });
      }
      enqueue.assign({ reliefs });
    }),
    /** It is ready: it fills the slot from now on, and whoever did leaves. */
    takeRelief: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'worker.ready') return;
      const relief = reliefOf(context, event);
      const worker = context.slots.find(({ slot }) => slot === event.slot);
      if (relief?.stage !== 'coming' || worker === undefined) return;
      enqueue.sendTo(workerId(relief), { type: 'worker.retain' });
      // Exclusive: it may serve when the other one is gone.
      if (context.settings.handoff === 'overlap') enqueue.sendTo(workerId(relief), { type: 'worker.admit' });
      enqueue.sendTo(workerId(worker), { type: 'worker.drain', cause: causeOf(context, worker) });
      enqueue.assign({ ...relieved(context, relief), ...rest(enqueue, context) });
    }),
    /** It did not get ready: the other one serves on. */
    giveUpRelief: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'worker.failed') return;
      const relief = reliefOf(context, event);
      if (relief?.stage !== 'coming') return;
      enqueue.sendTo(workerId(relief), { type: 'worker.drain', cause: 'it did not get ready' });
      enqueue.assign({ reliefs: context.reliefs.map(withdrawn), ...rest(enqueue, context) });
    }),
    withdrawReliefs: enqueueActions(({ context, enqueue }) => {
      const needless = context.reliefs.filter((relief) => isNeedless(context, relief));
      for (const relief of needless)
        enqueue.sendTo(workerId(relief), { type: 'worker.drain', cause: 'it is not needed any more' });
      enqueue.assign({
        reliefs: context.reliefs.map((relief) => (needless.includes(relief) ? withdrawn(relief) : relief)),
      });
    }),
    /** Nobody is left beside the slot. Exclusive: whoever fills it may serve now, or as soon as it is filled. */
    removeReliefs: enqueueActions(({ context, enqueue }) => {
      const gone = context.reliefs.filter(({ state }) => state === 'stopped');
      const reliefs = context.reliefs.filter((relief) => !gone.includes(relief));
      for (const relief of gone) {
        enqueue.stopChild(workerId(relief));
        const filling = context.slots.find(({ slot }) => slot === relief.slot);
        const isGoing = filling === undefined || (filling.leaving && filling.state === 'stopped');
        if (relief.stage === 'outgoing' && !isGoing && mayServeIn({ ...context, reliefs }, relief.slot))
          enqueue.sendTo(workerId(filling), { type: 'worker.admit' });
      }
      enqueue.assign({ reliefs });
    }),
    endReliefRest: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('reliefAlarm');
      enqueue.assign({ reliefRests: false });
    }),
    recordObstacle: assign(({ event }) =>
      event.type === 'memory.unreadable' ? { memoryObstacle: event.detail } : {},
    ),
  },
});
