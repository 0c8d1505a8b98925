/**
 * What the successor's part tells its supervisor.
 */
import type { TakeoverEvent, TakeoverReport } from '../events.js';
import { atMsOf, reporter } from '../report.js';
import type { TakeoverContext } from './context.js';
import { withRecords } from './record-actions.js';

const report = reporter<TakeoverContext, TakeoverEvent, TakeoverReport>();

export const takeoverSetup = withRecords.extend({
  actions: {
    reportAsked: report(({ event }) => ({ type: 'takeover.asked', atMs: atMsOf(event) })),
    reportActivated: report(({ event }) => ({ type: 'takeover.activated', atMs: atMsOf(event) })),
    reportCharged: report(({ event }) => ({ type: 'takeover.charged', atMs: atMsOf(event) })),
    reportCommitted: report(({ event }) => ({ type: 'takeover.committed', atMs: atMsOf(event) })),
    reportFailed: report(({ context, event }) => ({
      type: 'takeover.failed',
      outcome: context.activated ? 'rolled-back' : 'refused',
      reason: context.failure?.reason ?? 'exited',
      detail: context.failure?.detail ?? '',
      atMs: atMsOf(event),
    })),
    reportSilent: report(({ event }) => ({
      type: 'predecessor.silent',
      alarm: event.type === 'alarm.fired' ? event.alarm : 'leave',
      atMs: atMsOf(event),
    })),
    reportDead: report(({ event }) => ({ type: 'predecessor.dead', atMs: atMsOf(event) })),
    reportKilled: report(({ context, event }) => ({
      type: 'predecessor.killed',
      pid: context.predecessor.pid,
      atMs: atMsOf(event),
    })),
    reportGone: report(({ context, event }) => ({
      type: 'predecessor.gone',
      leftovers: context.departed ? [] : context.workers,
      atMs: atMsOf(event),
    })),
    reportAnchored: report(({ event }) =>
      event.type !== 'predecessor.anchored'
        ? null
        : { type: 'anchor.introduced', pid: event.pid, startTime: event.startTime, atMs: event.atMs },
    ),
    reportJoined: report(({ event }) => (event.type === 'reload.joined' ? event : null)),
    reportStop: report(({ event }) => ({ type: 'stop.requested', via: 'peer', atMs: atMsOf(event) })),
  },
});
