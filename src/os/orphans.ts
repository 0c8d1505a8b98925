/**
 * Orphans: processes that the kernel gave to this one, and for which Node does not wait.
 *
 * Node reaps what it has started and nothing else, and has no waitpid(2) for anybody. koffi has; it is an optional
 * dependency and loaded with the first orphan, since it costs some megabytes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isZombie } from './processes.js';

type WaitPid = (pid: number, status: null, options: number) => number;

/** waitpid(2): return at once. The same on Linux and macOS. */
const WNOHANG = 1;

const HINT =
  'orphans stay zombies until this process ends: install koffi, or let an init such as --init be process 1';

let loaded: WaitPid | null = null;

const waitPid = (): WaitPid => {
  if (loaded !== null) return loaded;
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(path: null): { func(signature: string): WaitPid };
  };
  loaded = koffi.load(null).func('int waitpid(int pid, void *status, int options)');
  return loaded;
};

const reason = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);

/** Children of this process that have ended and are nobody's: the kernel lists them where it can. */
export const orphans = (isKnown: (pid: number) => boolean): readonly number[] => {
  let list: string;
  try {
    // Orphans are given to the main thread, and it is the one that starts our own.
    list = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1');
  } catch {
    // Not Linux, or a kernel that does not list children: reapingObstacle says so.
    return [];
  }
  return list
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)
    .filter((pid) => !isKnown(pid) && isZombie(pid));
};

/** Takes the exit status of an orphan, which is then gone. Returns why that is not possible, or null. */
export const reapOrphan = (pid: number): string | null => {
  try {
    waitPid()(pid, null, WNOHANG);
    return null;
  } catch (error) {
    return `koffi cannot be used (${reason(error)}): ${HINT}`;
  }
};

/** Why orphans could not be reaped, if there were any; null where they can. Loads nothing. */
export const reapingObstacle = (): string | null => {
  try {
    createRequire(import.meta.url).resolve('koffi');
  } catch {
    return `koffi is not installed: ${HINT}`;
  }
  try {
    readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1');
    return null;
  } catch (error) {
    return `this kernel does not list the children of a process (${reason(error)}): ${HINT}`;
  }
};
