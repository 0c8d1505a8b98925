/**
 * `tanist/actors`: the real effects, to be provided to the machines.
 *
 * @module tanist/actors
 */
export type {
  ControlRequest,
  ControlServer,
  DescriptorSource,
  Dispose,
  Env,
  EvidenceRequest,
  LockAttempt,
  MemoryGauge,
  OpenAnswer,
  PidFile,
  SpawnedChild,
  SpawnRequest,
  Stream,
  StreamHandlers,
} from '../os/env.js';
export { createNodeEnv, type NodeEnv } from '../os/node-env.js';
export type { Places, Quarters } from '../os/places.js';
export type { Need, Program, Relaunch, Use } from '../program.js';
export { createAlarm } from './alarm.js';
export { createAnchor } from './anchor.js';
export { createChannel } from './channel.js';
export { type ControlOptions, createControl } from './control.js';
export { type EffectTools, effect, type Unstamped } from './effect.js';
export { createEvidence, type EvidenceOptions } from './evidence.js';
export { createFence, createFlock } from './flock.js';
export { createFork, type ForkOptions } from './fork.js';
export { createHealth } from './health.js';
export { createIdentity, type IdentityOptions } from './identity.js';
export { createKill, createLeftovers } from './kill.js';
export { createLifePipe, createListeners } from './listeners.js';
export { createMemory } from './memory.js';
export { createPredecessor } from './predecessor.js';
export { createProbe } from './probe.js';
export {
  type EffectOptions,
  type EffectParts,
  type Effects,
  type OwnEffects,
  provideEffects,
} from './provide.js';
export { createReaper } from './reaper.js';
export { createService } from './service.js';
export { createSignals } from './signals.js';
export { createStarter } from './starter.js';
export { createSuccessor, type SuccessorOptions } from './successor.js';
