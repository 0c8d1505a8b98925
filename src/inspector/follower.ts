/**
 * Follows a daemon through its generations, its stops and its starts.
 *
 * Its journal file is read where it has one, since that tells also what a successor does before it can be asked.
 * Otherwise its control socket is listened to: the path stays the same, and whoever is in charge answers there. A
 * generation that leaves is listened to until its end, beside the one that has come.
 */
import type { Status } from '../../machines/status.js';
import type { JournalEntry } from '../journal/entry.js';
import { parseEntry } from '../journal/parse.js';
import { askDaemon, listenToDaemon } from './daemon.js';
import type { StreamMessage } from './event-stream.js';
import { type JournalTail, tailJournal } from './journal-tail.js';

/** How the inspector and the daemon stand. */
export interface Link {
  /** `ended`: it has taken its control path away, as every orderly end does, or was stopping when it was last heard. */
  readonly state: 'connecting' | 'connected' | 'disconnected' | 'ended';
  /** Since when; milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface FollowerOptions {
  readonly controlPath: string;
  readonly onEntries: (entries: readonly JournalEntry[]) => void;
  readonly onStatus: (status: Status) => void;
  readonly onLink: (link: Link) => void;
}

/** Between two looks at what events do not tell. */
const LOOK_EVERY_MS = 1_000;
/** One question to a supervisor that may hang. */
const ANSWER_LIMIT_MS = 2_000;
/** Between two tries to reach one that does not answer: doubled each time. */
const RETRY_MS = { first: 100, most: 2_000 } as const;
/** States that lead to its end, by its own decision: whoever is gone then was stopped. */
const ENDS = /^stopp(ing|ed)/;
/** Events in a row mean one look. */
const POKE_MS = 30;

/** What became of a question: an answer, nobody at a path that is still there, or no path any more. */
type Found = Status | 'silent' | 'gone';

interface Stream {
  readonly close: () => void;
}

export class Follower {
  readonly #options: FollowerOptions;
  /** By the pid of who is listened to. */
  readonly #streams = new Map<number, Stream>();
  readonly #lastSeq = new Map<number, number>();
  #tail: JournalTail | null = null;
  #tailPath: string | null = null;
  #link: Link = { state: 'connecting', sinceMs: Date.now() };
  #timer: NodeJS.Timeout | null = null;
  #dueAtMs = 0;
  #isLooking = false;
  #retryMs: number = RETRY_MS.first;
  /** When it was last heard to stop; null where it has said something else since. */
  #endHeardAtMs: number | null = null;
  #isClosed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    options.onLink(this.#link);
    void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#tail?.close();
    for (const { close } of [...this.#streams.values()]) close();
  }

  /** Looks again after a while, or sooner if that is planned already. */
  #after(delayMs: number): void {
    const dueAtMs = performance.now() + delayMs;
    if (this.#isClosed || (this.#timer !== null && this.#dueAtMs <= dueAtMs)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#look();
    }, delayMs);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return this.#after(POKE_MS);
    this.#isLooking = true;
    const askedAtMs = performance.now();
    const found = await this.#ask();
    this.#isLooking = false;
    if (this.#isClosed) return;
    // Its path goes first, its last events come after that: they are heard to the end.
    if (found === 'gone' && this.#streams.size > 0) return this.#after(RETRY_MS.first);
    if (found === 'silent' || found === 'gone') {
      this.#setLink(this.#linkTo(found));
      this.#after(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
      return;
    }
    this.#retryMs = RETRY_MS.first;
    if (ENDS.test(found.state)) this.#endHeardAtMs = performance.now();
    // An answer to what was asked before that may be older than the word of the end.
    else if (this.#endHeardAtMs !== null && this.#endHeardAtMs < askedAtMs) this.#endHeardAtMs = null;
    this.#setLink('connected');
    this.#options.onStatus(found);
    this.#listen(found);
    this.#after(LOOK_EVERY_MS);
  }

  #linkTo(found: 'silent' | 'gone'): Link['state'] {
    if (found === 'silent') return this.#endHeardAtMs === null ? 'disconnected' : 'ended';
    // One that was never there has not ended.
    return this.#link.state === 'connecting' ? 'connecting' : 'ended';
  }

  async #ask(): Promise<Found> {
    try {
      const { status, body } = await askDaemon(this.#options.controlPath, 'GET', '/status', ANSWER_LIMIT_MS);
      return status === 200 ? (JSON.parse(body) as Status) : 'silent';
    } catch (error) {
      // A daemon that was killed leaves its path, and nobody behind it. Both are shown, and it is tried again.
      return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'gone' : 'silent';
    }
  }

  #setLink(state: Link['state']): void {
    if (this.#link.state === state) return;
    // Its last words first: whoever hears of the end may look no further.
    if (state === 'ended') this.#tail?.look();
    this.#link = { state, sinceMs: Date.now() };
    this.#options.onLink(this.#link);
  }

  #listen(status: Status): void {
    const path = status.journal;
    if (this.#tail !== null && path !== this.#tailPath) {
      this.#tail.close();
      this.#tail = null;
    }
    if (this.#tail === null && path !== null && path !== this.#tailPath) {
      this.#tailPath = path;
      this.#tail = tailJournal(path, this.#take, () => {
        this.#tail = null;
      });
    }
    if (this.#tail === null && !this.#streams.has(status.pid)) this.#open(status.pid);
  }

  #open(pid: number): void {
    const close = listenToDaemon(this.#options.controlPath, this.#lastSeq.get(pid) ?? null, {
      onMessages: (messages) => this.#take(messages.flatMap(entryOf)),
      onEnd: () => {
        this.#streams.delete(pid);
        this.#after(POKE_MS);
      },
    });
    this.#streams.set(pid, { close });
  }

  readonly #take = (entries: readonly JournalEntry[]): void => {
    if (entries.length === 0) return;
    for (const { pid, seq, actor, status, from, to } of entries) {
      if (seq > (this.#lastSeq.get(pid) ?? 0)) this.#lastSeq.set(pid, seq);
      if (actor !== 'supervisor') continue;
      // A generation that took charge since the last look is not known by its pid yet; the next look corrects it.
      if (status === 'done' || ENDS.test(to)) this.#endHeardAtMs = performance.now();
      if (from !== to && this.#link.state === 'connected') this.#after(POKE_MS);
    }
    for (const pid of this.#lastSeq.keys()) if (this.#lastSeq.size > 16) this.#lastSeq.delete(pid);
    this.#options.onEntries(entries);
  };
}

const entryOf = ({ name, data }: StreamMessage): readonly JournalEntry[] => {
  if (name !== 'message' && name !== 'snapshot') return [];
  const parsed = parseEntry(data);
  return 'entry' in parsed ? [parsed.entry] : [];
};
