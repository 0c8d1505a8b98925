/**
 * What CLI, control socket, logs and inspector say about a supervisor: one shape, built in one place.
 */

import type { Account } from './policy.js';
import type { SlotRecord } from './slots.js';
import type { SupervisorContext } from './supervisor.js';

/** A reload's outcome, as told to whoever asked for it. */
export type ReloadReason =
  | 'spawn-failed'
  | 'exited'
  | 'worker-exited'
  | 'start-timeout'
  | 'not-ready'
  | 'reload-timeout'
  | 'config-invalid'
  | 'health-failed'
  | 'takeover-timeout'
  | 'stopped'
  | 'incompatible'
  /** The daemon does not allow reloads at all: nothing was started. */
  | 'not-reloadable';

/**
 * How a reload ended, as it is told to whoever asked: on the control socket, in the status and in the log.
 */
export interface ReloadVerdict {
  /**
   * `promoted`: the new generation is in charge. `refused`: it never served. `rolled-back`: its workers may
   * have served, and the old generation is back.
   */
  readonly outcome: 'promoted' | 'refused' | 'rolled-back';
  /** Why it was refused; null when promoted. */
  readonly reason: ReloadReason | null;
  /** One sentence for a person; null when promoted. */
  readonly detail: string | null;
  /** The generation that was tried. */
  readonly generation: number;
  /** Its supervisor's process; null where none was started. */
  readonly pid: number | null;
  /** From the request to the verdict. */
  readonly durationMs: number;
  /** ISO 8601. */
  readonly at: string;
  /** The ids of the requests this verdict answers; a request without id has none. */
  readonly ids: readonly string[];
}

/** Why another number of workers was not reached. */
export type ScaleReason = 'stopping' | 'reloading' | 'starting' | 'limit' | 'replaced' | 'timeout';

/** The outcome of a change of the number of workers, as told to whoever asked for it. */
export interface ScaleVerdict {
  /** `incomplete`: the number is what was asked for, and workers still start or leave. */
  readonly outcome: 'scaled' | 'refused' | 'incomplete';
  /** How many were asked for. */
  readonly workers: number;
  /** How many there were. */
  readonly from: number;
  /** null when scaled. */
  readonly reason: ScaleReason | null;
  /** One sentence for a person; null when scaled. */
  readonly detail: string | null;
  /** From the request to the verdict. */
  readonly durationMs: number;
  /** ISO 8601. */
  readonly at: string;
}

/** The top-level state of the supervisor machine; diagrams/supervisor.md describes each. */
export type SupervisorState =
  | 'idle'
  | 'running'
  | 'respawning'
  | 'reloading'
  | 'takeover'
  | 'handoff'
  | 'anchored'
  | 'stopping'
  | 'stopped'
  | 'failed';

/** What the machine of a slot does, in one word; `stopped`: no process, and none is wanted. */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'killing' | 'backoff' | 'stopped';

