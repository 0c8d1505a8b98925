/**
 * What a journal says, arranged for questions: each supervisor with the facts that reached it.
 */
import type { Settings } from '../../machines/policy.js';
import type { SupervisorContext, SupervisorInput } from '../../machines/supervisor.js';
import { BEGUN, type JournalEntry, SNAPSHOT } from './entry.js';

/** One supervisor process, from its beginning or from a snapshot on. */
export interface Chapter {
  readonly generation: number;
  readonly pid: number;
  readonly settings: Settings;
  /** What it began with; null where the journal begins later. */
  readonly input: SupervisorInput | null;
  /** Its first entry. */
  readonly begin: JournalEntry;
  /** Its last entry of any machine. */
  last: JournalEntry;
  /** What reached the supervisor, in order, but for what is only measured. */
  readonly facts: JournalEntry[];
}

/** Stated again and again, and mostly no reason for anything. */
const NOISE: ReadonlySet<string> = new Set(['memory.measured', 'worker.described']);

const beginning = (entry: JournalEntry): Pick<Chapter, 'settings' | 'input'> | null => {
  if (entry.actor !== 'supervisor') return null;
  if (entry.event.type === BEGUN) {
    const input = entry.event.input as SupervisorInput | null;
    return input?.settings === undefined ? null : { settings: input.settings, input };
  }
  if (entry.event.type !== SNAPSHOT) return null;
  const context = entry.snapshot?.context as SupervisorContext | undefined;
  return context?.settings === undefined ? null : { settings: context.settings, input: null };
};

export class History {
  /** In the order in which they began. */
  readonly chapters: Chapter[] = [];
  readonly #current = new Map<string, Chapter>();

  add(entry: JournalEntry): void {
    const key = `${entry.pid} ${entry.generation}`;
    const known = this.#current.get(key);
    const begun = beginning(entry);
    // A snapshot says nothing new of one whose beginning is known.
    if (begun !== null && (known === undefined || begun.input !== null)) {
      const { generation, pid } = entry;
      const chapter: Chapter = { generation, pid, ...begun, begin: entry, last: entry, facts: [] };
      this.chapters.push(chapter);
      this.#current.set(key, chapter);
      return;
    }
    if (known === undefined) return;
    known.last = entry;
    const isNoise = NOISE.has(entry.event.type) && entry.effects.length === 0;
    if (entry.actor === 'supervisor' && entry.event.type !== SNAPSHOT && !isNoise) known.facts.push(entry);
  }

  /** Only what is about a daemon of that name. */
  named(name: string): readonly Chapter[] {
    return this.chapters.filter(({ settings }) => settings.name === name);
  }
}
