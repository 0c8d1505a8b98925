/**
 * `tanist/testing`: a simulated world for the shipped machines and effects.
 *
 * Processes, descriptors, locks, signals, sockets and the clock are simulated; the supervisors in it are not.
 * All that is left to chance comes from one seed, and the same seed gives the same run.
 */
export { Choices, type Recording } from './choices.js';
export { type Branch, branchText, type Covered, covered } from './coverage.js';
export {
  after,
  alarmsOf,
  begin,
  childrenOf,
  type LiveChild,
  type Order,
  type PlainEvent,
  type Spawn,
  type Step,
  sentTo,
} from './drive.js';
export { NO_FAULTS, type Odds } from './faults.js';
export type { Happening, Watch } from './happenings.js';
export { INVARIANTS, type Invariant } from './invariants.js';
export type { Safeguard } from './machinery.js';
export { type Run, type RunOptions, runSeed } from './run.js';
export type { Violation } from './runner.js';
export { BrokenGuarantee, Scenario, type ScenarioOptions } from './scenario.js';
export { shrink } from './shrink.js';
export { simulatedSettings } from './simulated-settings.js';
export { World, type WorldOptions } from './simulated-world.js';
export type { Mutation, SupervisorProcess } from './supervisor-process.js';
export { type Edge, type Model, type Outcome, type Situation, type Walked, walk } from './walk.js';
export type { Behaviour, WorkerProcess } from './worker-process.js';
