/**
 * What is loaded only when a supervisor starts: a worker and a help text do without machines, log and lock.
 */
import { loadBundle } from './bundle.js';
import type { SupervisorOptions } from './config.js';
import type { Embedding } from './embedding.js';
import type { Supervisor } from './handle.js';

let loaded: typeof import('./start.js') | undefined;

// Not import(): createSupervisor answers at once, and CommonJS through Node's module loader costs 20 ms more.
const load = (): typeof import('./start.js') => {
  loaded ??= loadBundle<typeof import('./start.js')>('./start.js', import.meta.url);
  return loaded;
};

/** Runs a supervisor to its end; see `run` of the command line. */
export const startRun: typeof import('./start.js')['run'] = (...given) => load().run(...given);

/**
 * Starts a supervisor in this process: a first generation, or the successor of the one that started us.
 *
 * A reload starts this very program again (`process.argv`), so it must come here again. The signals of the
 * contract are taken from the moment of the call. `done` of the handle says when nothing is left: end the
 * process then, with status 0 for null and with that of the failure's code otherwise.
 *
 * @param embedding what no file of settings can say: an inspector, effects of one's own, whose the signals are.
 * @throws {TanistError} `TANIST_USAGE` with every mistake, `TANIST_COMMAND_NOT_FOUND`, `TANIST_WORKING_DIRECTORY`,
 *   `TANIST_ENV_FILE`, `TANIST_RUN_DIR`, `TANIST_FS_EXT_MISSING`. Nothing was started then, and a predecessor has
 *   been told.
 */
export const createSupervisor = (options: SupervisorOptions, embedding: Embedding = {}): Supervisor =>
  load().createSupervisor(options, embedding);

/**
 * Actor logic that is a supervisor, for a machine with regions of its own: `setup({ actors: { supervisor:
 * fromSupervisor(…) } })`, to be invoked once.
 *
 * It takes `SupervisorOrder`s and sends `SupervisorFact`s to the machine that has invoked it. An order that comes too
 * late, when it stops or another generation is in charge, is ignored. When the state that has invoked it is left, it
 * is asked to stop, and is not waited for: leave it at `supervisor.ended`. What `createSupervisor()` throws is the
 * error of the invocation (`onError`), and nothing runs then.
 */
export const fromSupervisor: typeof import('./start.js')['fromSupervisor'] = (...given) =>
  load().fromSupervisor(...given);
