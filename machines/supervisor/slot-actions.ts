/**
 * Orders to the slots, and what they report.
 */
import { assign, enqueueActions } from 'xstate';
import { excessText } from '../memory.js';
import { countRespawn, startsAfterGrant, turnAfterMs } from '../policy.js';
import { allHealthy, allReady, identitiesOf, markStarting, workerId } from '../slots.js';
import { isWorkerReport } from './context.js';
import { withFacilities } from './facilities.js';
import { everyWorker, recordsAfter, withdrawn } from './relief.js';

export const withSlots = withFacilities.extend({
  actions: {
    createSlots: enqueueActions(({ context, enqueue }) => {
      for (const record of context.slots) {
        const { slot, place } = record;
        enqueue.spawnChild('worker', {
          id: workerId(record),
          input: {
            slot,
            place,
            generation: context.generation,
            settings: context.settings,
            inheritance: context.inheritance,
            admitted: context.inCharge,
            // Where somebody waits for the start, an exit is an answer, and not a reason to try again.
            retained: context.inCharge && !context.awaited,
            startDelayMs: context.inCharge ? 0 : turnAfterMs(slot, context.slots.length),
          },
        });
      }
    }),
    fillSlots: enqueueActions(({ context, enqueue }) => {
      for (const record of context.slots) enqueue.sendTo(workerId(record), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots) });
    }),
    fillSlotsUnlessLate: enqueueActions(({ context, enqueue }) => {
      if (startsAfterGrant(context.settings)) return;
      for (const record of context.slots) enqueue.sendTo(workerId(record), { type: 'worker.start' });
      enqueue.assign({ slots: markStarting(context.slots) });
    }),
    admitSlots: enqueueActions(({ context, enqueue }) => {
      if (context.stops > 0) return;
      for (const record of context.slots) {
        enqueue.sendTo(workerId(record), { type: 'worker.admit' });
        if (startsAfterGrant(context.settings)) enqueue.sendTo(workerId(record), { type: 'worker.start' });
      }
      if (startsAfterGrant(context.settings)) enqueue.assign({ slots: markStarting(context.slots) });
    }),
    retainSlots: enqueueActions(({ context, enqueue }) => {
      if (context.stops > 0) return;
      for (const record of context.slots) enqueue.sendTo(workerId(record), { type: 'worker.retain' });
    }),
    drainSlots: enqueueActions(({ context, enqueue }) => {
      const type = context.stops > 1 ? 'worker.kill' : 'worker.drain';
      for (const record of everyWorker(context)) {
        if (record.state !== 'stopped') enqueue.sendTo(workerId(record), { type });
      }
      enqueue.assign({ reliefs: context.reliefs.map(withdrawn) });
    }),
    retire: assign({ retiring: true }),
    recordWorker: assign(({ context, event }) => (isWorkerReport(event) ? recordsAfter(context, event) : {})),
    recordReady: assign({ everReady: true }),
    countRespawn: assign(({ context, event }) =>
      // A standby that does not come up is missed by nobody yet.
      event.type !== 'worker.delayed' || event.slot === 0
        ? {}
        : { respawnsAtMs: countRespawn(context.settings.respawnLimit, context.respawnsAtMs, event.atMs) },
    ),
    announceWorkers: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'none') return;
      enqueue.sendTo(context.link, { type: 'workers.changed', workers: identitiesOf(everyWorker(context)) });
    }),
    announceReady: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'takeover' && allReady(context.slots))
        enqueue.sendTo('takeover', { type: 'slots.ready' });
    }),
    announceFailure: enqueueActions(({ context, event, enqueue }) => {
      if (context.link !== 'takeover' || event.type !== 'worker.failed' || event.slot === 0) return;
      const { reason, detail, atMs } = event;
      enqueue.sendTo('takeover', { type: 'slot.failed', reason, detail, atMs });
    }),
    /** In a generation on probation nobody is replaced yet. */
    announceExcess: enqueueActions(({ context, event, enqueue }) => {
      if (context.link !== 'takeover' || event.type !== 'memory.exceeded') return;
      const { slot, pid, memoryBytes, limitBytes, atMs } = event;
      const detail = `worker ${slot} (pid ${pid}) uses ${excessText(memoryBytes, limitBytes)}`;
      enqueue.sendTo('takeover', { type: 'slot.failed', reason: 'health-failed', detail, atMs });
    }),
    announceHealth: enqueueActions(({ context, enqueue }) => {
      if (context.link !== 'takeover') return;
      enqueue.sendTo('takeover', { type: 'slots.checked', healthy: allHealthy(context.slots) });
    }),
    announceDrained: enqueueActions(({ context, enqueue }) => {
      if (context.link === 'reload') enqueue.sendTo('reload', { type: 'workers.drained' });
    }),
  },
});
