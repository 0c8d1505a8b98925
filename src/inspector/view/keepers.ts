/**
 * What of an old recording must not be forgotten, so that what lives on can still be shown.
 */
import type { JournalEntry } from '../../journal/entry.js';

/** Nothing of earlier processes is kept. */
const MOST_PROCESSES = 4;

/** Entries of one kind replace each other. */
const kindsOf = ({ event, snapshot }: JournalEntry): readonly string[] => [
  'last',
  ...(event.type === 'xstate.init' || snapshot !== undefined ? ['whole'] : []),
  ...(['worker.spawned', 'pid.written', 'successor.spawned'].includes(event.type) ? [event.type] : []),
];

/**
 * Of entries that are to be forgotten, those that have to stay: how each machine began, who it started, and the last
 * it did. Their number does not depend on how many entries there were.
 */
export const keepersOf = (entries: readonly JournalEntry[]): readonly JournalEntry[] => {
  const pids = [...new Set(entries.map(({ pid }) => pid).reverse())].slice(0, MOST_PROCESSES);
  const latest = new Map<string, JournalEntry>();
  for (const entry of entries)
    if (pids.includes(entry.pid))
      for (const kind of kindsOf(entry))
        latest.set(`${entry.pid} ${entry.generation} ${entry.actor} ${kind}`, entry);
  const kept = new Set(latest.values());
  return entries.filter((entry) => kept.has(entry));
};
