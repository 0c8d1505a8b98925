/**
 * Every effect the machines ask for: its input, the orders it takes, the facts it reports.
 *
 * Each is a placeholder that throws: a machine is pure until somebody provides the real effects
 * (`tanist/actors`) or simulated ones.
 */
import { type CallbackActorLogic, type EventObject, fromCallback } from 'xstate';
import type { AnchorInput, AnchorOrder, ReaperInput, ServiceInput, ServiceOrder } from './anchor.js';
import type { AlarmName, BoundListener, Identity, Place } from './events.js';
import type { HandoverRecord } from './handover.js';
import type { Account, ListenSpec } from './policy.js';
import type { ReloadVerdict, ScaleVerdict } from './status.js';

/** A named one-shot timer. Reports `alarm.fired` once, `delayMs` after it starts; 0 is as soon as possible. */
export interface AlarmInput {
  /** Its name, which comes back in `alarm.fired`. */
  readonly alarm: AlarmName;
  /** Milliseconds, 0 or more. */
  readonly delayMs: number;
}

/** What every worker inherits. Descriptors are those of the supervisor. */
export interface Inheritance {
  /** Listening sockets, in the order of their descriptors in the worker, from 3 on. */
  readonly listeners: readonly BoundListener[];
  /** Writing end of this generation's life pipe. */
  readonly lifeWrite: number;
  /** The lock that workers of an exclusive daemon share; null in overlap mode. */
  readonly fence: number | null;
}

/**
 * Starts one worker and waits for its end. Reports `worker.spawned` or `spawn.failed`, and then
 * `worker.exited` when the process itself exits, whatever its descendants hold open. What is left of its
 * process group is killed first.
 */
export interface ForkInput {
  readonly slot: number;
  readonly place: Place;
  readonly generation: number;
  /** What the process gets of the supervisor. */
  readonly inheritance: Inheritance;
  /** Give it a private probe socket. */
  readonly probe: boolean;
  /** Make the system end it with its supervisor: it does not know the protocol. */
  readonly tethered: boolean;
}

/** Reads a worker's words and answers them. Reports `ChannelFact`s. */
export interface ChannelInput {
  readonly channel: number;
}

/** Orders to the effect `channel`. */
export type ChannelOrder =
  | {
      readonly type: 'channel.pong';
      /** How many `ping`s are answered at once. */
      readonly count: number;
    }
  | { readonly type: 'channel.ok' }
  /** Report everything that waits to be read, then `channel.read`. */
  | { readonly type: 'channel.look' };

/** Asks a worker's private probe socket until it answers well. Reports `probe.passed`, or `probe.failed` per try. */
export interface ProbeInput {
  readonly pid: number;
  readonly slot: number;
  readonly place: Place;
  readonly generation: number;
  /** What is asked for: `/health`. */
  readonly path: string;
  /** The worker is asked again later: its socket keeps its name. */
  readonly kept: boolean;
}

/** Reads how much memory a process of ours uses, at once and then every `intervalMs`. Reports `MemoryFact`s. */
export interface MemoryInput {
  readonly pid: number;
  /** Milliseconds between two readings. */
  readonly intervalMs: number;
}

/** Asks a worker's private probe socket once whether it is well, for at most `timeoutMs`. Reports one `HealthFact`. */
export interface HealthInput extends Omit<ProbeInput, 'kept'> {
  /** Milliseconds; later is a failed check. */
  readonly timeoutMs: number;
}

/**
 * Writes down, in a folder of its own, what explains why a process has to be killed. Reports `EvidenceFact`s: at most one
 * `evidence.begun`, then `evidence.collected` or `evidence.failed`. Only looks, and sends nothing to the process but
 * a question to its reporter; it may stand still from then on.
 */
export interface EvidenceInput {
  readonly pid: number;
  readonly slot: number;
  readonly generation: number;
  /** Why it has to be killed. */
  readonly cause: string;
  /** Stream to the reporter inside it; null where there is none. */
  readonly reporter: number | null;
}

