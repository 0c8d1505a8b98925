/**
 * Loaded by Node before the program (`--require`), in a worker that is watched: starts the reporter, a thread that can
 * tell what the program does when the program itself cannot.
 *
 * Nothing else can: Node acts on a signal for a report only when the event loop turns, and a port of the inspector
 * would be open to everybody on the machine. In what the program starts it does nothing: the variable that wakes it is
 * removed at once, and so is the option.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { VARIABLES } from '../protocol/environment.js';

/** Little is needed to pass on what the inspector tells. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;

/** `child_process.fork()` hands the options on. */
const removeOption = (): void => {
  const { execArgv } = process;
  const index = execArgv.indexOf(__filename);
  if (index > 0) execArgv.splice(index - 1, 2);
};

const start = (descriptor: number): void => {
  try {
    const thread = new Worker(join(__dirname, 'reporter.js'), {
      name: 'tanist-reporter',
      workerData: { descriptor },
      // Neither this preload again, nor what the program was started with.
      execArgv: [],
      env: {},
      resourceLimits: LIMITS,
    });
    // It is no reason to live on, and none to die.
    thread.unref();
    thread.on('error', () => undefined);
  } catch {
    // This Node may start no threads (its permission model): there is no report then.
  }
};

const descriptor = process.env[VARIABLES.reporterFd];
delete process.env[VARIABLES.reporterFd];
removeOption();
if (descriptor !== undefined && /^[0-9]{1,4}$/.test(descriptor)) start(Number(descriptor));
