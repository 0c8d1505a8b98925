/**
 * A supervisor inside a program of one's own.
 */
import { dirname } from 'node:path';
import { isatty } from 'node:tty';
import type { Origin } from '../machines/status.js';
import { type ResolvedSettings, resolveSettings, type SupervisorOptions } from './config.js';
import { checkEmbedding, type Embedding } from './embedding.js';
import { TanistError } from './errors.js';
import type { Supervisor } from './handle.js';
import { checkHandover, type Handover, HandoverRefused } from './handover.js';
import { createLog, type Log } from './log.js';
import { withConfigFile } from './os/config-file.js';
import { handoverDescriptor, readHandover } from './os/handover-socket.js';
import { credentialsNow, deviation } from './os/identity.js';
import type { LogFile } from './os/log-file.js';
import { needsOf } from './os/needs.js';
import { ensureDirectories, openJournalFileFor, openLogFileFor } from './os/own-files.js';
import { processContext } from './os/process-context.js';
import { relaunchOf, resolveProgram, startDirectoryOf } from './os/resolve-program.js';
import { starterDescriptor } from './os/starter-socket.js';
import { usageError } from './settings/mistake.js';
import type { CommandLineSettings } from './settings/supervisor-options.js';
import { tellFailure, tellWaiting } from './start-refusal.js';
import { type Seams, startSupervisor } from './supervisor.js';

const STDIN = 0;

/** Called when a first generation answers at its control socket. */
export type OnClaimed = (resolved: ResolvedSettings, log: Log) => void;

/** The words a supervisor was started with; an embedder has none. */
const originOf = (
  options: SupervisorOptions | CommandLineSettings,
): Pick<Origin, 'commandLine' | 'script'> => {
  if (!('commandLine' in options)) return { commandLine: null };
  const { own } = options;
  return own === undefined
    ? { commandLine: process.argv.slice(2) }
    : { commandLine: own.words, script: own.script };
};

/** The file behind --config; null where there is none. */
const configFileOf = (options: SupervisorOptions | CommandLineSettings): string | null =>
  'commandLine' in options ? (options.configFile?.path ?? null) : null;

/** Whether the log is in no directory that is made for the daemon, nor made passable for another user. */
const isElsewhere = ({ logFile, directory, settings }: ResolvedSettings): boolean =>
  logFile !== null && settings.account === null && dirname(logFile) !== directory;

const start = (
  options: SupervisorOptions | CommandLineSettings,
  handover: Handover | null,
  embedding: Embedding,
  seams: Seams,
  onClaimed?: OnClaimed,
): Supervisor => {
  checkEmbedding(embedding);
  const { format = null, takeExceptions = true } = embedding;
  const context = processContext();
  const { cwd } = context;
  const resolved = resolveSettings(options, context);
  const { settings, logLevel, program: words, surroundings } = resolved;
  if (handover !== null) checkHandover(handover, settings, (account) => deviation(account, credentialsNow()));
  const program = resolveProgram(words, { startDirectory: cwd, ...surroundings }, process.env);
  const relaunch = relaunchOf(cwd, process.env);
  const openLog = () =>
    resolved.logFile === null ? null : openLogFileFor(resolved.logFile, settings.account);
  // One in a place of its own is tried before anything is made.
  const early = isElsewhere(resolved) ? openLog() : null;
  ensureDirectories(resolved);
  const logFile = early ?? openLog();
  const journalFile =
    resolved.journal === null
      ? null
      : openJournalFileFor(resolved.journal, resolved.journalLimit, settings.account);
  const log = createLog(
    logFile === null ? { level: logLevel, format } : { level: logLevel, format: null, write: logFile.write },
  );
  if (settings.ready.mode === 'alive' && program.setpriv === null && process.platform === 'linux') {
    log.line(
      'warn',
      'tether.missing',
      'setpriv is not installed: workers started with --ready alive outlive a supervisor that is killed',
    );
  }
  const hangupStops = handover?.record.hangupStops ?? isatty(STDIN);
  const waiting = handover === null ? starterDescriptor() : null;
  const supervisor = startSupervisor({
    settings,
    program,
    relaunch,
    needs: needsOf(resolved, program, relaunch, configFileOf(options)),
    logFile: resolved.logFile,
    journalFile,
    origin: {
      ...words,
      directory: cwd,
      ...originOf(options),
    },
    log,
    hangupStops,
    handover,
    embedding,
    seams,
    // A page that was opened with the first generation stays.
    ...(handover === null && onClaimed ? { onClaimed: () => onClaimed(resolved, log) } : {}),
    ...(resolved.daemonize && logFile !== null ? { output: outputTo(logFile) } : {}),
    starter:
      waiting === null ? null : { descriptor: waiting, failed: (failure) => tellFailure(waiting, failure) },
  });
  // A defect of ours, or of the program around us, must not leave orphans.
  if (takeExceptions) {
    process.on('uncaughtException', supervisor.crash);
    process.on('unhandledRejection', supervisor.crash);
  }
  const release = () => {
    process.off('uncaughtException', supervisor.crash);
    process.off('unhandledRejection', supervisor.crash);
  };
  supervisor.done.then((failure) => {
    release();
    // Whoever started it is told on standard error; whoever reads the file looks for it there.
    // Where somebody else holds the lock, the file is his.
    if (failure !== null && failure.code !== 'TANIST_LOCK_HELD' && logFile !== null)
      log.line('fatal', 'supervisor.failed', failure.message, { code: failure.code });
  });
  return supervisor;
};

