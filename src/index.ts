/**
 * `tanist`: daemons of one's own, and the supervisor for programs that embed it.
 *
 * @module tanist
 */
export type { Failure, SupervisorEvent } from '../machines/events.js';
export type { ReloadVerdict, ScaleVerdict, Status } from '../machines/status.js';
export type { EffectParts, Effects, OwnEffects } from './actors/provide.js';
export type { SupervisorOptions } from './config.js';
export type {
  Daemon,
  DaemonDefinition,
  DaemonSettings,
  Declaration,
  OptionDeclaration,
  OptionDeclarations,
  OptionValue,
  OptionValues,
  Values,
} from './daemon/definition.js';
export { defineDaemon } from './daemon.js';
export type { Embedding } from './embedding.js';
export {
  type ErrorCode,
  type Problem,
  TanistError,
  type TanistErrorOptions,
  type TanistErrorReport,
} from './errors.js';
export type { Supervisor } from './handle.js';
export { createSupervisor, fromSupervisor } from './late.js';
export type { EventName, EventOf, StatusObserver, Subscription } from './subscribers.js';
export type { SupervisorFact, SupervisorOrder } from './supervisor-logic.js';
export type { Worker } from './worker/worker.js';
