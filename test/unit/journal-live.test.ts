import { describe, expect, it } from 'vitest';
import type { WorkerEvent } from '../../machines/events.js';
import type { JournalEntry } from '../../src/journal/entry.js';
import { createJournal } from '../../src/journal/journal.js';
import { parseEntry } from '../../src/journal/parse.js';
import { Replay } from '../../src/journal/replay.js';
import { newSupervisor, STARTED, says, spawned } from './recorded-supervisor.js';

const [REST_MS, MOST_IN_A_ROW] = [1_000, 5_000];

/** A supervisor that serves, one listener to its journal, and a clock that stands still. */
const listened = () => {
  const supervisor = newSupervisor();
  const [wakes, texts]: [(() => void)[], string[]] = [[], []];
  const journal = createJournal({
    generation: 1,
    pid: 100,
    tanist: '1.2.3',
    now: () => 5_000,
    setTimer: (callback, delayMs) => {
      if (delayMs === REST_MS) wakes.push(callback);
      return () => undefined;
    },
    file: null,
    tell: () => undefined,
  });
  journal.attach(supervisor.actor);
  supervisor.start();
  supervisor.send(...STARTED);
  supervisor.sendWorker(spawned(401), says);
  journal.listen(null, () => ({ write: (text) => texts.push(text), abort: () => undefined }));
  return {
    supervisor,
    rested: () => wakes.shift()?.(),
    texts,
    talk: (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        supervisor.sendWorker(status(`round ${round}`));
        journal.flush();
      }
    },
  };
};

/** Two entries: the worker's own, and what the supervisor hears of it. */
const status = (text: string): WorkerEvent => ({ type: 'status.said', channel: 3, text, atMs: 9_000 });

interface Message {
  readonly name: string;
  readonly data: string;
}

const messagesIn = (texts: readonly string[]): readonly Message[] =>
  texts
    .join('')
    .split('\n\n')
    .flatMap((text) => {
      const data = /^data: (.*)$/m.exec(text)?.[1];
      return data === undefined ? [] : { name: /^event: (.*)$/m.exec(text)?.[1] ?? 'entry', data };
    });

const entryOf = ({ data }: Message): JournalEntry => {
  const parsed = parseEntry(data);
  if (!('entry' in parsed)) throw new Error(`not read again: ${data}`);
  return parsed.entry;
};

describe('what is told live of a supervisor that has more to tell than it may', () => {
  const noisy = () => {
    const { rested, texts, talk } = listened();
    talk(MOST_IN_A_ROW / 2 + 1);
    const before = messagesIn(texts);
    talk(1_000);
    const during = messagesIn(texts).slice(before.length);
    rested();
    talk(10);
    const messages = messagesIn(texts);
    return { before, during, after: messages.slice(before.length), messages };
  };

  it('is all of it up to the limit, then nothing for a while, a gap, and how things are by then', () => {
    const { before, during, after } = noisy();
    expect(before.filter(({ name }) => name === 'entry').length).toBeGreaterThanOrEqual(MOST_IN_A_ROW);
    expect(during).toEqual([]);
    expect(after.slice(0, 3).map(({ name }) => name)).toEqual(['gap', 'snapshot', 'snapshot']);
    const [gap, ...snapshots] = after.slice(0, 3);
    const { since, seq } = JSON.parse(gap?.data ?? '') as { since: number; seq: number };
    expect([since, seq]).toEqual([entryOf(before.at(-1) as Message).seq, since + 1]);
    for (const snapshot of snapshots)
      expect(entryOf(snapshot)).toMatchObject({ seq, event: { cause: 'rested', restMs: REST_MS } });
    expect(after.slice(3).map((message) => entryOf(message).event.type)).toContain('status.said');
  });

  it('is a recording that a replay follows across the gap', () => {
    const { before, after, messages } = noisy();
    const replay = new Replay();
    for (const message of messages) if (message.name !== 'gap') replay.add(entryOf(message));
    expect(replay.differences).toEqual([]);
    const gap = {
      after: entryOf(before.at(-1) as Message).seq,
      before: entryOf(after[1] as Message).seq,
    };
    expect(replay.recordings).toMatchObject([{ unknown: 0, skipped: 0, snapshots: 4, gaps: [gap] }]);
  });
});
