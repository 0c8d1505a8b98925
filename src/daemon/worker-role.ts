/**
 * The program as a worker: its process function, watched from the beginning to the end.
 */
import { reportError } from '../words/report.js';
import type { ConnectedWorker } from '../worker/connected-worker.js';
import { readOwnOptions } from './command-line.js';
import type { DaemonDefinition, OptionDeclarations, OptionValues } from './definition.js';
import { guardValues } from './option-values.js';
import { terminal } from './terminal.js';

/** Keeps the process alive as long as the function is under way; a timer can wait no longer. */
const LONGEST_MS = 2 ** 31 - 1;
/** A default watchdog of a few seconds has room for several. */
const MOST_PING_MS = 1_000;

const say = (text: string, error: unknown): void => console.error(`tanist: ${text}:`, error);

/** An end of the function that is only the end of its waiting for something: it was asked to leave. */
const isFarewell = (error: unknown, { leavingFor }: ConnectedWorker): boolean =>
  leavingFor !== null && (error === leavingFor || (error instanceof Error && error.name === 'AbortError'));

/** Asks again and again, one question at a time. An end of the channel is told to the worker, not here. */
const keepPinging = (worker: ConnectedWorker, everyMs: number): void => {
  let isAsking = false;
  const timer = setInterval(ask, everyMs);
  timer.unref();
  function ask(): void {
    if (isAsking) return;
    isAsking = true;
    worker.ping().then(
      () => {
        isAsking = false;
      },
      () => clearInterval(timer),
    );
  }
  ask();
};

/**
 * Runs `supervisedProcess` and what belongs to its end. Never resolves: the process ends with the worker.
 *
 * @param options the values of the program's own options.
 */
const work = (
  worker: ConnectedWorker,
  definition: DaemonDefinition,
  options: OptionValues<OptionDeclarations>,
): Promise<never> => {
  let hasReturned = false;
  const alive = setInterval(() => undefined, LONGEST_MS);
  const fail = (what: string, error: unknown): void => {
    say(what, error);
    process.exitCode = 1;
    worker.leave(`${what}.`);
  };
  // Where the program has a handler of its own, the error is its own affair.
  const escaped = (event: 'uncaughtException' | 'unhandledRejection') => (error: unknown) => {
    if (process.listenerCount(event) > 1 || isFarewell(error, worker)) return;
    fail('an error that nobody caught', error);
  };
  process.on('uncaughtException', escaped('uncaughtException'));
  process.on('unhandledRejection', escaped('unhandledRejection'));

  worker.onShutdown(() => (hasReturned ? undefined : definition.supervisedShutdown?.(worker, options)));
  if (definition.pingEveryMs !== false) {
    const everyMs = definition.pingEveryMs ?? Math.max(1, Math.min(MOST_PING_MS, worker.pingTimeoutMs / 5));
    worker.onAdmitted(() => keepPinging(worker, everyMs));
  }
  const finished = (async () => definition.supervisedProcess(worker, options))().then(
    () => {
      if (worker.leavingFor !== null) return;
      hasReturned = true;
      worker.leave('supervisedProcess has returned.');
    },
    (error: unknown) => {
      if (!isFarewell(error, worker)) fail('supervisedProcess has failed', error);
    },
  );
  void finished.finally(() => clearInterval(alive));
  worker.finishFirst(finished);
  return new Promise(() => undefined);
};

/** Connects with the supervisor first: from then on signals are handled. Resolves only when it cannot begin. */
export const runWorker = async (definition: DaemonDefinition, argv: readonly string[]): Promise<number> => {
  try {
    // Loaded as the program itself would load it: there is one worker in a process.
    const { connect } = await import('../worker/index.js');
    const worker = (await connect()) as ConnectedWorker;
    return await work(worker, definition, guardValues(readOwnOptions(definition, argv)));
  } catch (thrown) {
    return reportError(thrown, false, terminal());
  }
};
