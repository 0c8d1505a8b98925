/**
 * `tanist run`: supervise a command in the foreground, as a first generation or as a successor.
 */
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import type { Failure } from '../machines/events.js';
import type { ReadOrigin } from './client/intent.js';
import type { ResolvedSettings } from './config.js';
import { daemonize } from './daemonize.js';
import { type OnClaimed, startFromWords } from './embed.js';
import { asTanistError, isErrorCode, TanistError } from './errors.js';
import { importModule } from './imports.js';
import { releaseSignals } from './os/held-signals.js';
import { starterDescriptor } from './os/starter-socket.js';
import type { CommandLineSettings } from './settings/supervisor-options.js';
import type { CommandLineContext } from './words/context.js';
import { isLoopback, openToOthers } from './words/page-words.js';
import { printable, type Terminal } from './words/terminal.js';

const STDERR = 2;

/** pino-pretty is loaded only where a person reads. */
const prettyFormat = async (): Promise<((line: string) => string) | null> => {
  if (!isatty(STDERR)) return null;
  const { prettyFactory } = (await importModule('pino-pretty')) as typeof import('pino-pretty');
  return prettyFactory({ colorize: true, hideObject: true, translateTime: 'SYS:HH:MM:ss.l' });
};

const asError = ({ code, message }: Failure): TanistError =>
  isErrorCode(code)
    ? new TanistError(code, message)
    : new TanistError('TANIST_INTERNAL', `${code}: ${message}`);

/**
 * Opens the page that was asked for, and says where it is. The service does without it where that fails.
 *
 * Loaded only where one is asked for, like the page itself, which is another process.
 */
const openPage = async (
  { page, settings }: ResolvedSettings,
  terminal: Terminal,
  onProblem: (problem: string) => void,
): Promise<void> => {
  if (page === null || settings.control === null) return;
  try {
    const { startPage } = await import('./os/page-process.js');
    const { account, control } = settings;
    const { url } = await startPage({ ...page, controlPath: control, account });
    terminal.out(`inspector: ${url}\n`);
    if (!isLoopback(page.host)) onProblem(openToOthers(page.host));
  } catch (error) {
    onProblem(`no page was opened: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Supervises until all has ended, or starts the daemon that does. Null for a good end. */
const endOf = async (settings: CommandLineSettings, terminal: Terminal): Promise<TanistError | null> => {
  try {
    const daemon = await daemonize(settings);
    if (daemon !== null) {
      const { name, pid, logFile, resolved } = daemon;
      terminal.out(`${printable(name)} runs: pid ${pid}, log ${printable(logFile)}\n`);
      await openPage(resolved, terminal, (problem) => terminal.err(`warning: ${problem}\n`));
      return null;
    }
    // The command that started a daemon opens its page, since somebody reads what that says.
    const onClaimed: OnClaimed | undefined =
      starterDescriptor() === null
        ? (resolved, log) =>
            void openPage(resolved, terminal, (problem) => log.line('warn', 'page.failed', problem))
        : undefined;
    // What the start left behind is collected when nothing happens any more, not only if nothing at all has happened
    // since: 3 MB that a supervisor on a busy machine would keep. It is read each time.
    setFlagsFromString('--optimize-for-size');
    const supervisor = await startFromWords(settings, await prettyFormat(), undefined, onClaimed);
    const failure = await supervisor.done;
    return failure && asError(failure);
  } catch (thrown) {
    return asTanistError(thrown);
  }
};

/**
 * Runs until the service has ended, or with --daemonize until it has started.
 *
 * @returns 0, the exit status of an orderly end; that of a reload if the same runs already.
 * @throws {TanistError} why it could not start, or gave up.
 */
export const run = async (
  settings: CommandLineSettings,
  context: CommandLineContext,
  terminal: Terminal,
  readOrigin: ReadOrigin,
): Promise<number> => {
  const error = await endOf(settings, terminal);
  if (error === null) return 0;
  // The command that started this daemon has been told, and its standard error is the log, which has it too.
  if (starterDescriptor() !== null) return error.exitStatus;
  if (error.code !== 'TANIST_LOCK_HELD') throw error;
  // Nothing runs here, and nothing will: from now on this is a client, which a signal may end.
  releaseSignals();
  const { secondStart } = await import('./client/second-start.js');
  return secondStart(error.message, settings, context, terminal, readOrigin);
};
