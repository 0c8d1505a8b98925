import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEntry, type JournalEntry } from '../../src/journal/entry.js';
import { parseEntry } from '../../src/journal/parse.js';
import { Replay } from '../../src/journal/replay.js';
import {
  exited,
  fires,
  newSupervisor,
  replayOf,
  STARTED,
  says,
  spawned,
} from '../unit/recorded-supervisor.js';
import { FUZZ } from './runs.js';

/** A replay takes a thousand times as long as a reading. */
const REPLAYS = { ...FUZZ, numRuns: Math.ceil(FUZZ.numRuns / 100) };

const recorded = (): readonly JournalEntry[] => {
  const supervisor = newSupervisor();
  supervisor.record();
  supervisor.start();
  supervisor.send(...STARTED);
  supervisor.sendWorker(spawned(401), says, exited(401));
  supervisor.recorder.flush();
  const before = supervisor.entries.length;
  const heads = supervisor.recorder.snapshots('rotated');
  supervisor.sendWorker(fires('backoff'), spawned(402), says);
  supervisor.recorder.flush();
  return [...supervisor.entries.slice(0, before), ...heads, ...supervisor.entries.slice(before)];
};

const entries = recorded();
const lines = entries.map((entry) => formatEntry(entry).trimEnd());

const readable = (line: string): readonly JournalEntry[] => {
  const parsed = parseEntry(line);
  return 'entry' in parsed ? [parsed.entry] : [];
};

const valueAt = (holder: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], holder);

/** Every place in an entry, as a path of keys. */
const placesIn = (value: unknown, path: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];

const places = entries.flatMap((entry, index) => placesIn(entry).map((path) => ({ index, path })));

const replaced = (entry: JournalEntry, path: readonly string[], value: unknown): unknown => {
  const copy: unknown = JSON.parse(JSON.stringify(entry));
  const last = path.at(-1);
  if (last === undefined) return value;
  const holder = valueAt(copy, path.slice(0, -1)) as Record<string, unknown>;
  holder[last] = value;
  return copy;
};

describe('a journal that anybody may have written', () => {
  it('is read or refused with a place in the line, and never throws', () => {
    const piece = fc.tuple(fc.constantFrom(...lines), fc.nat(), fc.nat(12), fc.string({ maxLength: 8 }));
    fc.assert(
      fc.property(piece, ([line, at, length, text]) => {
        const from = at % (line.length + 1);
        const changed = line.slice(0, from) + text + line.slice(from + length);
        const parsed = parseEntry(changed);
        if ('problem' in parsed) {
          expect(parsed.problem).not.toBe('');
          expect(parsed.column).toBeGreaterThanOrEqual(1);
          expect(parsed.column).toBeLessThanOrEqual(changed.length + 1);
        }
      }),
      FUZZ,
    );
  });

  it('is replayed without an exception, whatever value stands in it, in whatever order', () => {
    const change = fc.tuple(fc.constantFrom(...places), fc.jsonValue());
    const order = fc.shuffledSubarray(lines, { minLength: lines.length - 3 });
    fc.assert(
      fc.property(change, fc.option(order, { freq: 4 }), ([{ index, path }, value], other) => {
        const entry = entries[index] as JournalEntry;
        const changed = lines.with(index, JSON.stringify(replaced(entry, path, value)));
        const replay = new Replay();
        for (const one of (other ?? changed).flatMap(readable)) replay.add(one);
        expect(replay.recordings.length).toBeGreaterThan(0);
      }),
      REPLAYS,
    );
  });

  it('with another state, status or effect differs exactly there', () => {
    const steps = entries.flatMap((entry, index) => (entry.snapshot === undefined ? [index] : []));
    const change = fc.constantFrom<(entry: JournalEntry) => Partial<JournalEntry>>(
      ({ to }) => ({ to: `${to}.elsewhere` }),
      () => ({ status: 'done' }),
      ({ effects }) => ({ effects: [...effects, { do: 'dance' }] }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...steps), change, (index, changes) => {
        const entry = entries[index] as JournalEntry;
        const { differences } = replayOf(entries.with(index, { ...entry, ...changes(entry) }));
        expect(differences[0]).toMatchObject({ seq: entry.seq, actor: entry.actor });
      }),
      { ...REPLAYS, numRuns: 300 },
    );
  });
});
