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
  /** By which workers find it. */
  readonly name: string;
  /** As bound, port 0 resolved: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`. */
  readonly address: string;
  /** Of this process. */
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
  /** What is wrong, in words for a person. */
  readonly message: string;
}

/**
 * How a request came: by which signal, on the control socket, by a call of the program around (`api`), from
 * the other generation (`peer`) or from the anchor.
 */
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

/** The delay of an alarm is over. */
export interface AlarmFired {
  readonly type: 'alarm.fired';
  /** Which one. */
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

/** A worker process has exited and was reaped. */
export interface WorkerExited {
  readonly type: 'worker.exited';
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
  /** Exit status; null where a signal ended it. */
  readonly code: number | null;
  /** What ended it; null where it exited. */
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
  | {
      readonly type: 'ping.said';
      readonly channel: number;
      /** How many. */
      readonly count: number;
      readonly atMs: number;
    }
  | { readonly type: 'shutdown.said'; readonly channel: number; readonly atMs: number }
  | {
      readonly type: 'status.said';
      readonly channel: number;
      /** As it was said, at most 4,088 bytes of UTF-8. */
      readonly text: string;
      readonly atMs: number;
    }
  /** Not a word of the protocol, or not UTF-8; `dropped` more were not reported, to keep to 10 a second. */
  | {
      readonly type: 'line.rejected';
      readonly channel: number;
      /** Its beginning. */
      readonly excerpt: string;
      /** How many others were not reported. */
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
  | { readonly type: 'channel.read'; readonly channel: number; readonly atMs: number };

/** What came of one try of a readiness probe. */
export type ProbeFact =
  | { readonly type: 'probe.passed'; readonly pid: number; readonly atMs: number }
  | { readonly type: 'probe.failed'; readonly pid: number; readonly detail: string; readonly atMs: number };

/** What is known of the memory of one worker's process. */
export type MemoryFact =
  /** `memoryBytes` are resident. Stated when it is read first, and whenever it has changed. */
  | {
      readonly type: 'memory.measured';
      readonly pid: number;
      /** Resident bytes, shared pages included. */
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

/** What came of collecting evidence. */
export type EvidenceFact =
  /** The folder is there; what explains the process is being written to it. */
  | {
      readonly type: 'evidence.begun';
      readonly pid: number;
      /** Its absolute path. */
      readonly folder: string;
      readonly atMs: number;
    }
  /** All that could be found out is written; without a folder there is no place for it. */
  | { readonly type: 'evidence.collected'; readonly pid: number; readonly atMs: number }
  /** Not all of it could be written, or nothing. */
  | {
      readonly type: 'evidence.failed';
      readonly pid: number;
      /** Why, in words. */
      readonly message: string;
      readonly atMs: number;
    };

/** What came of one health check. `tookMs` is from the question to the answer, or to the end of its limit. */
export type HealthFact =
  | {
      readonly type: 'health.passed';
      readonly pid: number;
      /** Milliseconds. */
      readonly tookMs: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'health.failed';
      readonly pid: number;
      /** The status of a wrong answer; null for none. */
      readonly status: number | null;
      readonly detail: string;
      /** Milliseconds. */
      readonly tookMs: number;
      readonly atMs: number;
    };

/** What came of one order to send a signal. */
export type SignalFact =
  | {
      readonly type: 'signal.sent';
      readonly pid: number;
      /** Its name. */
      readonly signal: string;
      readonly atMs: number;
    }
  | {
      readonly type: 'signal.withheld';
      readonly pid: number;
      /** Its name. */
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
  | {
      readonly type: 'worker.assign';
      readonly slot: number;
      /** It may serve in it, as by `worker.admit`; that it may already is not taken back, except by slot 0. */
      readonly admitted: boolean;
    }
  /** Ask the worker to leave, and leave the slot empty; `cause` is why, default the end of its generation. */
  | {
      readonly type: 'worker.drain';
      /** In words, for the log. */
      readonly cause?: string;
    }
  /** End the worker's process group at once, and leave the slot empty. */
  | { readonly type: 'worker.kill' };

/** Everything that the machine of a slot takes. */
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

/** What the machine of a slot tells its supervisor, without its place. */
export type SlotReport =
  | Omit<WorkerSpawned, 'channel' | 'reporter'>
  | WorkerExited
  | SpawnFailed
  | {
      readonly type: 'worker.ready';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      /** From its start on, milliseconds. */
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
      /** Why, in words. */
      readonly cause: string;
      /** Milliseconds until it is killed. */
      readonly limitMs: number;
    }
  | {
      readonly type: 'worker.killing';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      /** Why, in words. */
      readonly cause: string;
      /** The folder with what explains it, where there is one. */
      readonly evidence?: string;
    }
  | {
      readonly type: 'worker.delayed';
      readonly slot: number;
      readonly generation: number;
      /** Milliseconds until the slot is filled again. */
      readonly delayMs: number;
      /** Workers of the slot that have died young, one after the other, this one included. */
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
      /** Whether it is. */
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
      /** Milliseconds since its start. */
      readonly waitedMs: number;
      /** Milliseconds until it is killed. */
      readonly remainingMs: number;
      /** What it last said of itself; empty for nothing. */
      readonly says: string;
    }
  | {
      readonly type: 'worker.described';
      readonly slot: number;
      readonly generation: number;
      readonly pid: number;
      /** What it said. */
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
      /** Resident bytes. */
      readonly memoryBytes: number;
      /** What it may use at most. */
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
  | {
      readonly type: 'leftovers.counted';
      /** How many. */
      readonly remaining: number;
      readonly atMs: number;
    };

/** What the predecessor learns of its successor. */
export type SuccessorFact =
  | ({ readonly type: 'successor.spawned'; readonly generation: number; readonly atMs: number } & Identity)
  | ({ readonly type: 'successor.unspawned'; readonly generation: number; readonly atMs: number } & Failure)
  | { readonly type: 'takeover.requested'; readonly atMs: number }
  /** Its workers may serve from now on, for so long on probation; it takes charge within the limit, or fails. */
  | {
      readonly type: 'successor.activated';
      /** Milliseconds; 0 for none. */
      readonly probationMs: number;
      /** Milliseconds from then on. */
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
  | {
      readonly type: 'successor.workers';
      /** Every worker process of it that lives now. */
      readonly workers: readonly Identity[];
      readonly atMs: number;
    }
  | {
      readonly type: 'successor.exited';
      readonly pid: number;
      /** Exit status; null where a signal ended it. */
      readonly code: number | null;
      /** What ended it; null where it exited. */
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
  | {
      readonly type: 'predecessor.workers';
      /** Every worker process of it that lives now. */
      readonly workers: readonly Identity[];
      readonly atMs: number;
    }
  /** The private socket ended: the predecessor's supervisor is gone. */
  | { readonly type: 'predecessor.ended'; readonly atMs: number }
  /** Its life pipe ended: supervisor and workers are all gone. */
  | { readonly type: 'predecessor.departed'; readonly atMs: number }
  | {
      readonly type: 'reload.joined';
      /** Of the request that joined the reload. */
      readonly id: string;
      readonly atMs: number;
    };

/** What the supervisor tells the reload machine. */
export type ReloadOrder =
  /** Somebody asked for a stop: end the reload first. Said twice, at once. */
  | { readonly type: 'reload.abort'; readonly atMs: number }
  | {
      readonly type: 'reload.join';
      /** Of the request that joins. */
      readonly id: string;
    }
  /** This process, the first one, stays as the anchor: tell the successor. */
  | ({ readonly type: 'reload.anchor' } & Identity)
  /** All slots are empty. */
  | { readonly type: 'workers.drained' }
  | {
      readonly type: 'workers.changed';
      /** Every worker process of this generation that lives now. */
      readonly workers: readonly Identity[];
    };

/** Everything that the reload machine takes. */
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
  | {
      readonly type: 'reload.activated';
      /** Milliseconds; 0 for none. */
      readonly probationMs: number;
      readonly atMs: number;
    }
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
  | {
      readonly type: 'successor.gone';
      /** Whether it was killed. */
      readonly killed: boolean;
      readonly atMs: number;
    };

/** What the supervisor tells the takeover machine. */
export type TakeoverOrder =
  | { readonly type: 'slots.ready' }
  /** A worker was asked whether it is well: `healthy` is whether the last check of every one has passed. */
  | {
      readonly type: 'slots.checked';
      /** True where nobody is asked, too. */
      readonly healthy: boolean;
    }
  | {
      readonly type: 'slot.failed';
      readonly reason: ReloadReason;
      readonly detail: string;
      readonly atMs: number;
    }
  | {
      readonly type: 'workers.changed';
      /** Every worker process of this generation that lives now. */
      readonly workers: readonly Identity[];
    }
  /** Pid and control path are ours. */
  | { readonly type: 'charge.taken'; readonly atMs: number }
  /** Somebody asked for a stop. */
  | { readonly type: 'takeover.stop' };

/** Everything that the takeover machine takes. */
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
  | {
      readonly type: 'predecessor.silent';
      /** Which limit it has not kept. */
      readonly alarm: AlarmName;
      readonly atMs: number;
    }
  | { readonly type: 'predecessor.dead'; readonly atMs: number }
  | { readonly type: 'predecessor.killed'; readonly pid: number; readonly atMs: number }
  | {
      readonly type: 'predecessor.gone';
      /** Its processes that may still be draining. */
      readonly leftovers: readonly Identity[];
      readonly atMs: number;
    }
  | {
      readonly type: 'reload.joined';
      /** Of the request that joined the reload. */
      readonly id: string;
      readonly atMs: number;
    }
  | ({ readonly type: 'anchor.introduced'; readonly atMs: number } & Identity)
  | { readonly type: 'stop.requested'; readonly via: Via; readonly atMs: number };

// ── the supervisor ──────────────────────────────────────────────────────────────────────────────────────

/** Facts about the lock of the pid file. */
export type LockFact =
  | {
      readonly type: 'lock.acquired';
      /** Of the locked file. */
      readonly descriptor: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'lock.held';
      /** As the file says; null when it says nothing readable. */
      readonly holderPid: number | null;
      /** Of the pid file. */
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
  | {
      readonly type: 'fence.acquired';
      /** Of this process. */
      readonly descriptor: number;
      readonly atMs: number;
    }
  /** Workers of an earlier supervisor still hold it. */
  | {
      readonly type: 'fence.waiting';
      /** Their pids, where the system tells. */
      readonly holders: readonly number[];
      readonly atMs: number;
    }
  | ({ readonly type: 'fence.failed'; readonly atMs: number } & Failure);

/** Facts about the listening sockets. */
export type ListenersFact =
  | {
      readonly type: 'listeners.bound';
      /** Those that are open now. */
      readonly listeners: readonly BoundListener[];
      readonly atMs: number;
    }
  | ({ readonly type: 'listeners.failed'; readonly atMs: number } & Failure)
  | {
      readonly type: 'listeners.removed';
      /** Unix paths that could not be removed, each with the reason. */
      readonly left: readonly {
        /** The absolute path. */
        readonly path: string;
        /** In words, as the system says it. */
        readonly reason: string;
      }[];
      readonly atMs: number;
    };

/** Facts about whom the process runs as. */
export type IdentityFact =
  /** This process is that user, and can become no other. */
  | {
      readonly type: 'identity.assumed';
      /** Its name; null for a number that has none. */
      readonly user: string | null;
      /** Of the user. */
      readonly uid: number;
      /** Of its group. */
      readonly gid: number;
      /** All its groups. */
      readonly groups: readonly number[];
      readonly atMs: number;
    }
  /** It is still root, or anything in between: it must end. */
  | ({ readonly type: 'identity.failed'; readonly atMs: number } & Failure);

/** Facts about this generation's life pipe. */
export type LifePipeFact =
  | {
      readonly type: 'lifePipe.opened';
      /** Descriptor of the end that all processes of this generation hold. */
      readonly write: number;
      /** Descriptor of the end that the other generation reads. */
      readonly read: number;
      readonly atMs: number;
    }
  | ({ readonly type: 'lifePipe.failed'; readonly atMs: number } & Failure);

/** Facts about the control socket. After `control.failed` what was at the path is still there. */
export type ControlFact =
  | {
      readonly type: 'control.claimed';
      /** The absolute path. */
      readonly path: string;
      readonly atMs: number;
    }
  | ({ readonly type: 'control.failed'; readonly atMs: number } & Failure);

/** Facts about the command that waits for a daemonized start. */
export type StarterFact =
  /** It has ended, and nobody waits any more. */
  { readonly type: 'starter.gone'; readonly atMs: number };
/** More or fewer slots: `workers` of them, or as many as there are and `change` more. */
export interface ScaleRequest extends PassedOn {
  readonly type: 'scale.requested';
  readonly via: Via;
  /** How many there are to be; null where only the change is said. */
  readonly workers: number | null;
  /** How many more, less than 0 for fewer; 0 where the number is said. */
  readonly change: number;
  /** By which the verdict is found again; null for a request by signal. */
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
      /** By which the verdict is found again; null for a request by signal. */
      readonly id: string | null;
      readonly atMs: number;
    } & PassedOn)
  | ({ readonly type: 'stop.requested'; readonly via: Via; readonly atMs: number } & PassedOn)
  | ScaleRequest
  /** SIGHUP: a reload, or a stop where a terminal was the first standard input. */
  | ({ readonly type: 'hangup.received'; readonly atMs: number } & PassedOn);

/** Everything that the supervisor machine takes. */
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
