/**
 * The machines with their effects, on whatever door to the operating system is given.
 */
import type * as contracts from '../../machines/contracts.js';
import { reloadMachine } from '../../machines/reload.js';
import { type SupervisorMachine, supervisorMachine } from '../../machines/supervisor.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { workerMachine } from '../../machines/worker.js';
import type { Env } from '../os/env.js';
import { createAlarm } from './alarm.js';
import { createAnchor } from './anchor.js';
import { createChannel } from './channel.js';
import { type ControlOptions, createControl } from './control.js';
import { createEvidence } from './evidence.js';
import { createFence, createFlock } from './flock.js';
import { createFork, type ForkOptions } from './fork.js';
import { createHealth } from './health.js';
import { createIdentity, type IdentityOptions } from './identity.js';
import { createKill, createLeftovers } from './kill.js';
import { createLifePipe, createListeners } from './listeners.js';
import { createMemory } from './memory.js';
import { createPredecessor } from './predecessor.js';
import { createProbe } from './probe.js';
import { createReaper } from './reaper.js';
import { createService } from './service.js';
import { createSignals } from './signals.js';
import { createStarter } from './starter.js';
import { createSuccessor, type SuccessorOptions } from './successor.js';

/** What the real effects have to know. */
export interface EffectOptions extends ForkOptions, ControlOptions, IdentityOptions, SuccessorOptions {}

/** Every effect that the machines ask for, by its name. What each takes and reports stands in `machines/contracts.ts`. */
export type Effects = { readonly [Name in keyof typeof contracts]: (typeof contracts)[Name] };

/** What effects of one's own are made from. */
export interface EffectParts {
  /** The door to the operating system: what goes through it is given back should the supervisor itself fail. */
  readonly env: Env;
  /** The shipped effects: one of one's own may hand on to them what is none of its business. */
  readonly effects: Effects;
}

/** Makes effects of one's own; those that are left out are the shipped ones. */
export type OwnEffects = (parts: EffectParts) => Partial<Effects>;

const shippedEffects = (env: Env, options: EffectOptions): Effects => ({
  alarm: createAlarm(env),
  anchor: createAnchor(env),
  channel: createChannel(env),
  control: createControl(env, options),
  evidence: createEvidence(env, options),
  fence: createFence(env),
  flock: createFlock(env),
  fork: createFork(env, options),
  health: createHealth(env, options.base),
  identity: createIdentity(env, options),
  kill: createKill(env),
  leftovers: createLeftovers(env),
  lifePipe: createLifePipe(env),
  listeners: createListeners(env),
  memory: createMemory(env),
  predecessor: createPredecessor(env),
  probe: createProbe(env, options.base),
  reaper: createReaper(env),
  service: createService(env),
  signals: createSignals(env),
  starter: createStarter(env),
  successor: createSuccessor(env, options),
});

/** The supervisor's machine with every effect provided: the shipped ones, but for those of `own`. */
export const provideEffects = (
  env: Env,
  options: EffectOptions,
  own: OwnEffects = () => ({}),
): SupervisorMachine => {
  const shipped = shippedEffects(env, options);
  const effects: Effects = { ...shipped, ...own({ env, effects: shipped }) };
  const { alarm, anchor, control, fence, flock, identity, kill, leftovers, lifePipe, listeners } = effects;
  const { reaper, service, signals, starter } = effects;
  const { channel, evidence, fork, health, memory, predecessor, probe, successor } = effects;
  const worker = workerMachine.provide({
    actors: { alarm, channel, evidence, fork, health, kill, memory, probe },
  });
  return supervisorMachine.provide({
    actors: {
      ...{ alarm, anchor, control, fence, flock, identity, kill, leftovers, lifePipe, listeners },
      ...{ reaper, service, signals, starter, worker },
      reloadMachine: reloadMachine.provide({ actors: { alarm, successor } }),
      takeoverMachine: takeoverMachine.provide({ actors: { alarm, predecessor } }),
    },
  });
};
