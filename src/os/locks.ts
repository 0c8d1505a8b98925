/**
 * The pid file with its lock, and the lock that workers of an exclusive daemon share.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { TanistError } from '../errors.js';
import type { LockAttempt, PidFile } from './env.js';
import { fsExt, isLockHeld } from './fs-ext.js';

const MODE = 0o644;
/** The largest pid has 7 digits; a file that holds more than this is no pid file. */
const PID_FILE_BYTES = 32;
/** The path can be replaced between open and lock; a few tries outlast any orderly stop. */
const ATTEMPTS = 10;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';

const openRegular = (path: string): number => {
  let descriptor: number;
  try {
    descriptor = openSync(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      MODE,
    );
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ELOOP')
      throw new TanistError('TANIST_PID_FILE', `${path} is a symbolic link, a regular file was expected`);
    if (code === 'EISDIR')
      throw new TanistError('TANIST_PID_FILE', `${path} is a directory, a regular file was expected`);
    if (code === 'ENXIO')
      throw new TanistError('TANIST_PID_FILE', `${path} is a socket or device, a regular file was expected`);
    const reason = error instanceof Error ? error.message : String(error);
    throw new TanistError('TANIST_LOCK_FAILED', `the pid file cannot be opened: ${reason}`, { cause: error });
  }
  const problem = problemOf(fstatSync(descriptor));
  if (problem === null) return descriptor;
  closeSync(descriptor);
  throw new TanistError('TANIST_PID_FILE', `${path} ${problem}`);
};

const ROOT = 0;
const OTHERS_WRITE = 0o022;

/** Why a file that could be opened is not to be trusted with a lock and a pid; null where it is. */
const problemOf = (found: Stats): string | null => {
  if (!found.isFile()) return 'is not a regular file';
  const uid = process.geteuid?.() ?? found.uid;
  if (found.uid !== uid && found.uid !== ROOT) return `belongs to user ${found.uid}, ${uid} was expected`;
  // What is written to it would be written to something else as well.
  if (found.nlink > 1) return `is one of ${found.nlink} hard links to a file`;
  // Whoever may write it may put another pid into it, and scripts would signal that.
  if ((found.mode & OTHERS_WRITE) !== 0)
    return `may be written by others, its mode is ${(found.mode & 0o7777).toString(8)}`;
  return null;
};

const isSameFile = (descriptor: number, path: string): boolean => {
  const open = fstatSync(descriptor);
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
};

const readPid = (descriptor: number): number | null => {
  const buffer = Buffer.alloc(PID_FILE_BYTES);
  const length = readSync(descriptor, buffer, 0, PID_FILE_BYTES, 0);
  const line = buffer.toString('latin1', 0, length).split('\n', 1)[0] ?? '';
  return /^[1-9][0-9]*$/.test(line) ? Number(line) : null;
};

export const tryLock = (descriptor: number, mode: 'exclusive' | 'shared'): boolean => {
  try {
    // Never the blocking form: in libuv's thread pool it makes every exit of the process hang.
    fsExt().flockSync(descriptor, mode === 'exclusive' ? 'exnb' : 'shnb');
    return true;
  } catch (error) {
    if (isLockHeld(error)) return false;
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof TanistError) throw error;
    throw new TanistError('TANIST_LOCK_FAILED', `the lock cannot be taken: ${reason}`, { cause: error });
  }
};

const pidFile = (path: string, descriptor: number): PidFile => ({
  descriptor,
  writePid(pid) {
    const line = Buffer.from(`${pid}\n`);
    // Whoever reads meanwhile may see the new bytes with the old size (Linux): the file gets its size before, by
    // empty lines behind the first one, and what an earlier, longer pid left behind is cut off at last.
    const { size } = fstatSync(descriptor);
    if (size > 0 && size < line.length) writeSync(descriptor, '\n'.repeat(line.length - size), size);
    writeSync(descriptor, line, 0, line.length, 0);
    ftruncateSync(descriptor, line.length);
  },
  remove(pid) {
    const written = readPid(descriptor);
    if (isSameFile(descriptor, path) && (written === null || written === pid)) unlinkSync(path);
  },
});

/** @throws {TanistError} `TANIST_PID_FILE`, `TANIST_LOCK_FAILED`, `TANIST_FS_EXT_MISSING`. */
export const lockPidFile = (path: string, inherited: number | null): LockAttempt => {
  if (inherited !== null) return { outcome: 'acquired', file: pidFile(path, inherited) };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const descriptor = openRegular(path);
    let locked = false;
    try {
      locked = tryLock(descriptor, 'exclusive');
      if (!locked) return { outcome: 'held', holderPid: readPid(descriptor) };
      if (isSameFile(descriptor, path)) return { outcome: 'acquired', file: pidFile(path, descriptor) };
      // Somebody removed the file at his final stop, between our open and our lock: that lock guards nothing.
      locked = false;
    } finally {
      if (!locked) closeSync(descriptor);
    }
  }
  throw new TanistError(
    'TANIST_LOCK_FAILED',
    `${path} was replaced ${ATTEMPTS} times while it was being locked`,
  );
};

/** @throws {TanistError} as above. */
export const openFence = (path: string): number => openRegular(path);

/** Processes that have a file open, by /proc; empty where there is none. */
export const holdersOf = (path: string): readonly number[] => {
  const wanted = statSync(path, { throwIfNoEntry: false });
  if (wanted === undefined) return [];
  return processIds().filter(
    (pid) => pid !== process.pid && descriptorsOf(pid).some((file) => matches(file, wanted)),
  );
};

const processIds = (): number[] => {
  try {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map(Number);
  } catch {
    // No /proc: nobody tells.
    return [];
  }
};

const descriptorsOf = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => `/proc/${pid}/fd/${name}`);
  } catch {
    // It is gone, or is not ours to look at.
    return [];
  }
};

const matches = (file: string, wanted: { ino: number; dev: number }): boolean => {
  try {
    const open = statSync(file);
    return open.ino === wanted.ino && open.dev === wanted.dev;
  } catch {
    return false;
  }
};

/** The process that listens on a TCP port, in words; null where nobody tells. Linux only. */
export const portOwner = (port: number): string | null => {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)),
  );
  if (inodes.size === 0) return null;
  for (const pid of processIds()) {
    const owns = descriptorsOf(pid).some((file) => {
      try {
        return inodes.has(String(statSync(file).ino));
      } catch {
        return false;
      }
    });
    if (owns) return `pid ${pid} (${commandOf(pid)})`;
  }
  return null;
};

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'gone by now';
  }
};

// proc(5): local address is field 1, state field 3, inode field 9; 0A is LISTEN.
const listeningInodes = (table: string, port: number): string[] => {
  try {
    return readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && Number.parseInt(fields[1]?.split(':')[1] ?? '', 16) === port)
      .map((fields) => fields[9] ?? '');
  } catch {
    return [];
  }
};
