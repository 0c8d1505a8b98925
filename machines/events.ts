/**
 * Every event, one union per machine.
 *
 * Tense shows direction. A past participle is a fact an actor or another machine states; `*.requested` is what
 * somebody outside asks for; an imperative is an order to a child. Every fact of the operating system carries
 * `atMs`: milliseconds since 1970 on a clock that never jumps. Durations end in `Ms`.
 */
import type { AnchorFact, ReaperFact, ServiceFact } from './anchor.js';
import type { ReloadReason } from './status.js';

/** A process as the kernel knows it: the pid alone may be somebody else's by now. */
export interface Identity {
  readonly pid: number;
  /** When the kernel says it started, in a unit of its own; null where the system does not tell. */
  readonly startTime: string | null;
}

/** A listening socket the supervisor owns. */
export interface BoundListener {
  readonly name: string;
  /** As bound, port 0 resolved: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`. */
  readonly address: string;
  readonly descriptor: number;
  /** The file a Unix path named when it was bound, as `device:inode`: the path may be somebody else's by now. */
  readonly file?: string;
  /** How it was asked for, `fd:3` or `systemd`, when somebody else bound it: its path is not ours to remove. */
  readonly origin?: string;
}

/** An error as plain data: it came from the operating system, or from a check of ours. */
export interface Failure {
  /** `TANIST_…`, or the system's own name such as `EACCES`. */
  readonly code: string;
  readonly message: string;
}

export type Via =
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGUSR2'
  | 'SIGHUP'
  | 'SIGTERM'
  | 'SIGINT'
  | 'SIGQUIT'
  | 'control'
  | 'api'
  | 'peer'
  | 'anchor';

/** Every alarm there is. A closed set: logs, walkers and diagrams name them. */
export type AlarmName =
  | 'turn'
  | 'start'
  | 'silence'
  | 'watchdog'
  | 'relief'
  | 'health'
  | 'drain'
  | 'evidence'
  | 'kill'
  | 'backoff'
  | 'scale'
  | 'alive'
  | 'reload'
  | 'predecessorDrain'
  | 'commit'
  | 'yield'
  | 'bury'
  | 'takeover'
  | 'probation'
  | 'proof'
  | 'leave'
  | 'leftovers'
  | 'fence'
  | 'publish'
  | 'release'
  | 'conclude';

export interface AlarmFired {
  readonly type: 'alarm.fired';
  readonly alarm: AlarmName;
  readonly atMs: number;
}

// ── one slot ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Which of a generation's worker machines, counted from 1. A machine keeps its place whatever slot it fills, and a
 * place that is free is taken again, so that their names stay a closed set.
 */
export type Place = number;

export interface WorkerSpawned extends Identity {
  readonly type: 'worker.spawned';
  readonly slot: number;
  readonly generation: number;
  /** Stream to the worker; null for nobody who talks. */
  readonly channel: number;
  /** Stream to the reporter inside it; null or absent where there is none. */
  readonly reporter?: number | null;
  readonly atMs: number;
}

export interface WorkerExited {
  readonly type: 'worker.exited';
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly atMs: number;
}

/** The process could not be started at all. */
export interface SpawnFailed extends Failure {
  readonly type: 'spawn.failed';
  readonly slot: number;
  readonly generation: number;
  readonly atMs: number;
}

/** What the channel actor states. Channels are one per worker process, so `channel` is the identity. */
export type ChannelFact =
  | { readonly type: 'takeover.said'; readonly channel: number; readonly atMs: number }
  /** `count` pings that arrived together. */
  | { readonly type: 'ping.said'; readonly channel: number; readonly count: number; readonly atMs: number }
  | { readonly type: 'shutdown.said'; readonly channel: number; readonly atMs: number }
  | { readonly type: 'status.said'; readonly channel: number; readonly text: string; readonly atMs: number }
  /** Not a word of the protocol, or not UTF-8; `dropped` more were not reported, to keep to 10 a second. */
  | {
      readonly type: 'line.rejected';
      readonly channel: number;
      readonly excerpt: string;
      readonly dropped: number;
      readonly atMs: number;
    }
  /** The worker broke a limit: a line too long, or answers it does not read. The channel is closed. */
  | {
      readonly type: 'channel.overflowed';
      readonly channel: number;
      readonly detail: string;
      readonly atMs: number;
    }
  /** Everything that waited when `channel.look` was ordered has been reported. */
  | { readonly type: 'channel.read'; readonly channel: number; readonly atMs: number }
  | { readonly type: 'channel.ended'; readonly channel: number; readonly atMs: number };

