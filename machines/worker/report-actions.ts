/**
 * What a slot tells its supervisor.
 */
import type { WorkerEvent, WorkerReport } from '../events.js';
import { DEFAULTS } from '../policy.js';
import { atMsOf, reporter } from '../report.js';
import { exitReason, idOf, nameOf, pidOf, unwellReason, type WorkerContext } from './context.js';
import { withRecords } from './record-actions.js';

const report = reporter<WorkerContext, WorkerEvent, WorkerReport>();

export const workerSetup = withRecords.extend({
  actions: {
    reportSpawned: report(({ context, event }) =>
      event.type !== 'worker.spawned'
        ? null
        : {
            type: 'worker.spawned',
            ...idOf(context),
            pid: event.pid,
            startTime: event.startTime,
            atMs: event.atMs,
          },
    ),
    reportReady: report(({ context, event }) => ({
      type: 'worker.ready',
      ...idOf(context),
      pid: pidOf(context),
      bootMs: atMsOf(event) - context.spawnedAtMs,
      atMs: atMsOf(event),
    })),
    reportExited: report(({ context, event }) =>
      event.type === 'worker.exited' ? { ...event, ...idOf(context) } : null,
    ),
    reportUnspawned: report(({ context, event }) =>
      event.type === 'spawn.failed' ? { ...event, ...idOf(context) } : null,
    ),
    reportUnspawnedFailure: report(({ context, event }) =>
      event.type !== 'spawn.failed'
        ? null
        : {
            type: 'worker.failed',
            ...idOf(context),
            pid: null,
            reason: 'spawn-failed',
            detail: `${nameOf(context)} could not be started: ${event.message}`,
            atMs: event.atMs,
          },
    ),
    reportExitFailure: report((args) => ({
      type: 'worker.failed',
      ...idOf(args.context),
      pid: 'pid' in args.event ? args.event.pid : null,
      ...exitReason(args),
      atMs: atMsOf(args.event),
    })),
    reportLate: report(({ context, event }) =>
      context.lateness === null
        ? null
        : {
            type: 'worker.failed',
            ...idOf(context),
            pid: pidOf(context),
            ...context.lateness,
            atMs: atMsOf(event),
          },
    ),
    reportChecked: report(({ context, event }) => ({
      type: 'worker.checked',
      ...idOf(context),
      pid: pidOf(context),
      passed: event.type === 'health.passed',
      failures: context.failedChecks,
      detail: event.type === 'health.failed' ? event.detail : null,
      atMs: atMsOf(event),
    })),
    reportUnwell: report((args) => ({
      type: 'worker.failed',
      ...idOf(args.context),
      pid: pidOf(args.context),
      ...unwellReason(args),
      atMs: atMsOf(args.event),
    })),
    reportDraining: report(({ context }) => ({
      type: 'worker.draining',
      ...idOf(context),
      pid: pidOf(context),
      cause: context.cause,
      limitMs: context.settings.drainTimeoutMs,
    })),
    reportKilling: report(({ context }) => ({
      type: 'worker.killing',
      ...idOf(context),
      pid: pidOf(context),
      cause: context.cause,
      ...(context.evidence === null ? {} : { evidence: context.evidence }),
    })),
    reportDelayed: report(({ context, event }) => ({
      type: 'worker.delayed',
      ...idOf(context),
      delayMs: context.delayMs,
      youngDeaths: context.youngDeaths,
      atMs: atMsOf(event),
    })),
    reportStopped: report(({ context, event }) => ({
      type: 'worker.stopped',
      ...idOf(context),
      atMs: atMsOf(event),
    })),
    reportSilent: report(({ context }) => ({
      type: 'worker.silent',
      ...idOf(context),
      pid: pidOf(context),
      waitedMs: DEFAULTS.silenceNoticeMs,
      remainingMs: Math.max(0, context.settings.startTimeoutMs - DEFAULTS.silenceNoticeMs),
      says: context.says,
    })),
    reportMemory: report(({ context, event }) =>
      event.type === 'memory.measured' || event.type === 'memory.unreadable'
        ? { ...event, ...idOf(context) }
        : null,
    ),
    reportExceeded: report(({ context, event }) =>
      event.type !== 'memory.measured'
        ? null
        : {
            type: 'memory.exceeded',
            ...idOf(context),
            pid: event.pid,
            memoryBytes: event.memoryBytes,
            limitBytes: context.settings.maxMemoryBytes ?? 0,
            atMs: event.atMs,
          },
    ),
    reportPromoted: report(({ context, event }) =>
      event.type !== 'worker.assign' || event.slot === 0
        ? null
        : { type: 'worker.promoted', ...idOf(context), pid: pidOf(context) },
    ),
    reportDescribed: report(({ context, event }) =>
      event.type !== 'status.said'
        ? null
        : { type: 'worker.described', ...idOf(context), pid: pidOf(context), status: event.text },
    ),
  },
});
