/**
 * Everything that a supervisor needs, in one module that is loaded when one starts.
 */

export { createSupervisor } from './embed.js';
export { run } from './running.js';
export { fromSupervisor } from './supervisor-logic.js';
