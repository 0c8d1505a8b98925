/**
 * One program that is supervisor or worker, decided by how it was started.
 */

import { checkDefinition } from './daemon/declaration.js';
import type { Daemon, DaemonDefinition, OptionDeclarations } from './daemon/definition.js';
import { isWorker } from './daemon/role.js';
import { supervise } from './daemon/supervisor-role.js';
import { terminal } from './daemon/terminal.js';
import { runWorker } from './daemon/worker-role.js';
import { TanistError } from './errors.js';
import { reportError } from './words/report.js';

/** Told as every other error, since run() never rejects. */
const wrongUse = (message: string): number =>
  reportError(new TanistError('TANIST_DEFINITION', message), false, terminal());

/**
 * Makes a program a daemon, as the reference's role does for a class:
 *
 * ```ts
 * const daemon = defineDaemon({ name, documentation, options, supervisedProcess, … });
 * process.exitCode = await daemon.run(process.argv.slice(2));
 * ```
 *
 * Started by hand or by a service manager it is the supervisor: it takes the lock, and starts itself again, with
 * the same arguments, once for every worker. `tanist reload`, `stop` and `status` know it by its name.
 *
 * @throws {TanistError} `TANIST_DEFINITION` with every mistake in the definition: a wrong name or type, a default
 *   that does not fit, an option of tanist's own name, an unknown setting.
 */
export const defineDaemon = <const Declared extends OptionDeclarations = Record<never, never>>(
  definition: DaemonDefinition<Declared>,
): Daemon => {
  const daemon = definition as unknown as DaemonDefinition;
  checkDefinition(daemon);
  let isStarted = false;
  return {
    name: daemon.name,
    async run(argv) {
      if (isStarted) return wrongUse('run() was called before: expected one call in the life of a program');
      isStarted = true;
      if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string'))
        return wrongUse('run(argv): expected an array of strings, such as process.argv.slice(2)');
      return isWorker(process.env, process.ppid) ? runWorker(daemon, argv) : supervise(daemon, argv);
    },
  };
};