export type ProbeFact =
  | { readonly type: 'probe.passed'; readonly pid: number; readonly atMs: number }
  | { readonly type: 'probe.failed'; readonly pid: number; readonly detail: string; readonly atMs: number };

/** What is known of the memory of one worker's process. */
export type MemoryFact =
  /** `memoryBytes` are resident. Stated when it is read first, and whenever it has changed. */
  | {
      readonly type: 'memory.measured';
      readonly pid: number;
      readonly memoryBytes: number;
      readonly atMs: number;
    }
  /** This system does not tell, or not now. */
  | {
      readonly type: 'memory.unreadable';
      readonly pid: number;
      readonly detail: string;
      readonly atMs: number;
    };

export type EvidenceFact =
  /** The folder is there; what explains the process is being written to it. */
  | {
      readonly type: 'evidence.begun';
      readonly pid: number;
      readonly folder: string;
      readonly atMs: number;
    }
  /** All that could be found out is written; without a folder there is no place for it. */
  | { readonly type: 'evidence.collected'; readonly pid: number; readonly atMs: number }
  /** Not all of it could be written, or nothing. */
  | {
      readonly type: 'evidence.failed';
      readonly pid: number;
      readonly message: string;
      readonly atMs: number;
    };

/** What came of one health check. `tookMs` is from the question to the answer, or to the end of its limit. */
export type HealthFact =
  | { readonly type: 'health.passed'; readonly pid: number; readonly tookMs: number; readonly atMs: number }
  | {
      readonly type: 'health.failed';
      readonly pid: number;
      /** The status of a wrong answer; null for none. */
      readonly status: number | null;
      readonly detail: string;
      readonly tookMs: number;
      readonly atMs: number;
    };

export type SignalFact =
  | { readonly type: 'signal.sent'; readonly pid: number; readonly signal: string; readonly atMs: number }
  | {
      readonly type: 'signal.withheld';
      readonly pid: number;
      readonly signal: string;
      /** Why none was sent: the process is gone, or is not provably ours. */
      readonly detail: string;
      readonly atMs: number;
    };

/** Orders of the supervisor to one slot. */
export type WorkerOrder =
  /** Fill the slot. */
  | { readonly type: 'worker.start' }
  /** The worker may serve: answer `ok` now or as soon as it asks. */
  | { readonly type: 'worker.admit' }
  /** From now on an exit is answered by a respawn; before, the slot stays empty. */
  | { readonly type: 'worker.retain' }
  /** The slot it fills from now on; 0 makes it a standby, which may not serve before it is told so anew. */
  | { readonly type: 'worker.assign'; readonly slot: number }
  /** Ask the worker to leave, and leave the slot empty; `cause` is why, default the end of its generation. */
  | { readonly type: 'worker.drain'; readonly cause?: string }
  /** End the worker's process group at once, and leave the slot empty. */
  | { readonly type: 'worker.kill' };

export type WorkerEvent =
  | WorkerOrder
  | WorkerSpawned
  | WorkerExited
  | SpawnFailed
  | ChannelFact
  | ProbeFact
  | EvidenceFact
  | MemoryFact
  | HealthFact
  | SignalFact
  | AlarmFired;

/** What one of the worker machines tells its supervisor; the slot is 0 as long as it is a standby. */
export type WorkerReport = SlotReport & {
  readonly place: Place;
};

