import type { EventObject } from 'xstate';
import type { LifePipeInput, ListenersInput, ListenersOrder } from '../../machines/contracts.js';
import type { BoundListener, LifePipeFact, ListenersFact } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { effect, failureOf } from './effect.js';

const UNIX = 'unix:';

/** Opens every listener, or none. */
const openAll = async (env: Env, { specs }: ListenersInput): Promise<readonly BoundListener[]> => {
  const opened: BoundListener[] = [];
  try {
    // One at a time: the order of descriptors is the order of the options.
    for (const spec of specs) opened.push(...(await env.listen(spec, opened)));
    return opened;
  } catch (error) {
    // While a socket is open, no other file can have its number.
    unlinkAll(env, opened);
    closeAll(env, opened);
    throw error;
  }
};

const closeAll = (env: Env, listeners: readonly BoundListener[]): void => {
  for (const { descriptor } of listeners) env.close(descriptor);
};

/** Removes the paths, and returns those that are still there. */
const unlinkAll = (env: Env, listeners: readonly BoundListener[]): { path: string; reason: string }[] =>
  listeners.flatMap(({ address, file, origin }) => {
    // What somebody else has bound is his to remove.
    if (!address.startsWith(UNIX) || origin !== undefined) return [];
    const path = address.slice(UNIX.length);
    const reason = env.unlink(path, file);
    return reason === null ? [] : [{ path, reason }];
  });

/** The sockets that outlive every worker and every generation. */
export const createListeners = (env: Env) =>
  effect<ListenersInput, ListenersOrder, ListenersFact>(env, ({ input, report, onOrder, ended }) => {
    let listeners: readonly BoundListener[] = input.inherited ?? [];
    onOrder(() => {
      report({ type: 'listeners.removed', left: unlinkAll(env, listeners) });
    });
    if (input.inherited !== null) report({ type: 'listeners.bound', listeners });
    else {
      openAll(env, input).then(
        (opened) => {
          listeners = opened;
          if (ended()) {
            unlinkAll(env, opened);
            closeAll(env, opened);
          }
          report({ type: 'listeners.bound', listeners });
        },
        (error: unknown) => report({ type: 'listeners.failed', ...failureOf(error, 'TANIST_LISTEN_FAILED') }),
      );
    }
    return () => closeAll(env, listeners);
  });

/** This generation's life pipe. Both ends stay open until the generation has ended: that is what they are for. */
export const createLifePipe = (env: Env) =>
  effect<LifePipeInput, EventObject, LifePipeFact>(env, ({ report, ended }) => {
    let opened: readonly number[] = [];
    const close = () => {
      for (const descriptor of opened) env.close(descriptor);
    };
    env.socketPair().then(
      ([write, read]) => {
        opened = [write, read];
        if (ended()) close();
        report({ type: 'lifePipe.opened', write, read });
      },
      (error: unknown) => report({ type: 'lifePipe.failed', ...failureOf(error, 'TANIST_RUN_DIR') }),
    );
    return close;
  });
