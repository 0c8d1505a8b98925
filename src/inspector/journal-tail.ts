/**
 * The journal file of a daemon, from its end on: it knows of every generation, also of those that nobody can ask.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { JournalEntry } from '../journal/entry.js';
import { parseLine } from '../journal/parse.js';

/** Looking costs one stat(2); a rename and a truncation look alike to it everywhere. */
const LOOK_EVERY_MS = 100;
const CHUNK_BYTES = 1_048_576;
/** How much of what was written before is shown. Bytes. */
const PAST_BYTES = 8 * 1_048_576;
const LINE_CHARS = 64 * 1_048_576;

interface Open {
  readonly descriptor: number;
  readonly inode: number;
  position: number;
  rest: string;
  readonly decoder: StringDecoder;
}

export interface JournalTail {
  /** Reads now what there is, without waiting for the next look. */
  look(): void;
  close(): void;
}

const openAt = (path: string, pastBytes: number): Open => {
  const descriptor = openSync(path, 'r');
  const { ino, size } = fstatSync(descriptor);
  const position = Math.max(0, size - pastBytes);
  // In the middle of a line: what is left of it is no entry.
  return { descriptor, inode: ino, position, rest: position > 0 ? '?' : '', decoder: new StringDecoder() };
};

const readMore = (file: Open): readonly JournalEntry[] => {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const entries: JournalEntry[] = [];
  for (;;) {
    const length = readSync(file.descriptor, buffer, 0, CHUNK_BYTES, file.position);
    if (length === 0) return entries;
    file.position += length;
    const lines = (file.rest + file.decoder.write(buffer.subarray(0, length))).split('\n');
    file.rest = (lines.pop() ?? '').slice(0, LINE_CHARS);
    // What is cut off, or what another version wrote, is left out: this page explains, it does not judge.
    for (const parsed of lines.flatMap(parseLine)) if ('entry' in parsed) entries.push(parsed.entry);
  }
};

/**
 * Follows a journal through rotations and removals.
 *
 * @param onEnd called once, if it cannot be read any more.
 * @returns null if it cannot be read at all.
 */
export const tailJournal = (
  path: string,
  onEntries: (entries: readonly JournalEntry[]) => void,
  onEnd: () => void,
): JournalTail | null => {
  let file: Open;
  try {
    file = openAt(path, PAST_BYTES);
  } catch {
    // Another user's, or gone: the control socket tells what happens from now on.
    return null;
  }
  let timer: NodeJS.Timeout | null = null;
  const close = (): void => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    closeSync(file.descriptor);
  };
  const look = (): void => {
    try {
      const named = statSync(path, { throwIfNoEntry: false });
      const entries = readMore(file);
      if (entries.length > 0) onEntries(entries);
      if (named !== undefined && (named.ino !== file.inode || named.size < file.position)) {
        closeSync(file.descriptor);
        file = openAt(path, Number.POSITIVE_INFINITY);
      }
    } catch {
      // An error of the disk: there is another way to the same events.
      close();
      onEnd();
    }
  };
  timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return { look, close };
};
