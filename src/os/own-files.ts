/**
 * Files and directories of a daemon that is to run as another user: made by root, and that user's from the start.
 *
 * Root never opens or gives away what such a user could have put in the place of something else.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Account } from '../../machines/policy.js';
import type { ResolvedSettings } from '../config.js';
import { TanistError } from '../errors.js';
import { asAccount } from './identity.js';
import { JOURNAL_MODE, type JournalFile, openJournalFile } from './journal-file.js';
import { LOG_MODE, type LogFile, openLogFile } from './log-file.js';
import { checkDirectory } from './private-directory.js';

const ROOT = 0;
const PRIVATE = 0o700;
/** Whoever knows what is in it may go through; nobody may look around. */
const PASSABLE = 0o711;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';
const runDirError = (message: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_RUN_DIR', message, cause === undefined ? {} : { cause });

/** @throws {TanistError} `TANIST_RUN_DIR`. */
export const ensureDirectory = (directory: string, mode = PRIVATE): void => {
  try {
    mkdirSync(directory, { recursive: true, mode });
  } catch (error) {
    throw runDirError(`the run directory cannot be made: ${messageOf(error)}`, error);
  }
};

/** Another user has to get through a run directory that tanist made for root alone. */
const letThrough = (directory: string): void => {
  const { uid, mode } = lstatSync(directory);
  if (uid === ROOT && (mode & 0o7777) === PRIVATE && directory !== homedir()) chmodSync(directory, PASSABLE);
};

/** Under a name of its own until it is the account's, so that no start ever finds it half made. */
const makeOwn = (directory: string, { uid, gid }: Account): void => {
  const made = mkdtempSync(`${dirname(directory)}/.own-`);
  try {
    chmodSync(made, PRIVATE);
    chownSync(made, uid, gid);
    renameSync(made, directory);
  } catch (error) {
    rmdirSync(made);
    // Another start was faster.
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error;
  }
};

/**
 * Makes the directory of an account's files, mode 0700 and that account's, and the run directory around it passable.
 *
 * One that exists is left as it is, if it belongs to the account or to root.
 *
 * @throws {TanistError} `TANIST_RUN_DIR`.
 */
export const ensureOwnDirectory = (directory: string, account: Account): void => {
  // A successor is that user already, and inherits what is there.
  if (process.geteuid?.() !== ROOT) return;
  ensureDirectory(dirname(directory), PASSABLE);
  try {
    letThrough(dirname(directory));
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) makeOwn(directory, account);
  } catch (error) {
    throw runDirError(`the directory ${directory} cannot be made: ${messageOf(error)}`, error);
  }
  checkDirectory(directory, [account.uid]);
};

/**
 * The directory of the pid file, or without one that of the default log, for whoever is to have it.
 *
 * @throws {TanistError} `TANIST_RUN_DIR`.
 */
export const ensureDirectories = ({ settings, directory, ownDirectory }: ResolvedSettings): void => {
  if (settings.account !== null && ownDirectory !== null) ensureOwnDirectory(ownDirectory, settings.account);
  else if (directory !== null) {
    ensureDirectory(directory);
    checkDirectory(directory, [
      process.geteuid?.() ?? ROOT,
      ...(settings.account === null ? [] : [settings.account.uid]),
    ]);
  }
};

/** Whether nobody but root can have put a file into a directory, or the directory where it is. */
const isRootsAlone = (directory: string): boolean => {
  for (let path = directory, isParent = true; ; path = dirname(path), isParent = false) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() !== true || found.uid !== ROOT) return false;
    // In a sticky directory nobody can replace what is root's.
    const isSafe = (found.mode & OTHERS_WRITE) === 0 || (!isParent && (found.mode & STICKY) !== 0);
    if (!isSafe) return false;
    if (path === dirname(path)) return true;
  }
};

/** Makes a file, or takes one of root's, and gives it to the account. */
const giveFile = (path: string, mode: number, { uid, gid }: Account): void => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = openSync(path, flags | constants.O_APPEND, mode);
  try {
    const found = fstatSync(descriptor);
    if (found.isFile() && found.nlink === 1 && found.uid === ROOT) fchownSync(descriptor, uid, gid);
  } finally {
    closeSync(descriptor);
  }
};

interface OwnFile<File> {
  readonly path: string;
  readonly mode: number;
  readonly code: 'TANIST_LOG_FILE' | 'TANIST_JOURNAL_FILE';
  /** As messages call it. */
  readonly what: string;
  readonly open: () => File;
}

const isDenied = (error: unknown, code: string): boolean =>
  error instanceof TanistError && error.code === code && ['EACCES', 'EPERM'].includes(codeOf(error.cause));

/** Opens a file as the account does after it; makes it as root where only root may, in a directory that is root's alone. */
const openFor = <File>({ path, mode, code, what, open }: OwnFile<File>, account: Account | null): File => {
  try {
    return asAccount(account, open);
  } catch (error) {
    if (
      account === null ||
      process.geteuid?.() !== ROOT ||
      !isDenied(error, code) ||
      !isRootsAlone(dirname(path))
    )
      throw error;
    try {
      giveFile(path, mode, account);
    } catch (cause) {
      throw new TanistError(code, `the ${what} cannot be made: ${messageOf(cause)}`, { cause });
    }
    return asAccount(account, open);
  }
};

/**
 * Opens the log as the account does after it: the file is its own, or it may write it.
 *
 * In a directory such as /var/log, where only root makes files, root makes it, or gives the account one that is there.
 *
 * @throws {TanistError} `TANIST_LOG_FILE`.
 */
export const openLogFileFor = (path: string, account: Account | null): LogFile =>
  openFor(
    { path, mode: LOG_MODE, code: 'TANIST_LOG_FILE', what: 'log file', open: () => openLogFile(path) },
    account,
  );

/**
 * The same for the journal. In a directory where only root makes files it cannot be rotated once another user runs.
 *
 * @throws {TanistError} `TANIST_JOURNAL_FILE`.
 */
export const openJournalFileFor = (
  path: string,
  limitBytes: number,
  account: Account | null,
): JournalFile => {
  const open = () => openJournalFile(path, limitBytes);
  return openFor({ path, mode: JOURNAL_MODE, code: 'TANIST_JOURNAL_FILE', what: 'journal', open }, account);
};
