/**
 * `tanist/testing`: a simulated world for the shipped machines and effects.
 *
 * Processes, descriptors, locks, signals, sockets and the clock are simulated; the supervisors in it are not.
 * All that is left to chance comes from one seed, and the same seed gives the same run.
 *
 * @module tanist/testing
 *
 * @module tanist/testing
 */
export { Choices, type Recording } from './choices.js';
export type { TaskKind } from './clockwork.js';
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
export { type Faults, NO_FAULTS, type Odds } from './faults.js';
export type { Deed, Happening, Line, Watch, Words } from './happenings.js';
export { INVARIANTS, type Invariant } from './invariants.js';
export type { Kernel } from './kernel.js';
export type { Safeguard } from './machinery.js';
export type { Exit, ProcessState, SimulatedProcess, SimulatedProgram } from './process.js';
export { type Run, type RunOptions, runSeed } from './run.js';
export type { Violation } from './runner.js';
export { BrokenGuarantee, Scenario, type ScenarioOptions } from './scenario.js';
export { shrink } from './shrink.js';
export type { Mutation } from './simulated-machine.js';
export { simulatedSettings } from './simulated-settings.js';
export { World, type WorldOptions } from './simulated-world.js';
export type { Boot, SupervisorProcess, SupervisorStart } from './supervisor-process.js';
export { type Edge, type Model, type Outcome, type Situation, type Walked, walk } from './walk.js';
export type { Behaviour, WorkerProcess } from './worker-process.js';
