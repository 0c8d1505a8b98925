/**
 * The worker's side: what a Node program needs to be replaced without losing a request.
 *
 * @module tanist/worker
 */
import { ADOPTION, type Adoption } from '../protocol/adoption.js';
import { ConnectedWorker } from './connected-worker.js';
import { takeInheritance } from './inheritance.js';
import type { Worker } from './worker.js';

export type { Address } from './listening.js';
export type { ShutdownHook } from './shutdown.js';
export type { ServeOptions, Worker } from './worker.js';
export { WorkerError, type WorkerErrorCode } from './worker-error.js';

/** Present where this program was made a worker without its doing (`--adopt`). */
const adoption = Reflect.get(globalThis, ADOPTION) as Adoption | undefined;
adoption?.meet();

let connected: Promise<Worker> | undefined;

/**
 * Connects this process with its supervisor; without one, the worker works alone.
 *
 * Call it first: signals are handled from then on, and programs that this one starts no longer inherit the
 * supervisor's descriptors in their environment. Called again it returns the same worker.
 *
 * @throws {WorkerError} `TANIST_ENVIRONMENT_INVALID` if what the supervisor gave did not reach this process.
 */
export const connect = (): Promise<Worker> => {
  connected ??= new Promise((resolve) => {
    const adopted = adoption?.connect() as Worker | null | undefined;
    resolve(adopted ?? new ConnectedWorker(takeInheritance(process.env, process.pid)));
  });
  return connected;
};
