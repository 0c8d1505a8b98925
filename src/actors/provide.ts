/**
 * The machines with their effects, on whatever door to the operating system is given.
 */
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

export interface EffectOptions extends ForkOptions, ControlOptions, IdentityOptions, SuccessorOptions {}

/** The supervisor's machine with every effect provided. */
export const provideEffects = (env: Env, options: EffectOptions): SupervisorMachine => {
  const alarm = createAlarm(env);
  const kill = createKill(env);
  return supervisorMachine.provide({
    actors: {
      alarm,
      anchor: createAnchor(env),
      control: createControl(env, options),
      fence: createFence(env),
      flock: createFlock(env),
      identity: createIdentity(env, options),
      kill,
      leftovers: createLeftovers(env),
      lifePipe: createLifePipe(env),
      listeners: createListeners(env),
      reaper: createReaper(env),
      service: createService(env),
      signals: createSignals(env),
      starter: createStarter(env),
      worker: workerMachine.provide({
        actors: {
          alarm,
          kill,
          fork: createFork(env, options),
          channel: createChannel(env),
          evidence: createEvidence(env, options),
          memory: createMemory(env),
          health: createHealth(env, options.base),
          probe: createProbe(env, options.base),
        },
      }),
      reloadMachine: reloadMachine.provide({
        actors: { alarm, successor: createSuccessor(env, options) },
      }),
      takeoverMachine: takeoverMachine.provide({ actors: { alarm, predecessor: createPredecessor(env) } }),
    },
  });
};
