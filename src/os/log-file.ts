/**
 * The log as a file that may be moved away at any time: the next line goes to the file that has the name by then.
 */
import { closeSync, constants, fstatSync, openSync, type Stats, statSync, writeSync } from 'node:fs';
import { TanistError } from '../errors.js';

/** Its group may read it, as for the logs in /var/log; nobody else. */
export const LOG_MODE = 0o640;

export interface LogFile {
  readonly path: string;
  /** The descriptor to write to now. Another one after the file was moved away or removed. */
  descriptor(): number;
  /**
   * Appends some bytes and returns how many.
   *
   * Where the name cannot be opened again, the file that had it is written to.
   *
   * @throws the system's error, for example ENOSPC.
   */
  write(bytes: Uint8Array): number;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isSameFile = (one: Stats, other: Stats | undefined): boolean =>
  other !== undefined && one.ino === other.ino && one.dev === other.dev;

/** Appending: several processes may write to one file, and no line cuts another. A named pipe is never waited for. */
const openAppending = (path: string): number =>
  openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY,
    LOG_MODE,
  );

/** Another file behind the name cannot stall the supervisor: a pipe would, when nobody reads it. */
const isWritable = (stats: Stats): boolean => stats.isFile() || stats.isCharacterDevice();

/**
 * Opens the file for appending; makes it, with mode 0640, if there is none.
 *
 * Whether the name still means the file is looked up before every write: that costs some microseconds, wakes
 * nobody, and no line goes to a file that was removed.
 *
 * @param path absolute.
 * @throws {TanistError} `TANIST_LOG_FILE` if the file cannot be opened or is none.
 */
export const openLogFile = (path: string): LogFile => {
  let descriptor: number;
  let opened: Stats;
  try {
    descriptor = openAppending(path);
    opened = fstatSync(descriptor);
  } catch (error) {
    throw new TanistError('TANIST_LOG_FILE', `the log file cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (!isWritable(opened)) {
    closeSync(descriptor);
    throw new TanistError('TANIST_LOG_FILE', `the log file ${path} is not a regular file`);
  }
  const follow = () => {
    if (isSameFile(opened, statSync(path, { throwIfNoEntry: false }))) return;
    const next = openAppending(path);
    const stats = fstatSync(next);
    if (!isWritable(stats)) return closeSync(next);
    closeSync(descriptor);
    [descriptor, opened] = [next, stats];
  };
  const current = (): number => {
    try {
      follow();
    } catch {
      // The name leads nowhere now: the file we have is better than none, and the next line tries again.
    }
    return descriptor;
  };
  return {
    path,
    descriptor: current,
    write: (bytes) => writeSync(current(), bytes),
  };
};
