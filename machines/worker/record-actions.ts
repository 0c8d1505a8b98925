/**
 * What facts and orders change, and the answers on the channel.
 */
import { assign, sendTo } from 'xstate';
import { DEFAULTS, respawnAfter } from '../policy.js';
import { atMsOf } from '../report.js';
import { lateReason, unwellReason } from './context.js';
import { withMemory } from './memory-actions.js';

export const withRecords = withMemory.extend({
  actions: {
    recordSpawn: assign(({ event }) =>
      event.type !== 'worker.spawned'
        ? {}
        : {
            process: {
              pid: event.pid,
              startTime: event.startTime,
              channel: event.channel,
              reporter: event.reporter ?? null,
            },
            spawnedAtMs: event.atMs,
            readyAtMs: null,
            asked: false,
            heard: false,
            lateness: null,
            evidence: null,
            probed: null,
            failedChecks: 0,
            hasAnswered: false,
            says: '',
            pingedAtMs: null,
            memoryBytes: null,
            cause: '',
            wanted: false,
          },
    ),
    recordLateness: assign((args) => ({ lateness: lateReason(args) })),
    recordUnfitness: assign((args) => ({ lateness: unwellReason(args) })),
    recordEvidence: assign(({ event }) =>
      event.type === 'evidence.begun' ? { evidence: event.folder } : {},
    ),
    recordReady: assign(({ event }) => ({ readyAtMs: atMsOf(event) })),
    recordAsked: assign({ asked: true, heard: true }),
    recordHeard: assign(({ context, event }) => ({
      heard: true,
      pingedAtMs: context.pingedAtMs === null ? null : atMsOf(event),
    })),
    recordSays: assign(({ event }) => (event.type === 'status.said' ? { says: event.text } : {})),
    recordProbe: assign(({ event }) => (event.type === 'probe.failed' ? { probed: event.detail } : {})),
    recordExit: assign(({ context, event }) => {
      if (event.type !== 'worker.exited') return {};
      const readyForMs = context.readyAtMs === null ? null : event.atMs - context.readyAtMs;
      return {
        process: null,
        ...respawnAfter(context.settings, { readyForMs, youngDeaths: context.youngDeaths }),
      };
    }),
    recordNoSpawn: assign(({ context }) => ({
      process: null,
      ...respawnAfter(context.settings, { readyForMs: null, youngDeaths: context.youngDeaths }),
    })),
    recordMemory: assign(({ event }) =>
      event.type === 'memory.measured' ? { memoryBytes: event.memoryBytes } : {},
    ),
    recordWell: assign({ failedChecks: 0, hasAnswered: true }),
    recordUnwell: assign(({ context, event }) => ({
      failedChecks: context.failedChecks + 1,
      hasAnswered: context.hasAnswered || (event.type === 'health.failed' && event.status !== null),
    })),
    setCause: assign((_, params: { cause: string }) => ({ cause: params.cause })),
    setFarewell: assign(({ event }) => ({
      cause: (event.type === 'worker.drain' ? event.cause : undefined) ?? 'its generation ends',
    })),
    leave: assign({ leaving: true, wanted: false }),
    stay: assign({ leaving: false }),
    want: assign({ leaving: false, wanted: true }),
    admit: assign({ admitted: true }),
    assignSlot: assign(({ context, event }) =>
      event.type === 'worker.assign'
        ? { slot: event.slot, admitted: event.slot > 0 && (context.admitted || event.admitted) }
        : {},
    ),
    rest: assign({ delayMs: DEFAULTS.standbyRestMs }),
    retain: assign({ retained: true }),
    sayOk: sendTo('channel', { type: 'channel.ok' }),
    sayPong: sendTo('channel', ({ event }) => ({
      type: 'channel.pong',
      count: event.type === 'ping.said' ? event.count : 1,
    })),
  },
});
