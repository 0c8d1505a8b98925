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
  readonly alarm: AlarmName;
  readonly delayMs: number;
}

/** What every worker inherits. Descriptors are those of the supervisor. */
export interface Inheritance {
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

export type ChannelOrder =
  | { readonly type: 'channel.pong'; readonly count: number }
  | { readonly type: 'channel.ok' }
  /** Report everything that waits to be read, then `channel.read`. */
  | { readonly type: 'channel.look' };

/** Asks a worker's private probe socket until it answers well. Reports `probe.passed`, or `probe.failed` per try. */
export interface ProbeInput {
  readonly pid: number;
  readonly slot: number;
  readonly place: Place;
  readonly generation: number;
  readonly path: string;
  /** The worker is asked again later: its socket keeps its name. */
  readonly kept: boolean;
}

/** Reads how much memory a process of ours uses, at once and then every `intervalMs`. Reports `MemoryFact`s. */
export interface MemoryInput {
  readonly pid: number;
  readonly intervalMs: number;
}

/** Asks a worker's private probe socket once whether it is well, for at most `timeoutMs`. Reports one `HealthFact`. */
export interface HealthInput extends Omit<ProbeInput, 'kept'> {
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
  readonly signal: string;
  readonly group: boolean;
}

/** Takes the pid-file lock, or adopts it. Reports `LockFact`s. Holds it until the machine ends. */
export interface FlockInput {
  readonly path: string;
  /** Descriptor inherited from the predecessor: already locked. */
  readonly inherited: number | null;
}

export type FlockOrder =
  /** Write our pid in place: the file is never empty. */
  | { readonly type: 'pid.write' }
  /** The final stop: remove the pid file if it is still ours, report `lock.released`. */
  | { readonly type: 'lock.release' };

/** Takes the workers' lock exclusively, polling every 50 ms, then shares it. Reports `FenceFact`s. */
export interface FenceInput {
  readonly path: string;
  readonly inherited: number | null;
}

/** The final stop: remove the file while the pid-file lock still keeps others out. */
export type FenceOrder = { readonly type: 'fence.remove' };

/** Opens all listeners, or adopts them. Reports `ListenersFact`s. Never accepts a connection. */
export interface ListenersInput {
  readonly specs: readonly ListenSpec[];
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
  readonly account: Account;
  readonly listeners: readonly BoundListener[];
}

/** Makes this generation's life pipe. Reports `LifePipeFact`s. */
export type LifePipeInput = Record<string, never>;

/** Turns signals into requests: SIGUSR2, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGTTIN, SIGTTOU. */
export type SignalsInput = Record<string, never>;

/** Serves the control socket. Reports `Request`s and `ControlFact`s. */
export interface ControlInput {
  readonly path: string;
}

export type ControlOrder =
  /**
   * Make the path ours. Reports `control.claimed` or `control.failed`.
   *
   * With `first` only if nobody is there, or a socket that refuses connections; else from another generation.
   */
  | { readonly type: 'control.claim'; readonly first: boolean }
  /** Answer every reload request that waits. */
  | { readonly type: 'control.answer'; readonly verdict: ReloadVerdict }
  /** Answer those who asked for another number of workers, by the ids of their requests. */
  | { readonly type: 'scale.answer'; readonly ids: readonly string[]; readonly verdict: ScaleVerdict }
  /** The final stop: remove the path if it is still ours. */
  | { readonly type: 'control.remove' };

/** Watches the command that waits for a daemonized start. Reports `StarterFact`s until it was told. */
export interface StarterInput {
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
  | { readonly type: 'link.say'; readonly message: LinkMessage }
  /** Kill what still lives of these, where the identity is proven; report `leftovers.counted`. */
  | { readonly type: 'leftovers.kill'; readonly leftovers: readonly Identity[] };

/** One line on the socket between two generations. */
export type LinkMessage =
  | { readonly say: 'granted' }
  | { readonly say: 'draining' }
  | { readonly say: 'drained' }
  | { readonly say: 'anchored'; readonly pid: number; readonly startTime: string | null }
  | { readonly say: 'takeover' }
  | { readonly say: 'activated'; readonly probationMs: number; readonly limitMs: number }
  | { readonly say: 'committed' }
  | { readonly say: 'stop' }
  | { readonly say: 'failed'; readonly reason: string; readonly detail: string }
  | { readonly say: 'joined'; readonly id: string }
  | { readonly say: 'workers'; readonly workers: readonly Identity[] };

/**
 * Starts the successor with lock, listeners, token and life pipes, and keeps the link to it.
 * Reports `SuccessorFact`s and `LinkFact`s. Also takes `successor.kill`.
 */
export interface SuccessorInput {
  readonly record: HandoverRecord;
  readonly descriptors: SuccessorDescriptors;
}

/** Our descriptors that the successor inherits. */
export interface SuccessorDescriptors {
  /** null without a pid file. */
  readonly lock: number | null;
  readonly lifeRead: number;
  readonly fence: number | null;
  /** The far end of the socket pair to the first process; null where nobody stays as an anchor. */
  readonly anchor: number | null;
  readonly listeners: readonly number[];
}

export type SuccessorOrder = LinkOrder | { readonly type: 'successor.kill' };

/** Keeps the link to the predecessor. Reports `PredecessorFact`s and `LinkFact`s. Also takes `predecessor.kill`. */
export interface PredecessorInput {
  readonly predecessor: Identity;
  readonly messages: number;
  readonly token: number;
  readonly lifeRead: number;
}

export type PredecessorOrder = LinkOrder | { readonly type: 'predecessor.kill' };

/** Kills processes that lost their supervisor, where their identity is proven. */
export interface LeftoversInput {
  readonly leftovers: readonly Identity[];
}

const placeholder = <Order extends EventObject, Input>(name: string): CallbackActorLogic<Order, Input> =>
  fromCallback<Order, Input>(() => {
    throw new Error(`the effect "${name}" is not provided: machine.provide({ actors: { ${name}: … } })`);
  });

export const alarm = placeholder<EventObject, AlarmInput>('alarm');
export const fork = placeholder<EventObject, ForkInput>('fork');
export const channel = placeholder<ChannelOrder, ChannelInput>('channel');
export const probe = placeholder<EventObject, ProbeInput>('probe');
export const memory = placeholder<EventObject, MemoryInput>('memory');
export const evidence = placeholder<EventObject, EvidenceInput>('evidence');
export const health = placeholder<EventObject, HealthInput>('health');
export const kill = placeholder<EventObject, KillInput>('kill');
export const flock = placeholder<FlockOrder, FlockInput>('flock');
export const fence = placeholder<FenceOrder, FenceInput>('fence');
export const listeners = placeholder<ListenersOrder, ListenersInput>('listeners');
export const identity = placeholder<EventObject, IdentityInput>('identity');
export const lifePipe = placeholder<EventObject, LifePipeInput>('lifePipe');
export const signals = placeholder<EventObject, SignalsInput>('signals');
export const control = placeholder<ControlOrder, ControlInput>('control');
export const starter = placeholder<StarterOrder, StarterInput>('starter');
export const successor = placeholder<SuccessorOrder, SuccessorInput>('successor');
export const predecessor = placeholder<PredecessorOrder, PredecessorInput>('predecessor');
export const leftovers = placeholder<EventObject, LeftoversInput>('leftovers');
export const service = placeholder<ServiceOrder, ServiceInput>('service');
export const anchor = placeholder<AnchorOrder, AnchorInput>('anchor');
export const reaper = placeholder<EventObject, ReaperInput>('reaper');