type SlotReport =
  | Omit<WorkerSpawned, 'channel' | 'reporter'>
  | WorkerExited
  | SpawnFailed
  | {
      readonly type: 'worker.ready';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly bootMs: number;
      readonly atMs: number;
    }
  /** It did not get ready: why, in the words of a reload's verdict. */
  | {
      readonly type: 'worker.failed';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number | null;
      readonly reason: ReloadReason;
      readonly detail: string;
      readonly atMs: number;
    }
  | {
      readonly type: 'worker.draining';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly cause: string;
      readonly limitMs: number;
    }
  | {
      readonly type: 'worker.killing';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly cause: string;
      /** The folder with what explains it, where there is one. */
      readonly evidence?: string;
    }
  | {
      readonly type: 'worker.delayed';
      readonly slot: number;
      readonly generation: number;
      readonly delayMs: number;
      readonly youngDeaths: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'worker.stopped';
      readonly slot: number;
      readonly generation: number;
      readonly atMs: number;
    }
  /** It was asked whether it is well. */
  | {
      readonly type: 'worker.checked';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly passed: boolean;
      /** Failed checks in a row, this one included. */
      readonly failures: number;
      /** Why it failed; null when it passed. */
      readonly detail: string | null;
      readonly atMs: number;
    }
  /** It has neither said `takeover` nor exited for a while. */
  | {
      readonly type: 'worker.silent';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly waitedMs: number;
      readonly remainingMs: number;
      /** What it last said of itself; empty for nothing. */
      readonly says: string;
    }
  | {
      readonly type: 'worker.described';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly status: string;
    }
  /** A standby fills a slot from now on. */
  | {
      readonly type: 'worker.promoted';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
    }
  | (MemoryFact & { readonly slot: number; readonly generation: number })
  /** It has come to use more than it may. Once, until it uses less again. */
  | {
      readonly type: 'memory.exceeded';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      readonly memoryBytes: number;
      readonly limitBytes: number;
      readonly atMs: number;
    };

// ── between two generations ─────────────────────────────────────────────────────────────────────────────

/** Facts both sides get from the link between two generations. */
export type LinkFact =
  | { readonly type: 'token.taken'; readonly atMs: number }
  /** The other side took it: it decides. */
  | { readonly type: 'token.gone'; readonly atMs: number }
  /** Every message that waited when `inbox.read` was ordered has been reported. */
  | { readonly type: 'inbox.empty'; readonly atMs: number }
  | { readonly type: 'stop.relayed'; readonly atMs: number }
  /** Of the leftovers named in the last order, `remaining` still live with their identity proven. */
  | { readonly type: 'leftovers.counted'; readonly remaining: number; readonly atMs: number };

/** What the predecessor learns of its successor. */
export type SuccessorFact =
  | ({ readonly type: 'successor.spawned'; readonly generation: number; readonly atMs: number } & Identity)
  | ({ readonly type: 'successor.unspawned'; readonly generation: number; readonly atMs: number } & Failure)
  | { readonly type: 'takeover.requested'; readonly atMs: number }
  /** Its workers may serve from now on, for so long on probation; it takes charge within the limit, or fails. */
  | {
      readonly type: 'successor.activated';
      readonly probationMs: number;
      readonly limitMs: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'successor.failed';
      readonly reason: ReloadReason;
      readonly detail: string;
      readonly atMs: number;
    }
  | { readonly type: 'successor.committed'; readonly atMs: number }
  | { readonly type: 'successor.workers'; readonly workers: readonly Identity[]; readonly atMs: number }
  | {
      readonly type: 'successor.exited';
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly atMs: number;
    }
  /** Its life pipe ended: supervisor and workers are all gone. */
  | { readonly type: 'successor.departed'; readonly atMs: number };

/** What the successor learns of its predecessor. */
export type PredecessorFact =
  | { readonly type: 'predecessor.granted'; readonly atMs: number }
  | { readonly type: 'predecessor.draining'; readonly atMs: number }
  /** Its workers are gone; it stays only to see the end. */
  | { readonly type: 'predecessor.drained'; readonly atMs: number }
  /** It has given everything back and stays as the anchor: its last word. */
  | ({ readonly type: 'predecessor.anchored'; readonly atMs: number } & Identity)
  | { readonly type: 'predecessor.workers'; readonly workers: readonly Identity[]; readonly atMs: number }
  /** The private socket ended: the predecessor's supervisor is gone. */
  | { readonly type: 'predecessor.ended'; readonly atMs: number }
  /** Its life pipe ended: supervisor and workers are all gone. */
  | { readonly type: 'predecessor.departed'; readonly atMs: number }
  | { readonly type: 'reload.joined'; readonly id: string; readonly atMs: number };

