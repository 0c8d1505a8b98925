/**
 * `tanist/machines`: the supervisor as data. Needs xstate and nothing else.
 *
 * @module tanist/machines
 */
export * from './anchor.js';
export * from './contracts.js';
export * from './counters.js';
export * from './events.js';
export * from './handover.js';
export * from './memory.js';
export * from './policy.js';
export * from './reload.js';
export * from './slots.js';
export * from './status.js';
export * from './supervisor.js';
export * from './takeover.js';
export * from './worker.js';
