/**
 * Whom a supervisor tells what happens: the program around it.
 *
 * Whatever they do changes nothing here: they are called between two turns of the machine, and what they throw is
 * told and forgotten.
 */
import type { SupervisorEvent } from '../machines/events.js';
import { type Status, topState } from '../machines/status.js';
import { EVENT_TYPES, isEventType } from './event-types.js';
import { shown, usageError } from './settings/mistake.js';
import { nearest } from './settings/suggestion.js';

/** Every event of a supervisor by its name; `*` means all of them. */
export type EventName = SupervisorEvent['type'] | '*';

/** The event of that name. */
export type EventOf<Name extends EventName> = Name extends '*'
  ? SupervisorEvent
  : Extract<SupervisorEvent, { readonly type: Name }>;

/** Ended once, for good; harmless when it is ended again. */
export interface Subscription {
  /** Ends it: the callback is not called any more. */
  unsubscribe(): void;
}

/** Hears of changes of a supervisor. */
export interface StatusObserver {
  /** It has changed; several changes of one turn of the event loop are told once. */
  readonly next?: (status: Status) => unknown;
  /** It has ended, and changes no more. `done` says why. */
  readonly complete?: () => unknown;
}

type Handler = (event: SupervisorEvent) => unknown;

const checkHandler = (where: string, handler: unknown): void => {
  if (typeof handler === 'function') return;
  const message = `${where}: expected a function, not ${shown(handler)}`;
  throw usageError([{ option: where, message }]);
};

const checkName = (name: string): void => {
  if (name === '*' || isEventType(name)) return;
  const meant = nearest(name, EVENT_TYPES);
  const hint = meant === null ? '' : `: did you mean ${meant}?`;
  const message = `on(${shown(name)}): expected the name of an event, or "*"${hint}`;
  throw usageError([{ option: 'on', message }]);
};

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

export class Subscribers {
  readonly #status: () => Status;
  readonly #fail: (error: unknown, what: string) => void;
  readonly #handlers = new Map<EventName, Set<Handler>>();
  readonly #observers = new Set<StatusObserver>();
  #events: SupervisorEvent[] = [];
  #told: { readonly state: string; readonly context: object } = { state: '', context: {} };
  #hasChanged = false;
  #hasEnded = false;
  #isDue = false;

  /** @param fail hears what somebody threw, or rejected with, at `what`. */
  constructor(status: () => Status, fail: (error: unknown, what: string) => void) {
    this.#status = status;
    this.#fail = fail;
  }

  on<Name extends EventName>(name: Name, handler: (event: EventOf<Name>) => unknown): Subscription {
    checkName(name);
    checkHandler(`on(${shown(name)})`, handler);
    // A function may be there twice: each is a subscription of its own.
    const one: Handler = (event) => handler(event as EventOf<Name>);
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(one));
    return { unsubscribe: () => handlers.delete(one) };
  }

  subscribe(given: StatusObserver | ((status: Status) => unknown)): Subscription {
    const { next, complete } =
      typeof given === 'function' ? { next: given } : { complete: undefined, ...given };
    if (next !== undefined || complete === undefined) checkHandler('subscribe()', next);
    if (complete !== undefined) checkHandler('subscribe({ complete })', complete);
    const observer: StatusObserver = {
      next: (status) => next?.(status),
      complete: () => complete?.(),
    };
    this.#observers.add(observer);
    return { unsubscribe: () => this.#observers.delete(observer) };
  }

  /**
   * The machine has processed an event, and is like that behind it.
   *
   * @param event others than its own are XState's.
   */
  tell(event: { readonly type: string }, { value, context }: { value: unknown; context: object }): void {
    const state = topState(value);
    // A context that nobody has changed is the same object.
    if (context !== this.#told.context || state !== this.#told.state) this.changed();
    this.#told = { state, context };
    if (!isEventType(event.type)) return;
    this.#events.push(event as SupervisorEvent);
    this.#soon();
  }

  /** The status is another one. */
  changed(): void {
    this.#hasChanged = true;
    this.#soon();
  }

  /** Nothing happens any more. */
  end(): void {
    this.#hasEnded = true;
    this.changed();
  }

  /** At the end of this turn: whoever has just started a supervisor can still subscribe to all of it. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isDue = false;
    const events = this.#events;
    this.#events = [];
    for (const event of events) {
      // Whoever is added by a handler hears of the next event.
      for (const name of [event.type, '*'] as const)
        for (const handler of [...(this.#handlers.get(name) ?? [])])
          this.#call(() => handler(event), event.type);
    }
    if (this.#hasChanged && this.#observers.size > 0) {
      const status = this.#status();
      for (const { next } of this.#observers) this.#call(() => next?.(status), 'a change of the status');
    }
    this.#hasChanged = false;
    if (!this.#hasEnded) return;
    for (const { complete } of this.#observers) this.#call(() => complete?.(), 'the end');
    this.#observers.clear();
    this.#handlers.clear();
  }

  #call(handler: () => unknown, what: string): void {
    try {
      const result = handler();
      if (isPromise(result)) result.then(undefined, (error: unknown) => this.#fail(error, what));
    } catch (error) {
      this.#fail(error, what);
    }
  }
}