/** What the supervisor tells the reload machine. */
export type ReloadOrder =
  /** Somebody asked for a stop: end the reload first. Said twice, at once. */
  | { readonly type: 'reload.abort'; readonly atMs: number }
  | { readonly type: 'reload.join'; readonly id: string }
  /** This process, the first one, stays as the anchor: tell the successor. */
  | ({ readonly type: 'reload.anchor' } & Identity)
  /** All slots are empty. */
  | { readonly type: 'workers.drained' }
  | { readonly type: 'workers.changed'; readonly workers: readonly Identity[] };

export type ReloadEvent = ReloadOrder | SuccessorFact | LinkFact | SignalFact | AlarmFired;

/** What the reload machine tells its supervisor. */
export type ReloadReport =
  | {
      readonly type: 'reload.started';
      readonly pid: number;
      readonly generation: number;
      readonly atMs: number;
    }
  /** The successor asked, lives, and nothing else waits: the hand-over begins. */
  | { readonly type: 'handoff.begun'; readonly atMs: number }
  /** The successor's workers serve, for so long on probation. */
  | { readonly type: 'reload.activated'; readonly probationMs: number; readonly atMs: number }
  | {
      readonly type: 'reload.promoted';
      readonly generation: number;
      readonly pid: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'reload.refused';
      /** Rolled back: its workers served, or might have. */
      readonly outcome: 'refused' | 'rolled-back';
      readonly generation: number;
      readonly pid: number | null;
      readonly reason: ReloadReason;
      readonly detail: string;
      /** Processes of the refused generation that may still be draining. */
      readonly leftovers: readonly Identity[];
      readonly atMs: number;
    }
  /** The successor was asked to stop and leaves it to us, or both of us stop. */
  | { readonly type: 'stop.requested'; readonly via: Via; readonly atMs: number }
  /** It died after it had taken charge: whether this generation comes back is decided next. */
  | { readonly type: 'successor.lost'; readonly atMs: number }
  /** The successor was told that this process stays as the anchor: the reload is over for it. */
  | { readonly type: 'reload.anchored' }
  /** Nothing of the successor is left, and both were to stop; if it was `killed`, it has given nothing back. */
  | { readonly type: 'successor.gone'; readonly killed: boolean; readonly atMs: number };

/** What the supervisor tells the takeover machine. */
export type TakeoverOrder =
  | { readonly type: 'slots.ready' }
  /** A worker was asked whether it is well: `healthy` is whether the last check of every one has passed. */
  | { readonly type: 'slots.checked'; readonly healthy: boolean }
  | {
      readonly type: 'slot.failed';
      readonly reason: ReloadReason;
      readonly detail: string;
      readonly atMs: number;
    }
  | { readonly type: 'workers.changed'; readonly workers: readonly Identity[] }
  /** Pid and control path are ours. */
  | { readonly type: 'charge.taken'; readonly atMs: number }
  /** Somebody asked for a stop. */
  | { readonly type: 'takeover.stop' };

export type TakeoverEvent = TakeoverOrder | PredecessorFact | LinkFact | SignalFact | AlarmFired;

/** What the takeover machine tells its supervisor. */
export type TakeoverReport =
  | { readonly type: 'takeover.asked'; readonly atMs: number }
  /** The predecessor granted it, or is silent, or dead: the workers may serve. */
  | { readonly type: 'takeover.activated'; readonly atMs: number }
  /** The token is ours: take pid and control path, and fill slots from now on. */
  | { readonly type: 'takeover.charged'; readonly atMs: number }
  | { readonly type: 'takeover.committed'; readonly atMs: number }
  | {
      readonly type: 'takeover.failed';
      /** Rolled back: our workers served, or might have. */
      readonly outcome: 'refused' | 'rolled-back';
      readonly reason: ReloadReason;
      readonly detail: string;
      readonly atMs: number;
    }
  | { readonly type: 'predecessor.silent'; readonly alarm: AlarmName; readonly atMs: number }
  | { readonly type: 'predecessor.dead'; readonly atMs: number }
  | { readonly type: 'predecessor.killed'; readonly pid: number; readonly atMs: number }
  | { readonly type: 'predecessor.gone'; readonly leftovers: readonly Identity[]; readonly atMs: number }
  | { readonly type: 'reload.joined'; readonly id: string; readonly atMs: number }
  | ({ readonly type: 'anchor.introduced'; readonly atMs: number } & Identity)
  | { readonly type: 'stop.requested'; readonly via: Via; readonly atMs: number };

