/**
 * More slots, or fewer, while the others serve.
 */
import { assign, enqueueActions } from 'xstate';
import { scaleTimeoutMs } from '../policy.js';
import { atMsOf } from '../report.js';
import { emptySlot, freePlaces, markStarting, type SlotRecord, wantedSlots, workerId } from '../slots.js';
import type { SupervisorContext } from './context.js';
import { everyWorker } from './relief.js';
import {
  isScaled,
  missingText,
  type Scaling,
  scaleProblem,
  settledScale,
  targetOf,
  wantedCount,
} from './scale.js';
import { withStandby } from './standby-actions.js';

/** Nothing is missing, and nothing went wrong. */
const WELL = { reason: null, detail: null } as const;

/** Slots that leave and are wanted again come first: their workers may still be there. */
const grown = (context: SupervisorContext, count: number): readonly SlotRecord[] => {
  const { slots, generation } = context;
  const back = slots.filter(({ leaving }) => leaving).slice(0, count);
  const kept = slots.map((record) => (back.includes(record) ? { ...record, leaving: false } : record));
  const last = Math.max(0, ...slots.map(({ slot }) => slot));
  const added = freePlaces(everyWorker(context), count - back.length);
  return [...kept, ...added.map((place, index) => emptySlot(last + index + 1, place, generation))];
};

/** The highest numbers go. */
const shrunk = (slots: readonly SlotRecord[], count: number): readonly SlotRecord[] => {
  const gone = wantedSlots(slots).slice(-count);
  return slots.map((record) => (gone.includes(record) ? { ...record, leaving: true } : record));
};

export const withScale = withStandby.extend({
  guards: {
    mayScale: ({ context, event }) =>
      event.type === 'scale.requested' && scaleProblem(context, event) === null,
  },
  actions: {
    refuseScale: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'scale.requested' || event.id === null) return;
      const problem = scaleProblem(context, event);
      if (problem === null) return;
      const { atMs, id } = event;
      const from = wantedCount(context);
      const asked: Scaling = { workers: targetOf(context, event), from, startedAtMs: atMs, ids: [id] };
      enqueue.assign({ lastScale: settledScale(asked, 'refused', problem, atMs) });
    }),
    /** A later request replaces an earlier one, which is told so. */
    replaceScale: enqueueActions(({ context, event, enqueue }) => {
      if (context.scaling === null) return;
      const problem = { reason: 'replaced', detail: 'another number of workers was asked for' } as const;
      enqueue.assign({ lastScale: settledScale(context.scaling, 'refused', problem, atMsOf(event)) });
    }),
    beginScale: assign(({ context, event }) => {
      if (event.type !== 'scale.requested') return {};
      const workers = targetOf(context, event);
      const ids = event.id === null ? [] : [event.id];
      return {
        scaled: workers,
        scaling: { workers, from: wantedCount(context), startedAtMs: event.atMs, ids },
      };
    }),
    resizeSlots: enqueueActions(({ context, enqueue }) => {
      const { slots, scaling, generation } = context;
      if (scaling === null) return;
      const change = scaling.workers - wantedCount(context);
      const next = change >= 0 ? grown(context, change) : shrunk(slots, -change);
      const known = new Map(slots.map((record) => [record.slot, record]));
      for (const record of next) {
        const { slot, place, leaving } = record;
        const before = known.get(slot);
        if (before === undefined) {
          const { settings, inheritance } = context;
          const rights = { admitted: true, retained: true };
          const input = { slot, place, generation, settings, inheritance, ...rights };
          enqueue.spawnChild('worker', { id: workerId(record), input });
        }
        if (before?.leaving === leaving) continue;
        if (leaving)
          enqueue.sendTo(workerId(record), { type: 'worker.drain', cause: 'there are to be fewer workers' });
        else enqueue.sendTo(workerId(record), { type: 'worker.start' });
      }
      enqueue.assign({ slots: markStarting(next) });
    }),
    setScaleAlarm: enqueueActions(({ context, enqueue }) => {
      enqueue.stopChild('scaleAlarm');
      enqueue.spawnChild('alarm', {
        id: 'scaleAlarm',
        input: { alarm: 'scale', delayMs: scaleTimeoutMs(context.settings) },
      });
    }),
    /** Said once: whoever is answered waits no more. */
    answerScale: enqueueActions(({ context, enqueue }) => {
      if (context.lastScale === null || !context.opened.includes('control')) return;
      enqueue.sendTo('control', { type: 'scale.answer', ...context.lastScale });
    }),
    /** A slot that was to leave and is empty is no slot any more, once nobody is left beside it either. */
    removeSlots: enqueueActions(({ context, enqueue }) => {
      const isAlone = (slot: number) => context.reliefs.every((relief) => relief.slot !== slot);
      const gone = context.slots.filter(
        ({ slot, leaving, state }) => leaving && state === 'stopped' && isAlone(slot),
      );
      if (gone.length === 0) return;
      for (const record of gone) enqueue.stopChild(workerId(record));
      enqueue.assign({ slots: context.slots.filter((record) => !gone.includes(record)) });
    }),
    settleScale: enqueueActions(({ context, event, enqueue }) => {
      if (context.scaling === null || !isScaled(context)) return;
      enqueue.stopChild('scaleAlarm');
      enqueue.assign({
        scaling: null,
        lastScale: settledScale(context.scaling, 'scaled', WELL, atMsOf(event)),
      });
    }),
    /** Whoever asked is told; the number stays what was asked for, and slots are filled and emptied on. */
    giveUpScale: enqueueActions(({ context, event, enqueue }) => {
      if (context.scaling === null) return;
      const problem = { reason: 'timeout', detail: missingText(context) } as const;
      const lastScale = settledScale(context.scaling, 'incomplete', problem, atMsOf(event));
      enqueue.stopChild('scaleAlarm');
      enqueue.assign({ scaling: null, lastScale });
    }),
    /** The workers leave, all of them: nobody waits for a number any more. */
    endScale: enqueueActions(({ context, event, enqueue }) => {
      if (context.scaling === null) return;
      const reason = context.promoted ? 'reloading' : 'stopping';
      const problem = { reason, detail: 'the workers of this generation leave' } as const;
      const lastScale = settledScale(context.scaling, 'incomplete', problem, atMsOf(event));
      enqueue.stopChild('scaleAlarm');
      enqueue.assign({ scaling: null, lastScale });
    }),
  },
});
