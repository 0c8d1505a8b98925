/**
 * What the predecessor's part tells its supervisor.
 */
import type { ReloadEvent, ReloadReport } from '../events.js';
import { atMsOf, reporter } from '../report.js';
import type { ReloadContext } from './context.js';
import { withRecords } from './record-actions.js';

const report = reporter<ReloadContext, ReloadEvent, ReloadReport>();

export const reloadSetup = withRecords.extend({
  actions: {
    reportStarted: report(({ event }) =>
      event.type !== 'successor.spawned'
        ? null
        : { type: 'reload.started', pid: event.pid, generation: event.generation, atMs: event.atMs },
    ),
    reportHandoff: report(({ event }) => ({ type: 'handoff.begun', atMs: atMsOf(event) })),
    reportActivated: report(({ event }) =>
      event.type !== 'successor.activated'
        ? null
        : { type: 'reload.activated', probationMs: event.probationMs, atMs: event.atMs },
    ),
    reportStop: report(({ event }) => ({ type: 'stop.requested', via: 'peer', atMs: atMsOf(event) })),
    reportPromoted: report(({ context, event }) => ({
      type: 'reload.promoted',
      generation: context.record.generation,
      pid: context.successor?.pid ?? 0,
      atMs: atMsOf(event),
    })),
    reportRefused: report(({ context, event }) => ({
      type: 'reload.refused',
      outcome: context.activated ? 'rolled-back' : 'refused',
      generation: context.record.generation,
      pid: context.successor?.pid ?? null,
      reason: context.failure?.reason ?? 'exited',
      detail: context.failure?.detail ?? '',
      leftovers: context.departed ? [] : context.workers,
      atMs: atMsOf(event),
    })),
    reportLost: report(({ event }) => ({ type: 'successor.lost', atMs: atMsOf(event) })),
    reportAnchored: report(() => ({ type: 'reload.anchored' })),
    reportGone: report(({ context, event }) => ({
      type: 'successor.gone',
      killed: context.killed,
      atMs: atMsOf(event),
    })),
  },
});