// ── the supervisor ──────────────────────────────────────────────────────────────────────────────────────

export type LockFact =
  | { readonly type: 'lock.acquired'; readonly descriptor: number; readonly atMs: number }
  | {
      readonly type: 'lock.held';
      /** As the file says; null when it says nothing readable. */
      readonly holderPid: number | null;
      readonly path: string;
      readonly atMs: number;
    }
  | ({ readonly type: 'lock.failed'; readonly atMs: number } & Failure)
  | { readonly type: 'pid.written'; readonly pid: number; readonly atMs: number }
  | ({ readonly type: 'pid.failed'; readonly atMs: number } & Failure)
  /** The pid file is removed if it was still ours: nothing is left but to exit. */
  | { readonly type: 'lock.released'; readonly atMs: number };

/** Facts about the lock that workers of an exclusive daemon share. */
export type FenceFact =
  | { readonly type: 'fence.acquired'; readonly descriptor: number; readonly atMs: number }
  /** Workers of an earlier supervisor still hold it. */
  | { readonly type: 'fence.waiting'; readonly holders: readonly number[]; readonly atMs: number }
  | ({ readonly type: 'fence.failed'; readonly atMs: number } & Failure);

export type ListenersFact =
  | { readonly type: 'listeners.bound'; readonly listeners: readonly BoundListener[]; readonly atMs: number }
  | ({ readonly type: 'listeners.failed'; readonly atMs: number } & Failure)
  | {
      readonly type: 'listeners.removed';
      /** Unix paths that could not be removed, each with the reason. */
      readonly left: readonly { readonly path: string; readonly reason: string }[];
      readonly atMs: number;
    };

export type IdentityFact =
  /** This process is that user, and can become no other. */
  | {
      readonly type: 'identity.assumed';
      readonly user: string | null;
      readonly uid: number;
      readonly gid: number;
      readonly groups: readonly number[];
      readonly atMs: number;
    }
  /** It is still root, or anything in between: it must end. */
  | ({ readonly type: 'identity.failed'; readonly atMs: number } & Failure);

export type LifePipeFact =
  | { readonly type: 'lifePipe.opened'; readonly write: number; readonly read: number; readonly atMs: number }
  | ({ readonly type: 'lifePipe.failed'; readonly atMs: number } & Failure);

export type ControlFact =
  | { readonly type: 'control.claimed'; readonly path: string; readonly atMs: number }
  | ({ readonly type: 'control.failed'; readonly atMs: number } & Failure);

/** Facts about the command that waits for a daemonized start. */
export type StarterFact =
  /** It has ended, and nobody waits any more. */
  { readonly type: 'starter.gone'; readonly atMs: number };
/** More or fewer slots: `workers` of them, or as many as there are and `change` more. */
export interface ScaleRequest extends PassedOn {
  readonly type: 'scale.requested';
  readonly via: Via;
  readonly workers: number | null;
  readonly change: number;
  readonly id: string | null;
  readonly atMs: number;
}

/** Present where the anchor got the signal and passed it on. */
export interface PassedOn {
  /** How many stops the anchor has been asked for until then, this one included. */
  readonly anchorStops?: number;
}

/** What anybody outside may ask for. A signal is an alias of a control command. */
export type Request =
  | ({
      readonly type: 'reload.requested';
      readonly via: Via;
      readonly id: string | null;
      readonly atMs: number;
    } & PassedOn)
  | ({ readonly type: 'stop.requested'; readonly via: Via; readonly atMs: number } & PassedOn)
  | ScaleRequest
  /** SIGHUP: a reload, or a stop where a terminal was the first standard input. */
  | ({ readonly type: 'hangup.received'; readonly atMs: number } & PassedOn);

export type SupervisorEvent =
  | Request
  | LockFact
  | FenceFact
  | ListenersFact
  | IdentityFact
  | LifePipeFact
  | ControlFact
  | StarterFact
  | WorkerReport
  | ReloadReport
  | TakeoverReport
  | ServiceFact
  | AnchorFact
  | ReaperFact
  | SignalFact
  | LinkFact
  | AlarmFired;
