/**
 * Everything that a supervisor needs, in one module that is loaded when one starts.
 */
export { run } from './cli/commands/run.js';
export { createSupervisor } from './embed.js';
export { fromSupervisor } from './supervisor-logic.js';
