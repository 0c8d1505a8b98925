/**
 * What every daemon of the process tests has recorded, run through the machines once more.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Difference, Replay } from '../../src/journal/replay.js';
import { readJournal } from '../../src/os/journal-reader.js';

/** The name of the journal in a world's directory; rotated ones begin with it. */
export const JOURNAL = 'tanist-journal';

/** Replays files of one journal, the oldest first. */
export const replayed = (...paths: readonly string[]): Replay => {
  const replay = new Replay();
  for (const path of paths) for (const { entry } of readJournal(path)) if (entry !== null) replay.add(entry);
  return replay;
};

const text = ({ seq, actor, event, what, expected, found }: Difference): string =>
  `${seq} ${actor} ${event}: ${what} was ${JSON.stringify(expected)}, is ${JSON.stringify(found)}`;

/** Throws if a journal in the directory replays with a difference. */
export const checkJournals = (directory: string): void => {
  const names = readdirSync(directory).filter((name) => name.startsWith(JOURNAL));
  const paths = names.sort().reverse();
  const { differences, recordings } = replayed(...paths.map((name) => join(directory, name)));
  const holes = recordings.filter(({ unknown, gaps }) => unknown > 0 || gaps.length > 0);
  const problems = [
    ...differences.map(text),
    ...holes.map(
      ({ generation, unknown, gaps }) => `${generation}: ${unknown} unknown, ${JSON.stringify(gaps)}`,
    ),
  ];
  if (problems.length > 0) throw new Error(`G10: the journal replays differently\n${problems.join('\n')}`);
};
