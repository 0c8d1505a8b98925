/**
 * What a supervisor knows, how it begins, and what is worked out from it.
 */
import type { Charge, Conclusion } from '../anchor.js';
import type { Inheritance } from '../contracts.js';
import type { Failure, Identity, PassedOn, SupervisorEvent, Via, WorkerReport } from '../events.js';
import { HANDOVER_VERSION, type HandoverRecord } from '../handover.js';
import type { Settings } from '../policy.js';
import { atMsOf } from '../report.js';
import { emptySlots, identitiesOf, type SlotRecord } from '../slots.js';
import type { Origin, ReloadReason, ReloadVerdict } from '../status.js';
import { everyWorker, type Relief } from './relief.js';
import type { Scaling, SettledScale } from './scale.js';

/** What the supervisor machine is started with. */
export interface SupervisorInput {
  /** What it is told to do. */
  readonly settings: Settings;
  /** Package version, for status and hand-over. */
  readonly version: string;
  /** This process. */
  readonly self: Identity;
  /** When it was started. */
  readonly startedAtMs: number;
  /** SIGHUP stops: standard input was a terminal at the very first start. */
  readonly hangupStops: boolean;
  /** Only told in the status: nothing depends on it. */
  readonly origin?: Origin;
  /** Where the log goes; null for standard error. */
  readonly logFile?: string | null;
  /** Where the journal goes; null for nowhere. */
  readonly journal?: string | null;
  /** Descriptor of the socket to the command that waits for a daemonized start; a successor has none. */
  readonly starter?: number | null;
  /** Only a successor has one. */
  readonly handover: {
    /** What the predecessor has said. */
    readonly record: HandoverRecord;
    /** Descriptor of the socket between both generations. */
    readonly messages: number;
  } | null;
}

/** A reload under way, on either side of it. */
export interface ReloadRecord {
  /** What it waits for, in one word: `starting`, `warming`, `handoff`, `takeover`, `probation`, `leaving`. */
  readonly phase: string;
  /** The one that is tried. */
  readonly generation: number;
  /** When it was asked for. */
  readonly startedAtMs: number;
  /** null before the process exists. */
  readonly successorPid: number | null;
  /** Of the requests that it answers. */
  readonly ids: readonly string[];
}