/**
 * Sends one signal, if the target is provably ours: a child that has not been reaped (with its process group,
 * if `group`), or a process whose start time still matches. Reports `signal.sent` or `signal.withheld`.
 */
export interface KillInput extends Identity {
  /** Its name: `SIGTERM`. */
  readonly signal: string;
  /** Whether the whole process group is meant, or the process alone. */
  readonly group: boolean;
}

/** Takes the pid-file lock, or adopts it. Reports `LockFact`s. Holds it until the machine ends. */
export interface FlockInput {
  /** The absolute path of the pid file. */
  readonly path: string;
  /** Descriptor inherited from the predecessor: already locked. */
  readonly inherited: number | null;
}

/** Orders to the effect `flock`. */
export type FlockOrder =
  /** Write our pid in place: the file is never empty. */
  | { readonly type: 'pid.write' }
  /** The final stop: remove the pid file if it is still ours, report `lock.released`. */
  | { readonly type: 'lock.release' };

/** Takes the workers' lock exclusively, polling every 50 ms, then shares it. Reports `FenceFact`s. */
export interface FenceInput {
  /** The absolute path of the lock, beside the pid file. */
  readonly path: string;
  /** The descriptor of the predecessor, which is locked already; null in a first generation. */
  readonly inherited: number | null;
}

/** The final stop: remove the file while the pid-file lock still keeps others out. */
export type FenceOrder = { readonly type: 'fence.remove' };

/** Opens all listeners, or adopts them. Reports `ListenersFact`s. Never accepts a connection. */
export interface ListenersInput {
  /** What to open. */
  readonly specs: readonly ListenSpec[];
  /** Those of the predecessor, which are used as they are; null in a first generation. */
  readonly inherited: readonly BoundListener[] | null;
}

/** The final stop: unlink the Unix paths that are still ours, report `listeners.removed`. */
export type ListenersOrder = { readonly type: 'listeners.remove' };

/**
 * Becomes another user for good, after what only root may open has been opened. Reports `IdentityFact`s.
 *
 * Unix paths become that user's before.
 */
export interface IdentityInput {
  /** Whom to become. */
  readonly account: Account;
  /** Those that are open: the paths of Unix listeners are given away first. */
  readonly listeners: readonly BoundListener[];
}

/** Makes this generation's life pipe. Reports `LifePipeFact`s. */
export type LifePipeInput = Record<string, never>;

/** Turns signals into requests: SIGUSR2, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGTTIN, SIGTTOU. */
export type SignalsInput = Record<string, never>;

/** Serves the control socket. Reports `Request`s and `ControlFact`s. */
export interface ControlInput {
  /** The absolute path of the socket, at most 91 bytes on Linux and 87 elsewhere: its temporary name is longer. */
  readonly path: string;
}

/** Orders to the effect `control`. */
export type ControlOrder =
  /**
   * Make the path ours. Reports `control.claimed` or `control.failed`.
   *
   * With `first` only if nobody is there, or a socket that refuses connections; else from another generation.
   */
  | {
      readonly type: 'control.claim';
      /** Whether this supervisor is a first generation. */
      readonly first: boolean;
    }
  /** Answer every reload request that waits. */
  | {
      readonly type: 'control.answer';
      /** The answer, as it is told in JSON. */
      readonly verdict: ReloadVerdict;
    }
  /** Answer those who asked for another number of workers, by the ids of their requests. */
  | {
      readonly type: 'scale.answer';
      /** Of the requests that are answered. */
      readonly ids: readonly string[];
      /** The answer, as it is told in JSON. */
      readonly verdict: ScaleVerdict;
    }
  /** The final stop: remove the path if it is still ours. */
  | { readonly type: 'control.remove' };

/** Watches the command that waits for a daemonized start. Reports `StarterFact`s until it was told. */
export interface StarterInput {
  /** The socket to that command. */
  readonly descriptor: number;
}

/** Every worker is ready: the command may return. */
export type StarterOrder = { readonly type: 'starter.tell' };

