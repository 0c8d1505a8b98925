import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/journal/entry.js';
import { parseEntry, parseLine } from '../../src/journal/parse.js';
import { exited, fires, newSupervisor, replayOf, STARTED, says, spawned } from './recorded-supervisor.js';

const recorded = (): readonly JournalEntry[] => {
  const supervisor = newSupervisor();
  supervisor.record();
  supervisor.start();
  supervisor.send(...STARTED);
  supervisor.sendWorker(spawned(401), says, exited(401), fires('backoff'), spawned(402), says);
  supervisor.recorder.flush();
  return supervisor.entries;
};

/** The entries with one of them changed. */
const changed = (
  entries: readonly JournalEntry[],
  which: (entry: JournalEntry) => boolean,
  changes: Partial<JournalEntry>,
): readonly JournalEntry[] => entries.map((entry) => (which(entry) ? { ...entry, ...changes } : entry));

const isCrash = ({ actor, event }: JournalEntry): boolean =>
  actor === 'worker-1' && event.type === 'worker.exited';

describe('a replay', () => {
  it('G10: gives the same states and asks for the same effects', () => {
    const entries = recorded();
    const { recordings, differences } = replayOf(entries);
    expect(differences).toEqual([]);
    expect(recordings).toMatchObject([{ events: entries.length, unknown: 0, skipped: 0, gaps: [] }]);
  });

  it('finds a state that is another one, at its number, and goes on with the other machines', () => {
    const entries = recorded();
    const crash = entries.find(isCrash);
    const { recordings, differences } = replayOf(changed(entries, isCrash, { to: 'stopped' }));
    expect(differences).toEqual([
      {
        seq: crash?.seq,
        generation: 1,
        pid: 100,
        actor: 'worker-1',
        event: 'worker.exited',
        what: 'state',
        expected: 'stopped',
        found: 'backoff',
      },
    ]);
    expect(recordings[0]?.skipped).toBe(3);
  });

  it('finds an effect that nobody asked for, one that is missing, and another order', () => {
    const entries = recorded();
    const { effects = [], seq } = entries.find(isCrash) ?? {};
    for (const others of [[...effects, { do: 'dance' }], effects.slice(1), [...effects].reverse()]) {
      const { differences } = replayOf(changed(entries, isCrash, { effects: others }));
      expect(differences).toMatchObject([{ seq, what: 'effects', expected: others, found: effects }]);
    }
  });

  it('finds an event that was changed where it first matters', () => {
    const entries = recorded();
    const spawn = entries.find(({ actor, event }) => actor === 'worker-1' && event.type === 'worker.spawned');
    const other = changed(entries, (entry) => entry === spawn, { event: { ...spawned(999) } });
    // The crash of 401 is now one of a process that this slot does not have.
    expect(replayOf(other).differences).toMatchObject([
      { seq: entries.find(isCrash)?.seq, actor: 'worker-1', what: 'state', expected: 'backoff' },
    ]);
  });

  it('finds a machine that had ended, and one that had not', () => {
    const entries = recorded();
    const last = entries.at(-1);
    expect(
      replayOf(changed(entries, (entry) => entry === last, { status: 'done' })).differences,
    ).toMatchObject([{ seq: last?.seq, what: 'status', expected: 'done', found: 'active' }]);
  });

  it('says that lines are missing, and says nothing about what follows until a snapshot', () => {
    const entries = recorded();
    const { recordings, differences } = replayOf(entries.filter((entry) => !isCrash(entry)));
    const { seq = 0 } = entries.find(isCrash) ?? {};
    expect(differences).toEqual([]);
    expect(recordings).toMatchObject([{ gaps: [{ after: seq - 1, before: seq + 1 }], events: seq - 1 }]);
    expect(recordings[0]?.unknown).toBe(entries.length - seq);
  });

  it('begins with a snapshot, and compares one in between with what it has', () => {
    const supervisor = newSupervisor();
    supervisor.record();
    supervisor.start();
    supervisor.send(...STARTED);
    supervisor.recorder.flush();
    const first = [...supervisor.entries];
    const heads = supervisor.recorder.snapshots('rotated');
    supervisor.sendWorker(spawned(401), says);
    supervisor.recorder.flush();
    const rest = supervisor.entries.slice(first.length);
    expect(replayOf([...heads, ...rest]).differences).toEqual([]);
    expect(replayOf([...first, ...heads, ...rest]).differences).toEqual([]);
    const [head, ...others] = heads;
    const { snapshot } = head as JournalEntry;
    const wrong = {
      ...head,
      snapshot: { ...snapshot, context: { ...(snapshot?.context as object), stops: 3 } },
    };
    expect(replayOf([...first, wrong as JournalEntry, ...others, ...rest]).differences).toMatchObject([
      { actor: 'supervisor', what: 'context', event: 'journal.snapshot' },
    ]);
  });

  it('tells machines it does not know, inputs and states no machine can have', () => {
    const [init] = recorded() as readonly [JournalEntry];
    const unknown = replayOf([{ ...init, machine: 'toaster' }]);
    expect(unknown.differences).toMatchObject([{ what: 'machine', expected: 'toaster' }]);
    expect(replayOf([{ ...init, event: { type: 'xstate.init', input: null } }]).differences).toMatchObject([
      { what: 'error' },
    ]);
    const snapshot = { status: 'active', value: { idle: 'dancing' }, context: {}, children: {} };
    const strange = { ...init, event: { type: 'journal.snapshot' }, snapshot };
    expect(replayOf([strange]).differences).toMatchObject([{ what: 'error' }]);
  });

  it('knows two supervisors with the same pid from each other', () => {
    const entries = recorded();
    const again = entries.map((entry) => ({ ...entry, seq: entry.seq + 1_000_000 }));
    const { recordings, differences } = replayOf([...entries, ...again]);
    expect(differences).toEqual([]);
    expect(recordings.map(({ firstSeq }) => firstSeq)).toEqual([1, 1_000_001]);
  });
});

