/**
 * The journal as a file: appended to by every generation, bounded in size, and no reason to stop for anybody.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { TanistError } from '../errors.js';
import { DEFAULT_JOURNAL_BYTES } from '../settings/size.js';

/** What a service is told may be private: nobody else reads it. */
export const JOURNAL_MODE = 0o600;

export interface JournalFile {
  readonly path: string;
  /** The highest number in the file when it was opened; 0 for none. */
  readonly lastSeq: number;
  /**
   * Appends whole lines. False, and nothing is left of them if possible, where they cannot be written: a full disk.
   */
  append(lines: string): boolean;
  /**
   * Begins a new file where the one we have was moved away or removed, or is too large and may be rotated.
   *
   * @param mayRotate no other supervisor writes to it now.
   */
  turn(mayRotate: boolean): 'reopened' | 'rotated' | null;
  /** What was just appended begins a file: one is never rotated for its size alone. */
  headed(): void;
}

const CHUNK_BYTES = 256 * 1024;
/** Longer than the longest number with what is before it. */
const OVERLAP_CHARS = 32;
const NEWLINE = 0x0a;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isSameFile = (one: Stats, other: Stats | undefined): boolean =>
  other !== undefined && one.ino === other.ino && one.dev === other.dev;

/** Also for reading: numbers go on where the last supervisor ended. A named pipe is never waited for. */
const openAppending = (path: string): number =>
  openSync(
    path,
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY,
    JOURNAL_MODE,
  );

/** The highest number in a file, and whether its last line is whole. */
const survey = (descriptor: number): { lastSeq: number; isWhole: boolean } => {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let [lastSeq, last, rest] = [0, NEWLINE, ''];
  for (let position = 0; ; ) {
    const length = readSync(descriptor, buffer, 0, CHUNK_BYTES, position);
    if (length === 0) return { lastSeq, isWhole: last === NEWLINE };
    const text = rest + buffer.toString('latin1', 0, length);
    // Not at the beginning of a line alone: before it may stand what a killed supervisor had written.
    for (const [, seq] of text.matchAll(/\{"seq":(\d{1,15})(?=,)/g)) lastSeq = Math.max(lastSeq, Number(seq));
    rest = text.slice(-OVERLAP_CHARS);
    last = buffer[length - 1] ?? NEWLINE;
    position += length;
  }
};

/**
 * Opens the file for appending; makes it, with mode 0600, if there is none.
 *
 * @param path absolute.
 * @param limitBytes from which size on it may be rotated.
 * @throws {TanistError} `TANIST_JOURNAL_FILE` if the file cannot be opened or is none.
 */
export const openJournalFile = (path: string, limitBytes = DEFAULT_JOURNAL_BYTES): JournalFile => {
  let descriptor: number;
  let opened: Stats;
  let found: { lastSeq: number; isWhole: boolean };
  try {
    descriptor = openAppending(path);
    opened = fstatSync(descriptor);
    found = opened.isFile() ? survey(descriptor) : { lastSeq: 0, isWhole: true };
  } catch (error) {
    throw new TanistError('TANIST_JOURNAL_FILE', `the journal cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (!opened.isFile()) {
    closeSync(descriptor);
    throw new TanistError('TANIST_JOURNAL_FILE', `the journal ${path} is not a regular file`);
  }
  let isTorn = !found.isWhole;
  let headBytes = 0;

  /** What a full disk took of a line goes again, if nobody has written behind it. */
  const takeBack = (takenBytes: number): void => {
    isTorn = true;
    try {
      const { size } = fstatSync(descriptor);
      const before = size - takenBytes;
      const end = Buffer.alloc(1);
      if (before > 0) readSync(descriptor, end, 0, 1, before - 1);
      if (before < 0 || (before > 0 && end[0] !== NEWLINE)) return;
      ftruncateSync(descriptor, before);
      isTorn = false;
    } catch {
      // The piece stays: the next line begins behind it, and a reader says that it was cut off.
    }
  };

  const putAway = (): boolean => {
    try {
      renameSync(path, `${path}.1`);
      return true;
    } catch {
      // A directory where only root makes names, and we are somebody else by now.
      return false;
    }
  };

  const replace = (): boolean => {
    const next = openAppending(path);
    const stats = fstatSync(next);
    if (!stats.isFile()) {
      closeSync(next);
      return false;
    }
    closeSync(descriptor);
    [descriptor, opened, isTorn] = [next, stats, false];
    return true;
  };

  return {
    path,
    lastSeq: found.lastSeq,
    append(lines) {
      const bytes = Buffer.from(isTorn ? `\n${lines}` : lines);
      let offset = 0;
      try {
        while (offset < bytes.length) offset += writeSync(descriptor, bytes, offset);
        isTorn = false;
        return true;
      } catch {
        // ENOSPC, EIO, EDQUOT: the service goes on; whoever asked counts what is lost.
        if (offset > 0) takeBack(offset);
        return false;
      }
    },
    turn(mayRotate) {
      try {
        const named = statSync(path, { throwIfNoEntry: false });
        if (!isSameFile(opened, named)) return replace() ? 'reopened' : null;
        const sizeBytes = named?.size ?? 0;
        if (!mayRotate || sizeBytes <= limitBytes || sizeBytes <= 2 * headBytes) return null;
        if (putAway()) return replace() ? 'rotated' : null;
        // Nothing may grow without bound: where no file may be renamed, what is in it goes.
        ftruncateSync(descriptor, 0);
        return 'rotated';
      } catch {
        // The name leads nowhere now: the file we have is better than none, and the next line tries again.
        return null;
      }
    },
    headed() {
      headBytes = fstatSync(descriptor).size;
    },
  };
};
