/**
 * `tanist run`: supervise a command in the foreground, as a first generation or as a successor.
 */
import { isatty } from 'node:tty';
import type { Failure } from '../../../machines/events.js';
import { startFromWords } from '../../embed.js';
import { isErrorCode, TanistError } from '../../errors.js';
import { releaseSignals } from '../../os/held-signals.js';
import type { CommandLineSettings } from '../../settings/supervisor-options.js';
import type { CommandLineContext } from '../command-line.js';
import { type ReadOrigin, readRunOrigin } from '../intent.js';
import type { Terminal } from '../terminal.js';

const STDERR = 2;

/** pino-pretty is loaded only where a person reads. */
const prettyFormat = async (): Promise<((line: string) => string) | null> => {
  if (!isatty(STDERR)) return null;
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ colorize: true, hideObject: true, translateTime: 'SYS:HH:MM:ss.l' });
};

const asError = ({ code, message }: Failure): TanistError =>
  isErrorCode(code)
    ? new TanistError(code, message)
    : new TanistError('TANIST_INTERNAL', `${code}: ${message}`);

/**
 * Runs until the service has ended.
 *
 * @returns 0, the exit status of an orderly end; that of a reload if the same runs already.
 * @throws {TanistError} why it could not start, or gave up.
 */
export const run = async (
  settings: CommandLineSettings,
  context: CommandLineContext,
  terminal: Terminal,
  readOrigin: ReadOrigin = readRunOrigin,
): Promise<number> => {
  const supervisor = await startFromWords(settings, await prettyFormat());
  const failure = await supervisor.done;
  if (failure === null) return 0;
  if (failure.code !== 'TANIST_LOCK_HELD') throw asError(failure);
  // Nothing runs here, and nothing will: from now on this is a client, which a signal may end.
  releaseSignals();
  const { secondStart } = await import('../second-start.js');
  return secondStart(failure.message, settings, context, terminal, readOrigin);
};
