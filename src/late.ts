/**
 * What is loaded only when a supervisor starts: a worker and a help text do without machines, log and lock.
 */
import { createRequire } from 'node:module';
import type { SupervisorOptions } from './config.js';
import type { Supervisor } from './supervisor.js';

// Not import(): createSupervisor answers at once, and CommonJS through Node's module loader costs 20 ms more.
const load = (): typeof import('./start.js') => createRequire(import.meta.url)('./start.js');

/** Runs a supervisor to its end; see `run` of the command line. */
export const startRun: typeof import('./start.js')['run'] = (...given) => load().run(...given);

/**
 * Starts a supervisor in this process: a first generation, or the successor of the one that started us.
 *
 * A reload starts this very program again (`process.argv`), so it must come here again. The signals of the
 * contract are taken from the moment of the call. `done` of the handle says when nothing is left: end the
 * process then, with status 0 for null and with that of the failure's code otherwise.
 *
 * @param format makes a log line pretty; null, the default, writes JSON.
 * @throws {TanistError} `TANIST_USAGE` with every mistake, `TANIST_COMMAND_NOT_FOUND`, `TANIST_WORKING_DIRECTORY`,
 *   `TANIST_ENV_FILE`, `TANIST_RUN_DIR`, `TANIST_FS_EXT_MISSING`. Nothing was started then, and a predecessor has
 *   been told.
 */
export const createSupervisor = (
  options: SupervisorOptions,
  format: ((line: string) => string) | null = null,
): Supervisor => load().createSupervisor(options, format);
