import type { EventObject } from 'xstate';
import type { SignalsInput } from '../../machines/contracts.js';
import type { Request } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { effect, type Unstamped } from './effect.js';

/** What each signal asks for. A signal is an alias of a control command, and a level, not a count. */
const REQUESTS: Readonly<Record<string, Unstamped<Request>>> = {
  SIGUSR2: { type: 'reload.requested', via: 'SIGUSR2', id: null },
  SIGHUP: { type: 'hangup.received' },
  SIGTTIN: { type: 'scale.requested', via: 'SIGTTIN', workers: null, change: 1, id: null },
  SIGTTOU: { type: 'scale.requested', via: 'SIGTTOU', workers: null, change: -1, id: null },
  SIGTERM: { type: 'stop.requested', via: 'SIGTERM' },
  SIGINT: { type: 'stop.requested', via: 'SIGINT' },
  SIGQUIT: { type: 'stop.requested', via: 'SIGQUIT' },
};

/** What a signal asks for; null for one that is not ours to act on. */
export const requestOf = (signal: string): Unstamped<Request> | null =>
  Object.hasOwn(REQUESTS, signal) ? (REQUESTS[signal] ?? null) : null;

/**
 * Turns signals into requests.
 *
 * SIGPIPE is ignored by Node from the beginning, and must not be handled: when its last handler goes, libuv
 * restores the default, and the next write to a closed pipe kills the process.
 */
export const createSignals = (env: Env) =>
  effect<SignalsInput, EventObject, Request>(env, ({ report }) => {
    const disposers = Object.entries(REQUESTS).map(([signal, request]) =>
      env.onSignal(signal, () => report(request)),
    );
    return () => {
      for (const dispose of disposers) dispose();
    };
  });