describe('reading a line', () => {
  const line = JSON.stringify(recorded()[1]);

  it('tells what is wrong, and where', () => {
    expect(parseEntry(line.replace('"actor"', 'actor'))).toMatchObject({
      column: line.indexOf('"actor"') + 1,
      problem: expect.stringMatching(/^no JSON/),
    });
    expect(parseEntry(line.replace(/"seq":\d+/, '"seq":-1'))).toEqual({
      column: 1,
      problem: 'seq: expected a whole number from 0 on',
    });
    expect(parseEntry('[1]')).toEqual({ column: 1, problem: 'expected an object' });
    expect(parseEntry(line.replace('"seq"', '"journal":99,"seq"'))).toEqual({
      column: 1,
      problem: 'journal: version 99, this tanist reads 1',
    });
    expect(parseEntry(line.replace(/"type":"[^"]*"/, '"type":"journal.snapshot"'))).toMatchObject({
      problem: 'snapshot: expected one with this event',
    });
  });

  it('knows a line that was cut off, wherever that was', () => {
    for (let length = 1; length < line.length; length += 1)
      expect(parseEntry(line.slice(0, length)), line.slice(0, length)).toEqual({ cut: true });
    expect(parseEntry(line)).toHaveProperty('entry');
  });

  it('finds what another generation wrote behind one that was cut off, wherever that was', () => {
    const [whole] = parseLine(line);
    expect(whole).toHaveProperty('entry');
    for (let length = 1; length < line.length; length += 1)
      expect(parseLine(line.slice(0, length) + line), line.slice(0, length)).toEqual([{ cut: true }, whole]);
    expect(parseLine(`${line.slice(0, 40)}${line.slice(0, 90)}${line.slice(0, 20)}`)).toEqual(
      Array.from({ length: 3 }, () => ({ cut: true })),
    );
    expect(parseLine(`${line}${line}`)).toEqual([whole, whole]);
    // Nothing is taken for a piece that no supervisor wrote.
    expect(parseLine(`oops${line}`)).toEqual([expect.objectContaining({ column: 1 })]);
  });
});
