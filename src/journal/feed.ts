/**
 * The journal live: entries as server-sent events, to whoever asks for them on the control socket.
 *
 * Nothing is recorded for it before somebody asks, and what is remembered is bounded.
 */
import { formatEntry, type JournalEntry } from './entry.js';

/** What is remembered for those who come back: the last entries, at most so many, and so many bytes. */
const HISTORY_ENTRIES = 1_000;
const HISTORY_BYTES = 1_048_576;
/** A client that has so much to read is cut off: it may come back and ask for what it missed. Bytes. */
const BACKLOG_BYTES = 4_194_304;
/**
 * So many entries in a row are recorded, and so many a second for ever: one costs a supervisor nearly as much as the
 * event it tells of (`npm run bench -- inspect`). A reload of fifty workers has about a thousand.
 */
const BURST_ENTRIES = 5_000;
const ENTRIES_PER_S = 1_000;
/** Whoever has more is not watched for so long. */
const REST_MS = 1_000;
/** How many may listen at once. */
export const MOST_LISTENERS = 16;
/** How long recording goes on, in memory, when the last of them has gone: he may be about to come back. */
const LINGER_MS = 60_000;

/** An answer that goes on. */
export interface Listener {
  /** Returns how many bytes wait for somebody who does not read. */
  write(text: string): number;
  /** Cuts the connection. */
  abort(): void;
}

export interface FeedOptions {
  /** Begins to record, and returns what ends it. */
  readonly record: () => () => void;
  /** It is recorded in any case: nothing is saved by leaving something out. */
  readonly isRecorded: boolean;
  /** How things are now. */
  readonly snapshots: (cause: 'attached' | 'rested', fields?: object) => readonly JournalEntry[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
}

export interface Feed {
  /** Entries in their order, with their lines. */
  push(entries: readonly JournalEntry[], lines: readonly string[]): void;
  /**
   * Tells a listener everything behind `since`, and what follows. Without it, or where that is not known any more
   * (`gap`), he is told first how things are (`snapshot`). So he is, in between, when there was too much to tell.
   *
   * @param begin called if it may listen.
   * @returns what ends it; null when too many listen already.
   */
  listen(since: number | null, begin: () => Listener): (() => void) | null;
}

interface Remembered {
  readonly seq: number;
  readonly text: string;
}

const message = (line: string, seq: number, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}id: ${seq}\ndata: ${line.endsWith('\n') ? line : `${line}\n`}\n`;

/** A bucket of entries that fills with time. */
const createAllowance = (now: () => number) => {
  let [left, atMs] = [BURST_ENTRIES, now()];
  return {
    /** False when more were taken than there were. */
    take(count: number): boolean {
      const elapsedMs = Math.max(0, now() - atMs);
      atMs = now();
      left = Math.min(BURST_ENTRIES, left + (elapsedMs * ENTRIES_PER_S) / 1_000) - count;
      return left >= 0;
    },
  };
};

export const createFeed = ({ record, isRecorded, snapshots, now, setTimer }: FeedOptions): Feed => {
  const listeners = new Set<Listener>();
  const allowance = createAllowance(now);
  let history: Remembered[] = [];
  let historyBytes = 0;
  /** Ends the recording; null while there is none. */
  let end: (() => void) | null = null;
  /** Ends a rest; null while there is none. */
  let wake: (() => void) | null = null;
  let forget: (() => void) | null = null;

  const remember = (one: Remembered): void => {
    history.push(one);
    historyBytes += one.text.length;
    while (history.length > HISTORY_ENTRIES || (historyBytes > HISTORY_BYTES && history.length > 1))
      historyBytes -= history.shift()?.text.length ?? 0;
  };

  const tell = (listener: Listener, text: string): void => {
    if (listener.write(text) <= BACKLOG_BYTES) return;
    listeners.delete(listener);
    listener.abort();
  };

  /** How things are, for somebody who knows everything up to `since`, and nothing of what followed. */
  const whole = (since: number | null, all: readonly JournalEntry[]): string => {
    const seq = all[0]?.seq ?? 0;
    const gap = since === null ? '' : message(JSON.stringify({ since, seq }), seq, 'gap');
    return gap + all.map((entry) => message(formatEntry(entry), entry.seq, 'snapshot')).join('');
  };

  /** Records nothing for a while, and tells then how things are: the machines themselves have lost nothing. */
  const rest = (): void => {
    const since = history.at(-1)?.seq ?? 0;
    end?.();
    end = null;
    wake = setTimer(() => {
      [wake, history, historyBytes] = [null, [], 0];
      end = record();
      const text = whole(since, snapshots('rested', { restMs: REST_MS }));
      for (const listener of [...listeners]) tell(listener, text);
    }, REST_MS);
  };

  const linger = (): void => {
    if (listeners.size > 0) return;
    forget?.();
    forget = setTimer(() => {
      if (listeners.size > 0) return;
      end?.();
      wake?.();
      [end, wake, history, historyBytes] = [null, null, [], 0];
    }, LINGER_MS);
  };

  /** What a listener is told at first. */
  const greeting = (since: number | null): string => {
    const first = history[0]?.seq;
    const all = snapshots('attached');
    const lastSeq = history.at(-1)?.seq ?? all[0]?.seq ?? 0;
    const isKnown =
      since !== null &&
      since <= lastSeq &&
      (since === lastSeq || (first !== undefined && since >= first - 1));
    if (!isKnown) return whole(since, all);
    return history.flatMap(({ seq, text }) => (seq > since ? text : [])).join('');
  };

  return {
    push(entries, lines) {
      if (end === null) return;
      let text = '';
      for (const [index, { seq }] of entries.entries()) {
        const one = { seq, text: message(lines[index] ?? '', seq) };
        remember(one);
        text += one.text;
      }
      for (const listener of [...listeners]) tell(listener, text);
      if (!isRecorded && !allowance.take(entries.length)) rest();
    },
    listen(since, begin) {
      if (listeners.size >= MOST_LISTENERS) return null;
      const listener = begin();
      forget?.();
      forget = null;
      if (wake === null) end ??= record();
      listeners.add(listener);
      tell(listener, `: the journal of tanist\n\n${greeting(since)}`);
      return () => {
        listeners.delete(listener);
        linger();
      };
    },
  };
};
