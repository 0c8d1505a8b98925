/**
 * What a slot knows, how it begins, and what is worked out from it.
 */
import type { Inheritance } from '../contracts.js';
import type { Identity, Place, WorkerEvent } from '../events.js';
import type { Settings } from '../policy.js';
import type { ReloadReason } from '../status.js';

/** What the machine of a slot is started with. */
export interface WorkerInput {
  /** 0 for a standby, until it is given one. */
  readonly slot: number;
  /** Which of its generation's machines this is. */
  readonly place: Place;
  /** Counted from 1. */
  readonly generation: number;
  /** Those of the supervisor. */
  readonly settings: Settings;
  /** What every process of the slot gets. */
  readonly inheritance: Inheritance;
  /** It may be answered `ok` as soon as it asks. */
  readonly admitted: boolean;
  /** Its exit is answered by a respawn. */
  readonly retained: boolean;
  /**
   * How long a slot that is not admitted yet waits before it is filled: another generation serves, and needs the
   * processors. Milliseconds, default 0.
   */
  readonly startDelayMs?: number;
}

/** What the machine of a slot knows. Plain JSON. */
export interface WorkerContext extends WorkerInput {
  /** The live process; null between two. */
  readonly process:
    | (Identity & {
        /** Stream to it. */
        readonly channel: number;
        /** Stream to the reporter inside it; null where there is none. */
        readonly reporter: number | null;
      })
    | null;
  /** When the live process was started, or the last one; 0 before the first. */
  readonly spawnedAtMs: number;
  /** When it was ready; null while it is not. */
  readonly readyAtMs: number | null;
  /** It has said `takeover`. */
  readonly asked: boolean;
  /** It has said any word of the protocol: whatever exits later is not a command that could not be run. */
  readonly heard: boolean;
  /** The slot is to stay empty after the exit. */
  readonly leaving: boolean;
  /** The slot is to be filled at once after the exit: it was asked for again while the worker left. */
  readonly wanted: boolean;
  /** Why the worker is being ended, for the log. */
  readonly cause: string;
  /**
   * It did not get ready in time, or does not answer, in the words of a reload's verdict; null where it did, or
   * still may. Said when it is killed, once what explains it has been written down.
   */
  readonly lateness: {
    /** As a word of the verdict. */
    readonly reason: ReloadReason;
    /** In one sentence for a person. */
    readonly detail: string;
  } | null;
  /** The folder with what explains why it is killed; null where there is none. */
  readonly evidence: string | null;
  /** What the probe last found; null before its first answer. */
  readonly probed: string | null;
  /** Failed health checks in a row. */
  readonly failedChecks: number;
  /** It has answered a health check, well or not. */
  readonly hasAnswered: boolean;
  /** What it last said of itself; empty for nothing. */
  readonly says: string;
  /** When it last said anything; counted from its first ping on, and null before. */
  readonly pingedAtMs: number | null;
  /** Resident, as last measured; null before the first time. */
  readonly memoryBytes: number | null;
  /** How long the slot waits in `backoff`, milliseconds. */
  readonly delayMs: number;
  /** Workers that have died young, one after the other. */
  readonly youngDeaths: number;
}

export type Args = { context: WorkerContext; event: WorkerEvent };

export const idOf = ({ slot, generation, place }: WorkerContext) => ({ slot, generation, place });
export const pidOf = (context: WorkerContext): number => context.process?.pid ?? 0;
/** In words, for logs and verdicts. */
export const nameOf = ({ slot }: Pick<WorkerContext, 'slot'>): string =>
  slot === 0 ? 'a standby' : `worker ${slot}`;
const exitText = (event: { code: number | null; signal: string | null }): string =>
  event.signal === null ? `with status ${event.code}` : `by ${event.signal}`;

/** Why a worker that exits has failed, in the words of a reload's verdict. */
export const exitReason = ({ context, event }: Args): { reason: ReloadReason; detail: string } => {
  if (event.type !== 'worker.exited') return { reason: 'worker-exited', detail: 'the worker exited' };
  const who = `${nameOf(context)} (pid ${event.pid})`;
  // A shell's words for "cannot be executed" and "not found": the wrapper that sets LISTEN_PID hides exec errors.
  if (!context.heard && context.readyAtMs === null && (event.code === 126 || event.code === 127)) {
    return { reason: 'spawn-failed', detail: `${who} could not be executed: status ${event.code}` };
  }
  return {
    reason: 'worker-exited',
    detail: `${who} exited ${exitText(event)} ${context.readyAtMs === null ? 'before it was ready' : 'after it was ready'}${context.cause === '' ? '' : `: ${context.cause}`}`,
  };
};

const LAST_WORDS_CHARS = 300;

/** Why a worker that did not get ready in time has failed. */
export const lateReason = ({ context }: Args): { reason: ReloadReason; detail: string } => {
  const { ready, startTimeoutMs } = context.settings;
  const who = `${nameOf(context)} (pid ${pidOf(context)})`;
  if (ready.mode === 'http' && context.asked) {
    return {
      reason: 'not-ready',
      detail: `${who} was probed at ${ready.path} for ${startTimeoutMs} ms: ${context.probed ?? 'it never answered'}`,
    };
  }
  // A worker that tells people what it waits for has told why it is late.
  const says = context.says === '' ? '' : `; its last words: ${context.says.slice(0, LAST_WORDS_CHARS)}`;
  return {
    reason: 'start-timeout',
    detail: `${who} did not say takeover within ${startTimeoutMs} ms${says}`,
  };
};

/** Most workers that never answer do not know where they are asked. */
const WHERE_IT_IS_ASKED =
  'it is asked on its private probe socket (TANIST_PROBE_FD), where programs with tanist/worker and unchanged programs of Node answer';

/** Why a worker whose health checks fail has failed. */
export const unwellReason = ({ context, event }: Args): { reason: ReloadReason; detail: string } => {
  const path = context.settings.health?.path ?? '/';
  const last = event.type === 'health.failed' ? event.detail : 'it failed';
  const hint = context.hasAnswered || context.settings.ready.mode === 'http' ? '' : `; ${WHERE_IT_IS_ASKED}`;
  return {
    reason: 'health-failed',
    detail: `${nameOf(context)} (pid ${pidOf(context)}) failed ${context.failedChecks} health checks of ${path} in a row: ${last}${hint}`,
  };
};

export const isCurrentProcess = ({ context, event }: Args): boolean =>
  'pid' in event && context.process !== null && event.pid === context.process.pid;
export const isCurrentChannel = ({ context, event }: Args): boolean =>
  'channel' in event && context.process !== null && event.channel === context.process.channel;

/** An empty slot. */
export const initialContext = (input: WorkerInput): WorkerContext => ({
  ...input,
  process: null,
  spawnedAtMs: 0,
  readyAtMs: null,
  asked: false,
  heard: false,
  leaving: false,
  wanted: false,
  cause: '',
  lateness: null,
  evidence: null,
  probed: null,
  failedChecks: 0,
  hasAnswered: false,
  says: '',
  pingedAtMs: null,
  memoryBytes: null,
  delayMs: 0,
  youngDeaths: 0,
});