/** What both sides of a reload may order of the link between them. */
export type LinkOrder =
  /** Report every message that waits, then `inbox.empty`. */
  | { readonly type: 'inbox.read' }
  /** Take the token: reports `token.taken` or `token.gone`. */
  | { readonly type: 'token.take' }
  | {
      readonly type: 'link.say';
      /** What to say. */
      readonly message: LinkMessage;
    }
  /** Kill what still lives of these, where the identity is proven; report `leftovers.counted`. */
  | {
      readonly type: 'leftovers.kill';
      /** Whom to kill. */
      readonly leftovers: readonly Identity[];
    };

/** One line on the socket between two generations. */
export type LinkMessage =
  | { readonly say: 'granted' }
  | { readonly say: 'draining' }
  | { readonly say: 'drained' }
  | {
      readonly say: 'anchored';
      readonly pid: number;
      /** When the kernel says that the process started; null where the system does not tell. */
      readonly startTime: string | null;
    }
  | { readonly say: 'takeover' }
  | {
      readonly say: 'activated';
      /** How long the probation is, in milliseconds; 0 for none. */
      readonly probationMs: number;
      /** How long it may take until `committed`, in milliseconds from now. */
      readonly limitMs: number;
    }
  | { readonly say: 'committed' }
  | { readonly say: 'stop' }
  | { readonly say: 'failed'; readonly reason: string; readonly detail: string }
  | {
      readonly say: 'joined';
      /** Of the request that was joined. */
      readonly id: string;
    }
  | {
      readonly say: 'workers';
      /** Every worker process that lives now. */
      readonly workers: readonly Identity[];
    };

/**
 * Starts the successor with lock, listeners, token and life pipes, and keeps the link to it.
 * Reports `SuccessorFact`s and `LinkFact`s. Also takes `successor.kill`.
 */
export interface SuccessorInput {
  /** What the successor is told. Descriptor numbers in it are filled in when it is started. */
  readonly record: HandoverRecord;
  /** What it inherits. */
  readonly descriptors: SuccessorDescriptors;
}

/** Our descriptors that the successor inherits. */
export interface SuccessorDescriptors {
  /** null without a pid file. */
  readonly lock: number | null;
  /** Reading end of this generation's life pipe. */
  readonly lifeRead: number;
  /** The lock that workers of an exclusive daemon share; null in overlap mode and without a pid file. */
  readonly fence: number | null;
  /** The far end of the socket pair to the first process; null where nobody stays as an anchor. */
  readonly anchor: number | null;
  /** In the order of `HandoverRecord.listeners`. */
  readonly listeners: readonly number[];
}

/** Orders to the effect `successor`. `successor.kill` sends it SIGKILL, where it still lives. */
export type SuccessorOrder = LinkOrder | { readonly type: 'successor.kill' };

/** Keeps the link to the predecessor. Reports `PredecessorFact`s and `LinkFact`s. Also takes `predecessor.kill`. */
export interface PredecessorInput {
  /** The process, to be killed only with its identity proven. */
  readonly predecessor: Identity;
  /** Descriptor of the socket between both generations. */
  readonly messages: number;
  /** Descriptor of the stream with the token. */
  readonly token: number;
  /** Reading end of the predecessor's life pipe. */
  readonly lifeRead: number;
}

/** Orders to the effect `predecessor`. `predecessor.kill` sends it SIGKILL, where its identity is proven. */
export type PredecessorOrder = LinkOrder | { readonly type: 'predecessor.kill' };

/** Kills processes that lost their supervisor, where their identity is proven. */
export interface LeftoversInput {
  /**
   * Whom to kill. Each that lives gets SIGKILL with its process group, if its start time is the recorded
   * one.
   */
  readonly leftovers: readonly Identity[];
}

const placeholder = <Order extends EventObject, Input>(name: string): CallbackActorLogic<Order, Input> =>
  fromCallback<Order, Input>(() => {
    throw new Error(`the effect "${name}" is not provided: machine.provide({ actors: { ${name}: … } })`);
  });

