/**
 * A journal's file, entry by entry: what cannot be read is told with its place.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { TanistError } from '../errors.js';
import type { JournalEntry } from '../journal/entry.js';
import { parseLine } from '../journal/parse.js';

const CHUNK_BYTES = 1_048_576;
/** No line is longer: a snapshot of a thousand slots needs less than a megabyte. */
const LINE_CHARS = 64 * 1_048_576;

export interface JournalLine {
  /** Counted from 1. */
  readonly number: number;
  /** Null for an entry that ends in the middle, since its writer was killed or the disk was full. */
  readonly entry: JournalEntry | null;
}

const unreadable = (path: string, problem: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_JOURNAL_UNREADABLE', `${path}${problem}`, cause === undefined ? {} : { cause });

/** Whole lines; the last one without a newline too, if there is anything in it. */
function* linesOf(path: string, descriptor: number): Generator<string> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for (;;) {
    const length = readSync(descriptor, buffer, 0, CHUNK_BYTES, null);
    if (length === 0) break;
    const lines = (rest + decoder.write(buffer.subarray(0, length))).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > LINE_CHARS) throw unreadable(path, `: a line is longer than ${LINE_CHARS} characters`);
  }
  if (rest !== '') yield rest;
}

/**
 * Reads a journal.
 *
 * @throws {TanistError} `TANIST_JOURNAL_UNREADABLE` with line and column; entries before were given by then.
 */
export function* readJournal(path: string): Generator<JournalLine> {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw unreadable(
      path,
      `: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  try {
    let number = 0;
    for (const line of linesOf(path, descriptor)) {
      number += 1;
      if (line === '') continue;
      for (const parsed of parseLine(line)) {
        if ('problem' in parsed)
          throw unreadable(path, `, line ${number}, column ${parsed.column}: ${parsed.problem}`);
        yield { number, entry: 'cut' in parsed ? null : parsed.entry };
      }
    }
  } catch (error) {
    // What is opened may still be a directory.
    throw error instanceof TanistError
      ? error
      : unreadable(path, `: cannot be read: ${String(error)}`, error);
  } finally {
    closeSync(descriptor);
  }
}
