/**
 * Facts in plain sentences: what an answer is made of.
 */
import type { SupervisorEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import type { JournalEntry } from './entry.js';
import type { Chapter } from './history.js';

/** One thing that happened, in words. */
export interface Sentence {
  /** ISO 8601. */
  readonly time: string;
  /** The event behind it, for `tanist replay --until`. */
  readonly seq: number;
  readonly text: string;
}

/** An answer: the reason first, then what led to it and what became of it, in order. */
export interface Answer {
  readonly subject: string;
  readonly reason: string;
  readonly sentences: readonly Sentence[];
}

/** A fact of that type in an entry; null for any other. */
export const factIn = <Type extends SupervisorEvent['type']>(
  entry: JournalEntry | undefined,
  type: Type,
): Extract<SupervisorEvent, { type: Type }> | null =>
  entry?.event.type === type ? (entry.event as unknown as Extract<SupervisorEvent, { type: Type }>) : null;

export const sentence = ({ time, seq }: JournalEntry, text: string): Sentence => ({ time, seq, text });

/** In their order, none twice. */
export const inOrder = (sentences: readonly Sentence[]): readonly Sentence[] =>
  [...new Map(sentences.map((one) => [`${one.seq} ${one.text}`, one])).values()].sort(
    (one, other) => Date.parse(one.time) - Date.parse(other.time) || one.seq - other.seq,
  );

export const durationText = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;

export const between = (one: JournalEntry, other: JournalEntry): string =>
  durationText(Math.max(0, Date.parse(other.time) - Date.parse(one.time)));

export const exitText = ({ code, signal }: { code: number | null; signal: string | null }): string =>
  signal === null ? `exited with status ${code}` : `was ended by ${signal}`;

/** What became of a generation that did not stay in charge. */
export const outcomeText = ({ outcome }: { readonly outcome: 'refused' | 'rolled-back' }): string =>
  outcome === 'rolled-back' ? 'rolled back' : 'refused';

const WAYS: Readonly<Record<string, string>> = {
  control: 'over the control socket',
  api: 'by the program around the supervisor',
  peer: 'of the other generation, which passed it on',
  anchor: 'by the end of its anchor, the first process',
};

/** By whom something was asked for. */
export const viaText = (via: string): string => WAYS[via] ?? `by ${via}`;

/** The limit behind a reason, by the option that sets it. */
export const limitText = (reason: string, settings: Settings): string | null => {
  switch (reason) {
    case 'start-timeout':
    case 'not-ready':
      return `the limit is --start-timeout, ${durationText(settings.startTimeoutMs)}`;
    case 'reload-timeout':
      return `the limit is --reload-timeout, ${durationText(settings.reloadTimeoutMs)}`;
    case 'takeover-timeout':
      return `the limit is --takeover-timeout, ${durationText(settings.takeoverTimeoutMs)}`;
    default:
      return null;
  }
};

/** The last entry of the supervisor before `before` that passes the test; its beginning is one. */
export const lastBefore = (
  { begin, facts }: Chapter,
  before: JournalEntry,
  test: (entry: JournalEntry) => boolean,
): JournalEntry | undefined => [begin, ...facts].findLast((entry) => entry.seq < before.seq && test(entry));

export const isType =
  (...types: readonly SupervisorEvent['type'][]) =>
  ({ event }: JournalEntry): boolean =>
    (types as readonly string[]).includes(event.type);