/** A one-shot timer, see `AlarmInput`. A placeholder, which throws. */
export const alarm = placeholder<EventObject, AlarmInput>('alarm');
/** Starts one worker process and waits for its end, see `ForkInput`. A placeholder, which throws. */
export const fork = placeholder<EventObject, ForkInput>('fork');
/**
 * Reads a worker's words and answers them, see `ChannelInput` and `ChannelOrder`. A placeholder, which
 * throws.
 */
export const channel = placeholder<ChannelOrder, ChannelInput>('channel');
/** Asks a worker until it answers well, see `ProbeInput`. A placeholder, which throws. */
export const probe = placeholder<EventObject, ProbeInput>('probe');
/** Measures a worker's memory, see `MemoryInput`. A placeholder, which throws. */
export const memory = placeholder<EventObject, MemoryInput>('memory');
/**
 * Writes down what explains why a process has to be killed, see `EvidenceInput`. A placeholder, which
 * throws.
 */
export const evidence = placeholder<EventObject, EvidenceInput>('evidence');
/** Asks a worker once whether it is well, see `HealthInput`. A placeholder, which throws. */
export const health = placeholder<EventObject, HealthInput>('health');
/** Sends one signal to a process that is provably ours, see `KillInput`. A placeholder, which throws. */
export const kill = placeholder<EventObject, KillInput>('kill');
/** Holds the lock of the pid file, see `FlockInput` and `FlockOrder`. A placeholder, which throws. */
export const flock = placeholder<FlockOrder, FlockInput>('flock');
/**
 * Holds the lock that workers of an exclusive daemon share, see `FenceInput` and `FenceOrder`. A
 * placeholder, which throws.
 */
export const fence = placeholder<FenceOrder, FenceInput>('fence');
/**
 * Opens the listening sockets and keeps them, see `ListenersInput` and `ListenersOrder`. A placeholder,
 * which throws.
 */
export const listeners = placeholder<ListenersOrder, ListenersInput>('listeners');
/** Becomes another user, see `IdentityInput`. A placeholder, which throws. */
export const identity = placeholder<EventObject, IdentityInput>('identity');
/**
 * Makes this generation's life pipe: its end tells the other generation that nobody of this one lives. A
 * placeholder, which throws.
 */
export const lifePipe = placeholder<EventObject, LifePipeInput>('lifePipe');
/** Turns signals into requests, see `SignalsInput`. A placeholder, which throws. */
export const signals = placeholder<EventObject, SignalsInput>('signals');
/** Serves the control socket, see `ControlInput` and `ControlOrder`. A placeholder, which throws. */
export const control = placeholder<ControlOrder, ControlInput>('control');
/**
 * Watches the command that waits for a daemonized start, see `StarterInput` and `StarterOrder`. A
 * placeholder, which throws.
 */
export const starter = placeholder<StarterOrder, StarterInput>('starter');
/**
 * Starts the successor and keeps the link to it, see `SuccessorInput` and `SuccessorOrder`. A placeholder,
 * which throws.
 */
export const successor = placeholder<SuccessorOrder, SuccessorInput>('successor');
/**
 * Keeps the link to the predecessor, see `PredecessorInput` and `PredecessorOrder`. A placeholder, which
 * throws.
 */
export const predecessor = placeholder<PredecessorOrder, PredecessorInput>('predecessor');
/** Kills processes that lost their supervisor, see `LeftoversInput`. A placeholder, which throws. */
export const leftovers = placeholder<EventObject, LeftoversInput>('leftovers');
/**
 * In the first process: watches the generations after it, see `ServiceInput` and `ServiceOrder`. A
 * placeholder, which throws.
 */
export const service = placeholder<ServiceOrder, ServiceInput>('service');
/**
 * In a later generation: keeps the line to the first process, see `AnchorInput` and `AnchorOrder`. A
 * placeholder, which throws.
 */
export const anchor = placeholder<AnchorOrder, AnchorInput>('anchor');
/** Takes the exit statuses of orphans, see `ReaperInput`. A placeholder, which throws. */
export const reaper = placeholder<EventObject, ReaperInput>('reaper');
