import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/journal/entry.js';
import { createFeed, MOST_LISTENERS } from '../../src/journal/feed.js';

const entry = (seq: number, type = 'status.said'): JournalEntry => ({
  seq,
  time: '2026-01-01T00:00:00.000Z',
  generation: 1,
  pid: 7,
  actor: 'supervisor',
  event: { type },
  from: 'running',
  to: 'running',
  effects: [],
});

interface Message {
  readonly name: string;
  readonly id: number;
  readonly data: Record<string, unknown>;
}

const messagesIn = (text: string): readonly Message[] =>
  text.split('\n\n').flatMap((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data');
    return data === undefined
      ? []
      : [{ name: field('event') ?? 'message', id: Number(field('id')), data: JSON.parse(data) }];
  });

/** A feed with a clock of its own, which records what it is told. */
const newFeed = ({ isRecorded = false } = {}) => {
  let [nowMs, seq, recordings] = [0, 1, 0];
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const causes: unknown[] = [];
  const feed = createFeed({
    record: () => {
      recordings += 1;
      return () => {
        recordings -= 1;
      };
    },
    isRecorded,
    snapshots: (cause, fields) => {
      causes.push({ cause, ...fields });
      return [{ ...entry(seq - 1, 'journal.snapshot'), event: { type: 'journal.snapshot', cause } }];
    },
    now: () => nowMs,
    setTimer: (callback, delayMs) => {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  return {
    feed,
    causes,
    recordings: () => recordings,
    /** So many events happen, in one turn. */
    happen: (count: number) => {
      const entries = Array.from({ length: count }, () => entry(seq++));
      feed.push(
        entries,
        entries.map((one) => `${JSON.stringify(one)}\n`),
      );
    },
    /** What a recorder leaves out when it begins again. */
    skip: () => {
      seq += 1;
    },
    pass: (ms: number) => {
      nowMs += ms;
      for (const timer of [...timers]) if (timer.atMs <= nowMs && timers.delete(timer)) timer.callback();
    },
    listen: (since: number | null = null) => {
      let text = '';
      const state = { isCut: false, backlog: 0 };
      const leave = feed.listen(since, () => ({
        write: (more) => {
          text += more;
          return state.backlog;
        },
        abort: () => {
          state.isCut = true;
        },
      }));
      return { leave: () => leave?.(), isAdmitted: leave !== null, state, heard: () => messagesIn(text) };
    },
  };
};

const names = (messages: readonly Message[]) => messages.map(({ name, id }) => `${name} ${id}`);

describe('who listens to the journal', () => {
  it('hears how things are, and then what happens; nothing is recorded before', () => {
    const { feed, happen, listen, recordings } = newFeed();
    feed.push([entry(1)], ['{}\n']);
    expect(recordings()).toBe(0);
    const listener = listen();
    expect(recordings()).toBe(1);
    happen(2);
    expect(names(listener.heard())).toEqual(['snapshot 0', 'message 1', 'message 2']);
  });

  it('goes on behind a number that is remembered, and is told of a gap otherwise', () => {
    const { happen, listen } = newFeed();
    listen();
    happen(3);
    expect(names(listen(1).heard())).toEqual(['message 2', 'message 3']);
    expect(names(listen(3).heard())).toEqual([]);
    const stranger = listen(9);
    expect(names(stranger.heard())).toEqual(['gap 3', 'snapshot 3']);
    expect(stranger.heard()[0]?.data).toEqual({ since: 9, seq: 3 });
  });

  it('is cut off with too much unread, and is one too many behind sixteen', () => {
    const { happen, listen } = newFeed();
    const [first] = Array.from({ length: MOST_LISTENERS }, () => listen());
    expect(listen().isAdmitted).toBe(false);
    Object.assign(first?.state ?? {}, { backlog: 5 * 1_048_576 });
    happen(1);
    expect(first?.state.isCut).toBe(true);
    expect(listen().isAdmitted).toBe(true);
  });

  it('may come back within a minute; then nothing is recorded any more, and nothing known', () => {
    const { happen, listen, pass, recordings, skip } = newFeed();
    listen().leave();
    happen(2);
    pass(59_000);
    const again = listen(1);
    expect(names(again.heard())).toEqual(['message 2']);
    again.leave();
    pass(60_000);
    expect(recordings()).toBe(0);
    skip();
    expect(names(listen(2).heard())).toEqual(['gap 3', 'snapshot 3']);
  });
});

describe('more than can be told', () => {
  const BURST = 5_000;

  it('is not recorded for a second; then everybody hears of the gap, and how things are', () => {
    const { causes, happen, listen, pass, recordings, skip } = newFeed();
    const listener = listen();
    happen(BURST);
    expect(recordings()).toBe(1);
    happen(1);
    expect(recordings()).toBe(0);
    pass(999);
    expect(recordings()).toBe(0);
    skip();
    pass(1);
    expect(recordings()).toBe(1);
    expect(causes.at(-1)).toEqual({ cause: 'rested', restMs: 1_000 });
    happen(1);
    const after = listener.heard().slice(BURST + 2);
    expect(names(after)).toEqual(['gap 5002', 'snapshot 5002', 'message 5003']);
    expect(after[0]?.data).toEqual({ since: 5_001, seq: 5_002 });
    // What was not seen is not behind any number that is remembered.
    expect(names(listen(5_002).heard())).toEqual(['message 5003']);
    expect(names(listen(5_001).heard())[0]).toBe('gap 5003');
  });

  it('is a thousand a second, when it goes on', () => {
    const { happen, listen, pass, recordings } = newFeed();
    listen();
    happen(BURST);
    for (let second = 0; second < 20; second += 1) {
      pass(1_000);
      happen(1_000);
      expect(recordings()).toBe(1);
    }
    happen(1);
    expect(recordings()).toBe(0);
  });

  it('keeps nobody who comes meanwhile from hearing how things are', () => {
    const { happen, listen, pass, recordings, skip } = newFeed();
    listen();
    happen(BURST + 1);
    const late = listen();
    expect([names(late.heard()), recordings()]).toEqual([['snapshot 5001'], 0]);
    skip();
    pass(1_000);
    expect(names(late.heard())).toEqual(['snapshot 5001', 'gap 5002', 'snapshot 5002']);
  });

  it('does not begin anew when everybody has gone for good', () => {
    const { happen, listen, pass, recordings } = newFeed();
    const listener = listen();
    happen(BURST + 1);
    listener.leave();
    pass(1_000);
    expect(recordings()).toBe(1);
    happen(BURST + 1);
    pass(60_000);
    expect(recordings()).toBe(0);
    pass(60_000);
    expect(recordings()).toBe(0);
  });

  it('is told all the same where it is recorded in any case', () => {
    const { happen, listen, recordings } = newFeed({ isRecorded: true });
    const listener = listen();
    happen(2 * BURST);
    expect([recordings(), listener.heard().length]).toEqual([1, 1 + 2 * BURST]);
  });
});
