/**
 * `tanist`: daemons of one's own, and the supervisor for programs that embed it.
 */
export type { Failure } from '../machines/events.js';
export type { ReloadVerdict, ScaleVerdict, Status } from '../machines/status.js';
export type { SupervisorOptions } from './config.js';
export type {
  Daemon,
  DaemonDefinition,
  DaemonSettings,
  OptionDeclaration,
  OptionDeclarations,
  OptionValues,
} from './daemon/definition.js';
export { defineDaemon } from './daemon.js';
export { type ErrorCode, TanistError } from './errors.js';
export { createSupervisor } from './late.js';
export type { Supervisor } from './supervisor.js';
export type { Worker } from './worker/worker.js';
