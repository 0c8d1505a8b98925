/**
 * Entries as rows of the event log, and which of them are shown.
 */
import type { JournalEntry } from '../../journal/entry.js';
import { eventText } from './arrows.js';

/** Nothing changed and nothing was done. */
export const isIgnored = ({ from, to, effects, snapshot }: JournalEntry): boolean =>
  from === to && effects.length === 0 && snapshot === undefined;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Everything that an event carries, except for what is long, or in another column. */
const payloadOf = ({ event }: JournalEntry): string =>
  Object.entries(event)
    .filter(([key]) => !['type', 'atMs', 'input', 'alarm', 'startTime', 'generation', 'place'].includes(key))
    .map(([key, value]) => `${key} ${shown(value)}`)
    .join(', ');

const effectText = (effect: JournalEntry['effects'][number]): string => {
  if ('spawn' in effect) return effect.src === 'alarm' ? `sets ${effect.spawn}` : `starts ${effect.spawn}`;
  if ('stop' in effect) return `ends ${effect.stop}`;
  if ('send' in effect) return `tells ${effect.send} ${(effect.event as { type?: string })?.type ?? ''}`;
  return effect.do;
};

export interface LogRow {
  readonly entry: JournalEntry;
  readonly event: string;
  readonly payload: string;
  readonly change: string;
  readonly effects: string;
  readonly isIgnored: boolean;
}

const PAYLOAD_CHARS = 300;

export const rowOf = (entry: JournalEntry): LogRow => ({
  entry,
  event: eventText(entry.event),
  payload: payloadOf(entry).slice(0, PAYLOAD_CHARS),
  change: entry.from === entry.to ? entry.to : `${entry.from ?? 'new'} → ${entry.to}`,
  effects: entry.effects.map(effectText).join(', ').slice(0, PAYLOAD_CHARS),
  isIgnored: isIgnored(entry),
});

export interface Filter {
  /** Words that all have to be in a row; case does not count. */
  readonly text: string;
  /** Empty for all. */
  readonly actor: string;
  readonly withIgnored: boolean;
}

/** Whether a row is shown. */
export const matches = (row: LogRow, { text, actor, withIgnored }: Filter): boolean => {
  if (actor !== '' && row.entry.actor !== actor) return false;
  if (!withIgnored && row.isIgnored) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const all =
    `${row.entry.seq} ${row.entry.actor} ${row.event} ${row.payload} ${row.change} ${row.effects}`.toLowerCase();
  return words.every((word) => all.includes(word));
};
