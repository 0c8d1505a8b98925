/**
 * `tanist restart`: stop and start in one, for what a reload cannot change.
 */

import { intentOf } from '../../client/intent.js';
import { findTarget, type Target, type TargetQuery } from '../../client/target.js';
import { askHolder } from '../../client/waiting.js';
import { asTanistError, type ErrorCode, TanistError } from '../../errors.js';
import { holdSignals } from '../../os/held-signals.js';
import { enterDirectory } from '../../os/resolve-program.js';
import { run } from '../../running.js';
import { usageError } from '../../settings/mistake.js';
import type { CommandLineSettings } from '../../settings/supervisor-options.js';
import type { CommandLineContext } from '../../words/context.js';
import { printable, type Terminal } from '../../words/terminal.js';
import { readRunOrigin } from '../run-origin.js';
import { stopTarget } from '../stopping.js';

/** These end a supervisor that had started: they are not about the restart. */
const AFTER_THE_START: readonly ErrorCode[] = ['TANIST_RESPAWN_LIMIT', 'TANIST_INTERNAL', 'TANIST_LOCK_HELD'];

/**
 * Stops what holds the lock of these words, if anything does, and runs them in its place.
 *
 * Options, file and command are checked first: a mistake stops nothing.
 *
 * @returns as `run`.
 * @throws {TanistError} as `run`; where the start failed after the stop, it says that nothing runs now.
 */
export const restart = async (
  words: CommandLineSettings,
  context: CommandLineContext,
  terminal: Terminal,
): Promise<number> => {
  const { settings } = (await intentOf(words, context)).resolved;
  const { name: called, pidFile, control } = settings;
  if (control === null) throw unfindable();
  const target = { name: called, pidFile, controlPath: control };
  const wasRunning = await stopIfRunning(target);
  const name = printable(target.name);
  terminal.err(wasRunning ? `stopped ${name}, starting it again\n` : `${name} is not running: starting it\n`);
  // From here on this process is `tanist run`: that is what a reload starts again, and what the status tells.
  process.argv.splice(2, 1, 'run');
  holdSignals(true);
  try {
    return await run(words, context, terminal, readRunOrigin);
  } catch (thrown) {
    const error = asTanistError(thrown);
    throw wasRunning && !AFTER_THE_START.includes(error.code) ? nothingRunsNow(error) : error;
  }
};

const unfindable = (): TanistError => {
  const message =
    '--no-pid-file without --control: expected either a pid file or a control socket to find what runs';
  return usageError([{ option: '--no-pid-file', message }]);
};

const stopIfRunning = async (target: Target): Promise<boolean> => {
  try {
    await stopTarget(target, new AbortController().signal);
    return true;
  } catch (thrown) {
    if (asTanistError(thrown).code === 'TANIST_NOT_RUNNING') return false;
    throw thrown;
  }
};

const nothingRunsNow = (error: TanistError): TanistError =>
  new TanistError(
    error.code,
    `the new one could not start: ${error.message}; the old one was stopped before, and nothing runs now`,
    { hint: error.hint, cause: error },
  );

/**
 * Starts a daemon again as it was started: the same words from the same directory, with the environment of today.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING`; `TANIST_FOREGROUND` if it runs in somebody's foreground, who has to
 *   start it again. It goes on then. Else as `restart`.
 */
export const restartAgain = async (
  query: TargetQuery,
  context: CommandLineContext,
  terminal: Terminal,
): Promise<number> => {
  const target = await findTarget(query);
  const { name, pid, origin } = await askHolder(target);
  const there = { ...context, cwd: origin?.directory ?? context.cwd };
  const words = origin && readRunOrigin(origin, there);
  if (!words || !(await intentOf(words, there)).resolved.daemonize)
    throw foreground(`${printable(name)} (pid ${pid})`, origin?.commandLine ?? null);
  enterDirectory(there.cwd);
  // What is started again repeats the words of this process.
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...(origin.commandLine ?? []));
  return restart(words, there, terminal);
};

const foreground = (who: string, commandLine: readonly string[] | null): TanistError =>
  commandLine === null
    ? new TanistError(
        'TANIST_FOREGROUND',
        `${who} was started by a program of its own, which has to do it again`,
        {
          hint: 'Use "tanist stop", and start that program again.',
        },
      )
    : new TanistError(
        'TANIST_FOREGROUND',
        `${who} runs in the foreground of whoever started it: a terminal, a service manager, a container`,
      );
