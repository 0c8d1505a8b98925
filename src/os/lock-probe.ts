/**
 * Whether anybody holds the lock of a pid file, for those who want to know, not to have it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { TanistError } from '../errors.js';

type FlockSync = (fd: number, operation: 'shnb' | 'un') => void;

/** Looks at one pid file, the same even when another is put in its place. */
export interface LockProbe {
  /**
   * Whether the lock is free.
   *
   * It is taken, shared, for a moment: a supervisor that starts in that very moment finds it held, and has to
   * try again. Without fs-ext the file decides: true if it was removed or the process it names is gone.
   *
   * @throws {TanistError} `TANIST_LOCK_FAILED` if the lock cannot be tried.
   */
  readonly isFree: () => boolean;
  readonly close: () => void;
}

/** @throws {TanistError} `TANIST_PID_FILE` if the file exists and cannot be opened. */
export const openLockProbe = (pidFile: string): LockProbe => {
  const fd = openPidFile(pidFile);
  if (fd === null) return { isFree: () => true, close: () => undefined };
  const flockSync = loadFlock();
  return {
    isFree: () => (flockSync === null ? isAbandoned(fd) : tryLock(flockSync, fd)),
    close: () => closeSync(fd),
  };
};

/** True if the pid file is gone or its lock is free, now. */
export const isLockFree = (pidFile: string): boolean => {
  const probe = openLockProbe(pidFile);
  try {
    return probe.isFree();
  } finally {
    probe.close();
  }
};

const openPidFile = (pidFile: string): number | null => {
  // Without O_NONBLOCK a named pipe in its place would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(pidFile, flags);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new TanistError('TANIST_PID_FILE', `${JSON.stringify(pidFile)} cannot be opened (${code})`, {
      cause,
    });
  }
};

const tryLock = (flockSync: FlockSync, fd: number): boolean => {
  try {
    flockSync(fd, 'shnb');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false;
    throw new TanistError('TANIST_LOCK_FAILED', `the lock cannot be tried (${code})`, { cause });
  }
  flockSync(fd, 'un');
  return true;
};

/** fs-ext is compiled at installation; where that failed nothing can be started, but what runs can be asked. */
const loadFlock = (): FlockSync | null => {
  try {
    return (createRequire(import.meta.url)('fs-ext') as { flockSync: FlockSync }).flockSync;
  } catch {
    return null;
  }
};

const isAbandoned = (fd: number): boolean => {
  if (fstatSync(fd).nlink === 0) return true;
  const text = Buffer.alloc(16);
  const pid = Number.parseInt(text.toString('latin1', 0, readSync(fd, text, 0, text.length, 0)), 10);
  if (!(pid > 0)) return true;
  try {
    // Signal 0 is none: it only asks whether the process exists.
    process.kill(pid, 0);
    return false;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH';
  }
};
