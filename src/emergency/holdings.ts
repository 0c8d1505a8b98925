/**
 * What a supervisor holds: processes, descriptors, names and whoever waits for an answer.
 *
 * It is kept outside of the machine, by the door through which every effect acts, so that it can be given back in
 * order when the machine cannot do that any more.
 */
import type { BoundListener, Identity } from '../../machines/events.js';
import type { ControlRequest, ControlServer, Dispose, PidFile, Stream } from '../os/env.js';

export interface Child extends Identity {
  readonly role: 'worker' | 'successor';
  /** Our ends of the sockets to it. */
  readonly streams: readonly number[];
}

/** What a successor has inherited. */
export interface Inherited {
  readonly predecessor: Identity;
  /** Descriptor of the socket to the predecessor. */
  readonly messages: number;
  /** Every other one. */
  readonly descriptors: readonly number[];
  readonly listeners: readonly BoundListener[];
  /** The lock that workers share; null where they share none. */
  readonly fence: { readonly descriptor: number; readonly path: string } | null;
  /** The far end of the socket pair to the first process; null where there is none. */
  readonly anchor: number | null;
}

export class Holdings {
  readonly children = new Map<number, Child>();
  readonly descriptors = new Set<number>();
  readonly streams = new Map<number, Stream>();
  readonly listeners = new Map<number, BoundListener>();
  readonly pidFiles = new Map<number, PidFile>();
  /** Locks that workers share, by descriptor. */
  readonly fences = new Map<number, string>();
  readonly controls = new Set<ControlServer>();
  /** Names of the sockets on which workers are probed. */
  readonly probes = new Set<string>();
  /** The pid of the last successor that has ended. */
  formerSuccessor: number | null = null;
  /** Requests on the control socket that nobody has answered yet. */
  readonly waiting = new Set<ControlRequest>();
  /** Timers and signal handlers of the effects. */
  readonly subscriptions = new Set<Dispose>();
  readonly #inherited: Inherited | null;
  /** Called when a child has been reaped, and with each request that comes after the seal. */
  onChildGone: () => void = () => undefined;
  onLateRequest: (request: ControlRequest) => void = () => undefined;
  #isSealed = false;

  constructor(inherited: Inherited | null) {
    this.#inherited = inherited;
    if (inherited === null) return;
    for (const descriptor of [inherited.messages, ...inherited.descriptors]) this.descriptors.add(descriptor);
    for (const listener of inherited.listeners) this.keepListener(listener);
    if (inherited.fence !== null) this.keepFence(inherited.fence.descriptor, inherited.fence.path);
  }

  /** From now on no effect hears of anything, and none starts a process. */
  seal(): void {
    this.#isSealed = true;
    for (const dispose of this.subscriptions) dispose();
    this.subscriptions.clear();
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  keepListener(listener: BoundListener): void {
    this.descriptors.add(listener.descriptor);
    this.listeners.set(listener.descriptor, listener);
  }

  keepFence(descriptor: number, path: string): void {
    this.descriptors.add(descriptor);
    this.fences.set(descriptor, path);
  }

  /** A descriptor was closed: its number may be another's from now on. True if it was held. */
  forget(descriptor: number): boolean {
    this.streams.delete(descriptor);
    this.listeners.delete(descriptor);
    this.pidFiles.delete(descriptor);
    this.fences.delete(descriptor);
    return this.descriptors.delete(descriptor);
  }

  get workers(): readonly Child[] {
    return [...this.children.values()].filter(({ role }) => role === 'worker');
  }

  get successor(): Child | null {
    return [...this.children.values()].find(({ role }) => role === 'successor') ?? null;
  }

  /** The predecessor, as long as the socket to it is open. */
  get predecessor(): (Identity & { readonly messages: number }) | null {
    const inherited = this.#inherited;
    if (inherited === null || !this.descriptors.has(inherited.messages)) return null;
    return { ...inherited.predecessor, messages: inherited.messages };
  }

  /** The far end of the socket pair to the first process, as long as it is open. */
  get anchor(): number | null {
    const descriptor = this.#inherited?.anchor ?? null;
    return descriptor !== null && this.descriptors.has(descriptor) ? descriptor : null;
  }
}
