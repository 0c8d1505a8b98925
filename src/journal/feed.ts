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
  /** How things are now. */
  readonly snapshots: () => readonly JournalEntry[];
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
}

export interface Feed {
  /** True while somebody listens, or may come back. */
  readonly isOn: () => boolean;
  /** Entries in their order, with their lines. */
  push(entries: readonly JournalEntry[], lines: readonly string[]): void;
  /**
   * Tells a listener everything behind `since`, and what follows. Without it, or where that is not known any more
   * (`gap`), he is told first how things are (`snapshot`).
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

export const createFeed = ({ record, snapshots, setTimer }: FeedOptions): Feed => {
  const listeners = new Set<Listener>();
  let history: Remembered[] = [];
  let historyBytes = 0;
  let end: (() => void) | null = null;
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

  const linger = (): void => {
    if (listeners.size > 0) return;
    forget?.();
    forget = setTimer(() => {
      if (listeners.size > 0) return;
      end?.();
      [end, history, historyBytes] = [null, [], 0];
    }, LINGER_MS);
  };

  /** What a listener is told at first. */
  const greeting = (since: number | null): string => {
    const first = history[0]?.seq;
    const now = snapshots();
    const lastSeq = history.at(-1)?.seq ?? now[0]?.seq ?? 0;
    const isKnown =
      since !== null &&
      since <= lastSeq &&
      (since === lastSeq || (first !== undefined && since >= first - 1));
    if (isKnown) return history.flatMap(({ seq, text }) => (seq > since ? text : [])).join('');
    const gap = since === null ? '' : message(JSON.stringify({ since, seq: lastSeq }), lastSeq, 'gap');
    return gap + now.map((entry) => message(formatEntry(entry), entry.seq, 'snapshot')).join('');
  };

  return {
    isOn: () => end !== null,
    push(entries, lines) {
      if (end === null) return;
      let text = '';
      for (const [index, { seq }] of entries.entries()) {
        const one = { seq, text: message(lines[index] ?? '', seq) };
        remember(one);
        text += one.text;
      }
      for (const listener of [...listeners]) tell(listener, text);
    },
    listen(since, begin) {
      if (listeners.size >= MOST_LISTENERS) return null;
      const listener = begin();
      forget?.();
      forget = null;
      end ??= record();
      listeners.add(listener);
      tell(listener, `: the journal of tanist\n\n${greeting(since)}`);
      return () => {
        listeners.delete(listener);
        linger();
      };
    },
  };
};
