/**
 * Where private sockets are: beside the pid file; without one in directories of this process alone, which are there
 * only while something is in them.
 */
import { lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TanistError } from '../errors.js';
import { overlong } from '../settings/unix-path.js';

/** Directories and paths that a supervisor needs beside its own files. */
export interface Places {
  /** Sockets live in a directory of their own below it for a moment, while two ends are made. */
  readonly scratch: string;
  /** What the paths of probe sockets begin with. */
  readonly base: string;
  /** The directory of the probe sockets, where it is theirs alone; null where it is that of the pid file. */
  readonly quarters: Quarters | null;
}

/** A directory of mode 0700 that is made when it is needed and removed when it is empty. */
export interface Quarters {
  /**
   * Runs what puts a socket into it.
   *
   * @throws {TanistError} `TANIST_RUN_DIR`.
   */
  readonly within: <Value>(work: () => Promise<Value>) => Promise<Value>;
  /** A socket was removed from it. */
  readonly leave: () => void;
}

/** The longest name of a probe socket. */
const LONGEST = 's.probe-1000000-1024r';

export const placesOf = (pidFile: string | null): Places => {
  if (pidFile !== null)
    return { scratch: dirname(pidFile), base: pidFile.replace(/\.pid$/, ''), quarters: null };
  const scratch = tmpdir();
  // Nobody can be there before us: the name is known to nobody until the directory exists.
  const directory = join(
    scratch,
    `tanist-${Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString('hex')}`,
  );
  return { scratch, base: join(directory, 's'), quarters: quartersIn(directory) };
};

const quartersIn = (directory: string): Quarters => {
  let pending = 0;
  let isThere = false;
  /** A process that exits in the middle takes it along. */
  const clear = () => rmSync(directory, { recursive: true, force: true });
  const enter = () => {
    const problem = overlong(join(directory, LONGEST), process.platform);
    if (problem !== null)
      throw unusable(`the temporary directory ${tmpdir()} is no place for it: ${problem}`);
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if (!isThere || !isOurs(directory))
        throw unusable(error instanceof Error ? error.message : String(error), error);
    }
    if (!isThere) process.on('exit', clear);
    isThere = true;
  };
  const leave = () => {
    if (!isThere || pending > 0) return;
    try {
      rmdirSync(directory);
    } catch {
      // ENOTEMPTY: other probe sockets are there still, and the last of them takes it along.
      return;
    }
    process.off('exit', clear);
    isThere = false;
  };
  return {
    async within(work) {
      enter();
      pending += 1;
      try {
        return await work();
      } finally {
        pending -= 1;
        leave();
      }
    },
    leave,
  };
};

/** What else has that name by now is not ours to put anything into. */
const isOurs = (directory: string): boolean => {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.();
};

const unusable = (reason: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_RUN_DIR', `no directory for probe sockets can be had: ${reason}`, {
    hint: 'Set TMPDIR to a directory that may be written to, with a short path.',
    cause,
  });
