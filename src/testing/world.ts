/**
 * `tanist/testing`: a simulated world for the shipped machines and effects.
 *
 * Processes, descriptors, locks, signals, sockets and the clock are simulated; the supervisors in it are not.
 * All that is left to chance comes from one seed, and the same seed gives the same run.
 */
export { Choices, type Recording } from './choices.js';
export { NO_FAULTS, type Odds } from './faults.js';
export type { Happening, Watch } from './happenings.js';
export { INVARIANTS, type Invariant } from './invariants.js';
export type { Safeguard } from './machinery.js';
export { type Run, type RunOptions, runSeed, type Violation } from './run.js';
export { shrink } from './shrink.js';
export { World, type WorldOptions } from './simulated-world.js';
export type { Mutation, SupervisorProcess } from './supervisor-process.js';
export type { Behaviour, WorkerProcess } from './worker-process.js';
