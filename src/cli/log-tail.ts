/**
 * The end of a log file, and what is appended to it, whatever becomes of its name.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
/** A line without an end is shown in pieces rather than kept. */
const LINE_LIMIT_BYTES = 1_048_576;

/** What happened to the file between two looks. */
export type Turn = 'none' | 'replaced' | 'truncated';

export interface Tail {
  /** What was appended since the last look, in whole lines. */
  readonly look: () => { readonly lines: readonly string[]; readonly turn: Turn };
  readonly close: () => void;
}

const open = (path: string): number =>
  // A named pipe in its place would be waited for.
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);

/**
 * Opens a log file at its last lines.
 *
 * @param count how many of the lines that are there are told at the first look.
 * @throws the system's error if it cannot be opened.
 */
export const openTail = (path: string, count: number): Tail => {
  let descriptor = open(path);
  let position = startOfLast(descriptor, count);
  let rest = Buffer.alloc(0);

  /** Everything from the position to the end, in whole lines. */
  const read = (): string[] => {
    const lines: string[] = [];
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, position);
      if (length === 0) return lines;
      position += length;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      const end = rest.length > LINE_LIMIT_BYTES ? rest.length : rest.lastIndexOf(NEWLINE) + 1;
      if (end === 0) continue;
      lines.push(...rest.toString('utf8', 0, end).replace(/\n$/, '').split('\n'));
      rest = rest.subarray(end);
    }
  };
  const restart = (next: number): void => {
    closeSync(descriptor);
    [descriptor, position, rest] = [next, 0, Buffer.alloc(0)];
  };
  return {
    look: () => {
      const size = fstatSync(descriptor).size;
      const truncated = size < position;
      if (truncated) [position, rest] = [0, Buffer.alloc(0)];
      // Looked for before the old file is read: the writer looks before every line, and has written its last there.
      const next = successor(path, descriptor);
      const lines = read();
      if (next === null) return { lines, turn: truncated ? 'truncated' : 'none' };
      restart(next);
      return { lines: [...lines, ...read()], turn: 'replaced' };
    },
    close: () => closeSync(descriptor),
  };
};

/** The file that has the name by now, opened; null while it is still ours, or there is none. */
const successor = (path: string, descriptor: number): number | null => {
  const [ours, named] = [fstatSync(descriptor), statSync(path, { throwIfNoEntry: false })];
  if (named === undefined || (named.ino === ours.ino && named.dev === ours.dev)) return null;
  try {
    return open(path);
  } catch {
    // Moved away again, or not ours to read yet: the next look tries again.
    return null;
  }
};

/** Where the last lines begin, looked for from the end: a log may be larger than memory. */
const startOfLast = (descriptor: number, count: number): number => {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let start = fstatSync(descriptor).size;
  // The last line has an end of its own, which is not the beginning of another.
  let missing = count + 1;
  if (count === 0) return start;
  while (start > 0) {
    const from = Math.max(start - CHUNK_BYTES, 0);
    const length = readSync(descriptor, chunk, 0, start - from, from);
    for (let at = length - 1; at >= 0; at -= 1) {
      if (chunk[at] !== NEWLINE) continue;
      missing -= 1;
      if (missing === 0) return from + at + 1;
    }
    start = from;
  }
  return 0;
};