/** What is started after the log was moved away writes to the new one. */
const outputTo = (logFile: LogFile) => (): readonly [number, number] => {
  const descriptor = logFile.descriptor();
  return [descriptor, descriptor];
};

/**
 * Starts a supervisor in this process: a first generation, or the successor of the one that started us.
 *
 * A reload starts this very program again (`process.argv`), so it must come here again. The signals of the
 * contract are taken from the moment of the call. `done` of the handle says when nothing is left: end the
 * process then, with status 0 for null and with that of the failure's code otherwise.
 *
 * @param embedding what no file of settings can say: an inspector, effects of one's own, whose the signals are.
 * @throws {TanistError} `TANIST_USAGE` with every mistake, `TANIST_COMMAND_NOT_FOUND`, `TANIST_WORKING_DIRECTORY`,
 *   `TANIST_ENV_FILE`, `TANIST_LOG_FILE`, `TANIST_JOURNAL_FILE`, `TANIST_RUN_DIR`, `TANIST_CONTROL_FAILED`,
 *   `TANIST_FS_EXT_MISSING`. Nothing was started then, and a predecessor has been told.
 * @param seams for tests: what the package hands out takes none.
 */
export const createSupervisor = (
  options: SupervisorOptions,
  embedding: Embedding = {},
  seams: Seams = {},
): Supervisor => {
  if (options.daemonize) {
    const message =
      'daemonize true: expected none, this program is the supervisor itself and cannot detach from whoever started it';
    throw usageError([{ option: 'daemonize', message }]);
  }
  return startOrSucceed(options, embedding, seams);
};

/**
 * The same, from the words of a command line, with the file they may name.
 *
 * @param openEnv for tests that must see each step, or hold it: no word of a command line leads here.
 */
export const startFromWords = async (
  words: CommandLineSettings,
  format: Embedding['format'],
  openEnv?: Seams['openEnv'],
  onClaimed?: OnClaimed,
): Promise<Supervisor> => {
  let complete: CommandLineSettings;
  try {
    complete = await withConfigFile(words, startDirectoryOf(process.env, process.cwd()));
  } catch (error) {
    tellWaiting(error);
    throw error;
  }
  const embedding = { format: format ?? null };
  return startOrSucceed(complete, embedding, openEnv === undefined ? {} : { openEnv }, onClaimed);
};

const startOrSucceed = (
  options: SupervisorOptions | CommandLineSettings,
  embedding: Embedding,
  seams: Seams,
  onClaimed?: OnClaimed,
): Supervisor => {
  const messages = handoverDescriptor(process.env);
  try {
    return start(options, messages === null ? null : readHandover(messages), embedding, seams, onClaimed);
  } catch (error) {
    tellWaiting(error);
    if (error instanceof HandoverRefused)
      throw new TanistError('TANIST_RELOAD_REFUSED', error.message, { cause: error });
    throw error;
  }
};