/** What the supervisor machine knows. Plain JSON: descriptors and streams are numbers. */
export interface SupervisorContext extends SupervisorInput {
  /** Counted from 1. */
  readonly generation: number;
  /** Numbers of refused generations are not used again. */
  readonly nextGeneration: number;
  /** Facilities that have been opened: only they can be told anything. */
  readonly opened: readonly ('lock' | 'listeners' | 'control')[];
  /** Descriptor of the pid file; null while it is not held, and without one. */
  readonly lock: number | null;
  /** Reading end of this generation's life pipe; null before it is open. */
  readonly lifeRead: number | null;
  /** What every worker gets. */
  readonly inheritance: Inheritance;
  /** What fills each slot. */
  readonly slots: readonly SlotRecord[];
  /** Workers beside those that fill the slots: they come to replace one, or were replaced and leave. */
  readonly reliefs: readonly Relief[];
  /** Standbys: booted, or booting, and in no slot. */
  readonly spares: readonly SlotRecord[];
  /** A worker was replaced a moment ago, or could not be: the next one waits. */
  readonly reliefRests: boolean;
  /** Why the memory of workers is not known here; null as long as nothing is known against it. */
  readonly memoryObstacle: string | null;
  /** A command waits until every worker is ready: the first that fails before ends it all. */
  readonly awaited: boolean;
  /** How many slots there are to be, where that was changed live; null: as the settings say. */
  readonly scaled: number | null;
  /** A change of the number of slots that is under way. */
  readonly scaling: Scaling | null;
  /** The last verdict of such a change. */
  readonly lastScale: SettledScale | null;
  /** Some worker of this generation has been ready. */
  readonly everReady: boolean;
  /** Lock, pid file and control path are ours to write. */
  readonly inCharge: boolean;
  /** Which machine links us to another generation. */
  readonly link: 'none' | 'reload' | 'takeover';
  /** The successor is in charge; we only finish. */
  readonly promoted: boolean;
  /** The predecessor's supervisor is gone. */
  readonly predecessorDead: boolean;
  /**
   * Asked for before the slots were filled: begun as soon as they are. Or by a signal, while the first process was
   * becoming the anchor: passed on as soon as it is, begun if it comes back instead.
   */
  readonly deferredReload: {
    /** Of the requests, which all get its verdict; none of a signal. */
    readonly ids: readonly string[];
    /** When it was asked for first. */
    readonly atMs: number;
  } | null;
  /** Our workers were told to leave, so that a successor's can serve. */
  readonly retiring: boolean;
  /** null while none is under way. */
  readonly reload: ReloadRecord | null;
  /** The last verdict; null before the first one. */
  readonly lastReload: ReloadVerdict | null;
  /** Respawns that count towards the limit, oldest first. */
  readonly respawnsAtMs: readonly number[];
  /** How often a stop was asked for, here, of the other generation or of the anchor, whichever is most; the second one kills. */
  readonly stops: number;
  /** How often it was asked for here; what the other generation was asked, it tells us. */
  readonly stopsHere: number;
  /** The way of the last of those, which an anchor repeats. */
  readonly stopVia: Via;
  /** How often the other generation was asked, as it says. */
  readonly stopsThere: number;
  /** How often the anchor was asked, as it says. */
  readonly stopsAtAnchor: number;
  /** Processes of another generation that lost their supervisor and may still drain. */
  readonly leftovers: readonly Identity[];
  /** The far end of the socket pair to the first process, to be passed on; null where nobody needs it. */
  readonly anchorDescriptor: number | null;
  /** The first process, which stays as the anchor; in the anchor, itself. */
  readonly anchor: Identity | null;
  /** In the anchor: who is in charge, and how that ended, as last said. */
  readonly charge: Charge | null;
  /** In the anchor: how the service ended, as last said. */
  readonly conclusion: Conclusion | null;
  /** Why this supervisor ends; null as long as it need not. */
  readonly failure: Failure | null;
}

/** How the supervisor machine ended. */
export interface SupervisorOutput {
  /** Why; null for in order. */
  readonly failure: Failure | null;
}

export type Args = { context: SupervisorContext; event: SupervisorEvent };

export const isWorkerReport = (event: SupervisorEvent): event is WorkerReport =>
  /^(worker|memory)\./.test(event.type) || event.type === 'spawn.failed';

/** The other generation was asked and told us: it is not told in turn. */
export const isRelayed = (event: SupervisorEvent): boolean =>
  event.type === 'stop.requested' && event.via === 'peer';

/** What a request carries because the anchor passed it on: nothing otherwise. */
export const passedOn = (event: SupervisorEvent): PassedOn =>
  'anchorStops' in event && event.anchorStops !== undefined ? { anchorStops: event.anchorStops } : {};

const iso = (ms: number): string => new Date(ms).toISOString();

export const verdictOf = (
  { context, event }: Args,
  outcome: ReloadVerdict['outcome'],
  reason: ReloadReason | null,
  detail: string | null,
): ReloadVerdict => ({
  outcome,
  reason,
  detail,
  generation: context.reload?.generation ?? context.generation,
  pid: context.reload?.successorPid ?? null,
  durationMs: Math.round(atMsOf(event) - (context.reload?.startedAtMs ?? atMsOf(event))),
  at: iso(atMsOf(event)),
  ids: context.reload?.ids ?? [],
});

