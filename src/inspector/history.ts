/**
 * What the inspector remembers of a daemon: the last entries, bounded in number and size.
 */
import type { JournalEntry } from '../journal/entry.js';
import { keepersOf } from './view/keepers.js';

/** How much of what happened is remembered; what is older is forgotten, but for what a picture needs. */
export interface HistoryLimits {
  /** How many, default 12,000. */
  readonly entries: number;
  /** Characters of JSON, default 24 Mi. */
  readonly chars: number;
}

export const HISTORY_LIMITS: HistoryLimits = { entries: 12_000, chars: 24 * 1_048_576 };

interface Remembered {
  /** Counts all entries there ever were, from 1. */
  readonly index: number;
  readonly entry: JournalEntry;
  readonly text: string;
}

export class History {
  readonly #limits: HistoryLimits;
  #all: Remembered[] = [];
  #chars = 0;
  #last = 0;

  constructor(limits: HistoryLimits = HISTORY_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.length;
  }

  /** Index of the last entry; 0 for none. */
  get last(): number {
    return this.#last;
  }

  entries(): readonly JournalEntry[] {
    return this.#all.map(({ entry }) => entry);
  }

  push(entry: JournalEntry): void {
    const text = JSON.stringify(entry);
    this.#all.push({ index: ++this.#last, entry, text });
    this.#chars += text.length;
    if (this.#all.length > this.#limits.entries || this.#chars > this.#limits.chars) this.#forget();
  }

  /** A quarter goes at a time, except for what still tells how things are. */
  #forget(): void {
    const old = this.#all.splice(0, Math.ceil(this.#all.length / 4));
    const kept = new Set(keepersOf(old.map(({ entry }) => entry)));
    this.#all.unshift(...old.filter(({ entry }) => kept.has(entry)));
    this.#chars = this.#all.reduce((sum, { text }) => sum + text.length, 0);
  }

  /**
   * Entries behind an index, as a JSON list of at most so many characters (or a single longer entry).
   *
   * @returns null when there are none; `last` is the index of the last one in it.
   */
  batch(after: number, mostChars: number): { readonly json: string; readonly last: number } | null {
    const parts: string[] = [];
    let [chars, last] = [0, after];
    for (let at = this.#firstBehind(after); at < this.#all.length; at += 1) {
      const { index, text } = this.#all[at] as Remembered;
      if (parts.length > 0 && chars + text.length > mostChars) break;
      parts.push(text);
      chars += text.length;
      last = index;
    }
    return parts.length === 0 ? null : { json: `[${parts.join(',')}]`, last };
  }

  #firstBehind(after: number): number {
    let [low, high] = [0, this.#all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#all[middle] as Remembered).index > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
