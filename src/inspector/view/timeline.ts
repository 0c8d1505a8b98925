/**
 * All entries there are, sorted, and the picture of any moment among them.
 */
import type { JournalEntry } from '../../journal/entry.js';
import { emptyPicture, fold, view } from './fold.js';
import { keepersOf } from './keepers.js';
import type { Picture } from './picture.js';

/** What the page remembers: older entries are forgotten, a quarter at a time. */
export const MOST_ENTRIES = 12_000;

const identityOf = ({ pid, seq, actor, snapshot }: JournalEntry): string =>
  snapshot === undefined ? `${pid} ${seq}` : `${pid} ${seq} ${actor}`;

/** By time; entries of one supervisor never change places. */
const isBefore = (one: JournalEntry, other: JournalEntry): boolean =>
  one.pid === other.pid && one.generation === other.generation
    ? one.seq < other.seq
    : Date.parse(one.time) < Date.parse(other.time);

export class Timeline {
  #entries: JournalEntry[] = [];
  #live: Picture = emptyPicture();
  readonly #known = new Set<string>();
  /** How many were forgotten. */
  forgotten = 0;

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** The picture behind the last entry. It changes with the next one. */
  get live(): Picture {
    return this.#live;
  }

  /** Adds entries wherever they belong; those that are known already are left out. */
  add(entries: readonly JournalEntry[]): void {
    let isSorted = true;
    for (const entry of entries) {
      const identity = identityOf(entry);
      if (this.#known.has(identity)) continue;
      this.#known.add(identity);
      isSorted = this.#insert(entry) && isSorted;
      if (isSorted) fold(this.#live, entry);
    }
    const isTooLong = this.#entries.length > MOST_ENTRIES;
    if (isTooLong) this.#forget();
    if (!isSorted || isTooLong) this.#live = view(this.#entries);
  }

  clear(): void {
    this.#entries = [];
    this.#live = emptyPicture();
    this.#known.clear();
    this.forgotten = 0;
  }

  /** The picture behind the first `count` entries. */
  at(count: number): Picture {
    return count >= this.#entries.length ? this.#live : view(this.#entries, count);
  }

  /** @returns whether it came to the end. */
  #insert(entry: JournalEntry): boolean {
    const all = this.#entries;
    let at = all.length;
    while (at > 0 && isBefore(entry, all[at - 1] as JournalEntry)) at -= 1;
    all.splice(at, 0, entry);
    return at === all.length - 1;
  }

  #forget(): void {
    const old = this.#entries.splice(0, Math.floor(MOST_ENTRIES / 4));
    const kept = new Set(keepersOf(old));
    for (const entry of old) if (!kept.has(entry)) this.#known.delete(identityOf(entry));
    this.#entries.unshift(...kept);
    this.forgotten += old.length - kept.size;
  }
}
