import type { EventObject } from 'xstate';
import type { KillInput, LeftoversInput } from '../../machines/contracts.js';
import type { Identity, LinkFact, SignalFact } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { effect } from './effect.js';

/** One signal to a process that is provably ours; to nobody otherwise. */
export const createKill = (env: Env) =>
  effect<KillInput, EventObject, SignalFact>(env, ({ input, report }) => {
    const { pid, signal, group } = input;
    const detail = env.signalProcess(input, signal, group);
    if (detail === null) report({ type: 'signal.sent', pid, signal });
    else report({ type: 'signal.withheld', pid, signal, detail });
    return undefined;
  });

/** Kills what still lives of a list, group and all; returns how many did. */
export const killLeftovers = (env: Env, leftovers: readonly Identity[]): number => {
  const living = leftovers.filter((identity) => env.isAlive(identity));
  for (const identity of living) env.signalProcess(identity, 'SIGKILL', true);
  return living.length;
};

/** Workers that lost their supervisor and did not leave. */
export const createLeftovers = (env: Env) =>
  effect<LeftoversInput, EventObject, LinkFact>(env, ({ input, report }) => {
    report({ type: 'leftovers.counted', remaining: killLeftovers(env, input.leftovers) });
    return undefined;
  });
