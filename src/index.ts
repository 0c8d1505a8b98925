/**
 * `tanist`: the supervisor for programs that embed it.
 */
export type { Failure } from '../machines/events.js';
export type { ReloadVerdict, Status } from '../machines/status.js';
export type { SupervisorOptions } from './config.js';
export { createSupervisor } from './embed.js';
export { type ErrorCode, TanistError } from './errors.js';
export type { Supervisor } from './supervisor.js';