/** The record for the successor that is about to start. Descriptor numbers are filled in by whoever spawns it. */
export const recordFor = (context: SupervisorContext, reload: ReloadRecord): HandoverRecord => ({
  version: HANDOVER_VERSION,
  tanist: context.version,
  name: context.settings.name,
  pidFile: context.settings.pidFile,
  control: context.settings.control,
  handoff: context.settings.handoff,
  generation: reload.generation,
  predecessor: context.self,
  workers: identitiesOf(everyWorker(context)),
  leftovers: context.leftovers,
  requestedAtMs: reload.startedAtMs,
  ids: reload.ids,
  ...(context.scaled === null ? {} : { slots: context.scaled }),
  hangupStops: context.hangupStops,
  ...(context.anchor === null ? {} : { anchor: context.anchor }),
  ...(context.settings.account === null ? {} : { account: context.settings.account }),
  descriptors: {
    lock: context.settings.pidFile === null ? null : -1,
    token: -1,
    lifeWrite: -1,
    lifeRead: -1,
    peerRead: -1,
    fence: null,
  },
  listeners: context.inheritance.listeners,
});

/** Where the lock is that workers of an exclusive daemon share: beside the pid file. */
export const fencePath = (pidFile: string): string => `${pidFile.replace(/\.pid$/, '')}.workers`;

export const failureOf = ({ context, event }: Args): Failure => {
  switch (event.type) {
    case 'lock.held':
      return {
        code: 'TANIST_LOCK_HELD',
        message: `already running: ${context.settings.name} (${event.holderPid === null ? 'pid unknown' : `pid ${event.holderPid}`}) holds the lock of ${event.path}`,
      };
    case 'lock.failed':
    case 'pid.failed':
    case 'fence.failed':
    case 'listeners.failed':
    case 'identity.failed':
    case 'lifePipe.failed':
    case 'service.failed':
    case 'control.failed':
      return { code: event.code, message: event.message };
    case 'worker.failed':
      return { code: 'TANIST_WORKER_FAILED', message: event.detail };
    case 'starter.gone':
      return {
        code: 'TANIST_START_ABORTED',
        message: 'the command that started the daemon ended before every worker was ready',
      };
    case 'alarm.fired':
      return {
        code: 'TANIST_PREDECESSOR_WORKERS',
        message: 'workers of an earlier supervisor of this daemon did not leave within the drain timeout',
      };
    default:
      return { code: 'TANIST_INTERNAL', message: `unexpected ${event.type}` };
  }
};

/** A first generation opens everything itself; a successor has inherited it. */
export const initialContext = (input: SupervisorInput): SupervisorContext => {
  const record = input.handover?.record ?? null;
  const generation = record?.generation ?? 1;
  return {
    ...input,
    generation,
    nextGeneration: generation + 1,
    opened: [],
    lock: record?.descriptors.lock ?? null,
    lifeRead: record?.descriptors.lifeRead ?? null,
    inheritance: {
      listeners: record?.listeners ?? [],
      lifeWrite: record?.descriptors.lifeWrite ?? -1,
      fence: record?.descriptors.fence ?? null,
    },
    slots: emptySlots(record?.slots ?? input.settings.workers, generation),
    reliefs: [],
    spares: [],
    reliefRests: false,
    memoryObstacle: null,
    scaled: record?.slots ?? null,
    scaling: null,
    awaited: typeof input.starter === 'number',
    lastScale: null,
    everReady: false,
    inCharge: record === null,
    link: record === null ? 'none' : 'takeover',
    promoted: false,
    predecessorDead: false,
    deferredReload: null,
    retiring: false,
    reload: record && {
      phase: 'warming',
      generation,
      startedAtMs: record.requestedAtMs,
      successorPid: input.self.pid,
      ids: record.ids,
    },
    lastReload: null,
    respawnsAtMs: [],
    stops: 0,
    stopsHere: 0,
    stopVia: 'SIGTERM',
    stopsThere: 0,
    stopsAtAnchor: 0,
    // The alarm of whoever knew of them ends with it: this generation sets its own when it is in charge.
    leftovers: record?.leftovers ?? [],
    anchorDescriptor: record?.descriptors.anchor ?? null,
    anchor: record?.anchor ?? null,
    charge: null,
    conclusion: null,
    failure: null,
  };
};