/** How a worker process ended. */
export interface WorkerExit {
  /** Exit status; null where a signal ended it. */
  readonly code: number | null;
  /** What ended it; null where it exited. */
  readonly signal: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** A worker beside the one that fills a slot: it comes to replace it, or was replaced and leaves. */
export interface ReliefStatus {
  /** null while no process exists. */
  readonly pid: number | null;
  /** What its machine does. */
  readonly state: WorkerState;
}

/** One slot, and the worker that fills it. */
export interface WorkerStatus {
  /** Counted from 1; 0 for a standby, which has none. */
  readonly slot: number;
  /** null while no process exists. */
  readonly pid: number | null;
  /** What its machine does. */
  readonly state: WorkerState;
  /** Counted from 1. */
  readonly generation: number;
  /** ISO 8601; null before its first process. */
  readonly startedAt: string | null;
  /** Processes that came into the slot after its first one. */
  readonly respawns: number;
  /** How the process before ended; null where there was none. */
  readonly lastExit: WorkerExit | null;
  /** What the worker last said with `status TEXT`. */
  readonly status: string | null;
  /** Resident memory in bytes, as last measured; null while nobody measures it. */
  readonly memoryBytes: number | null;
  /** Only while it is replaced. */
  readonly relief: ReliefStatus | null;
}

/** A listening socket that the supervisor owns. */
export interface ListenerStatus {
  /** By which workers find it. */
  readonly name: string;
  /** As bound: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`. */
  readonly address: string;
}

/** A reload under way, as seen from either generation. */
export interface ReloadStatus {
  /** What it waits for, in one word: `starting`, `warming`, `handoff`, `takeover`, `probation`, `leaving`. */
  readonly phase: string;
  /** When it was asked for. ISO 8601. */
  readonly startedAt: string;
  /** The process of the new supervisor; null before it exists. */
  readonly successorPid: number | null;
}

/** How a supervisor was started: enough to tell whether another start means the same, and to repeat it. */
export interface Origin {
  /** The workers' command and its arguments, as they were given. */
  readonly command: string;
  /** Its arguments, as they were given. */
  readonly args: readonly string[];
  /** The start directory as it was named: through a link to a release, not behind it. */
  readonly directory: string;
  /** The words behind `tanist`; null where a program of its own called `createSupervisor()`. */
  readonly commandLine: readonly string[] | null;
  /** The path of a program that is its own command (`defineDaemon`), as it was named; the words are those behind it. */
  readonly script?: string;
}

/** `GET /status` and `tanist status --json`. Fields may be added. Times are ISO 8601. */
export interface Status {
  /** Of the daemon. */
  readonly name: string;
  /** Of the package that runs. */
  readonly version: string;
  /** What the supervisor does. */
  readonly state: SupervisorState;
  /** Counted from 1; one that was refused used its number up. */
  readonly generation: number;
  /** Of the supervisor. */
  readonly pid: number;
  /** When this generation started. */
  readonly startedAt: string;
  /** How generations follow each other. */
  readonly handoff: 'overlap' | 'exclusive';
  /** null where it was not told. */
  readonly origin: Origin | null;
  /** Where the log goes; null for standard error. */
  readonly logFile: string | null;
  /** null for neither pid file nor lock. */
  readonly pidFile: string | null;
  /** Where the journal goes; null for nowhere. */
  readonly journal: string | null;
  /** What it listens on. */
  readonly listeners: readonly ListenerStatus[];
  /** One for each slot. */
  readonly workers: readonly WorkerStatus[];
  /** One for each standby; their slot is 0. */
  readonly standby: readonly WorkerStatus[];
  /** null while none is under way. */
  readonly reload: ReloadStatus | null;
  /** The last verdict; null before the first one. It outlives the generation that told it. */
  readonly lastReload: ReloadVerdict | null;
  /** The first process, where it stays as the anchor; null where none does, or none yet. */
  readonly anchor: {
    /** Of the first process. */
    readonly pid: number;
  } | null;
  /** Whom it runs as, where another user was asked for; null: whoever started it. */
  readonly account: Account | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

const workerStatus = (record: SlotRecord, relief: SlotRecord | undefined): WorkerStatus => ({
  slot: record.slot,
  pid: record.pid,
  state: record.state,
  generation: record.generation,
  startedAt: record.startedAtMs === null ? null : iso(record.startedAtMs),
  respawns: record.respawns,
  lastExit: record.lastExit && {
    code: record.lastExit.code,
    signal: record.lastExit.signal,
    at: iso(record.lastExit.atMs),
  },
  status: record.status,
  memoryBytes: record.memoryBytes,
  relief: relief === undefined ? null : { pid: relief.pid, state: relief.state },
});

/** The name of the top-level state in an XState state value. */
export const topState = (value: unknown): SupervisorState =>
  (typeof value === 'string' ? value : Object.keys(value as object)[0]) as SupervisorState;

/** Everything there is to say about a supervisor, from a snapshot of its machine. */
export const statusOf = (snapshot: { value: unknown; context: SupervisorContext }): Status => {
  const { context, value } = snapshot;
  return {
    name: context.settings.name,
    version: context.version,
    state: topState(value),
    generation: context.generation,
    pid: context.self.pid,
    startedAt: iso(context.startedAtMs),
    handoff: context.settings.handoff,
    origin: context.origin ?? null,
    logFile: context.logFile ?? null,
    pidFile: context.settings.pidFile,
    journal: context.journal ?? null,
    listeners: context.inheritance.listeners.map(({ name, address }) => ({ name, address })),
    workers: context.slots.map((record) =>
      workerStatus(
        record,
        context.reliefs.find(({ slot }) => slot === record.slot),
      ),
    ),
    standby: context.spares.map((record) => workerStatus(record, undefined)),
    reload: context.reload && {
      phase: context.reload.phase,
      startedAt: iso(context.reload.startedAtMs),
      successorPid: context.reload.successorPid,
    },
    lastReload: context.lastReload,
    anchor: context.anchor && { pid: context.anchor.pid },
    account: context.settings.account,
  };
};
