/**
 * The journal's lines: one JSON object for each event a machine has processed, in the order it was received.
 */

/** Grows when a field changes its meaning or goes; a field that is added leaves it alone. */
export const JOURNAL_VERSION = 1;

/** A fact, a request or an order, as the machine received it: plain JSON. */
export interface RecordedEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What a machine asked for while it processed one event. */
export type Effect =
  /** An actor was started; what a machine among them was given is in its own first entry. */
  | { readonly spawn: string; readonly src: string; readonly input?: unknown }
  | { readonly stop: string }
  | { readonly send: string; readonly event: unknown }
  /** A plain action of the machine, such as a report to its parent. */
  | { readonly do: string; readonly params?: unknown };

/** The whole of one machine at one moment: whoever has it needs nothing that was recorded before. */
export interface RecordedSnapshot {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  /** What each of its children runs, by id. */
  readonly children: Readonly<Record<string, string>>;
}

export interface JournalEntry {
  /**
   * Grows by one from event to event of one supervisor; each supervisor has a million numbers of its own. A snapshot
   * has the number of the event before it.
   */
  readonly seq: number;
  /** When it was received; ISO 8601. */
  readonly time: string;
  readonly generation: number;
  /** Of the supervisor that writes. */
  readonly pid: number;
  /** Which of its machines: `supervisor`, `worker-3`, `reload`, `takeover`. */
  readonly actor: string;
  readonly event: RecordedEvent;
  /** The state before, as `alive.living.ready.serving`; null for the first entry of a machine. */
  readonly from: string | null;
  /** The state after. The same as before for an event that was ignored, or only noted. */
  readonly to: string;
  readonly effects: readonly Effect[];
  /** What the actor runs: in its first entry, and with a snapshot. */
  readonly machine?: string;
  /** Only where it is not `active` any more. */
  readonly status?: 'done' | 'error' | 'stopped';
  /** The machine has failed with this event. */
  readonly error?: string;
  /** The tanist that wrote it, and the version of these lines: in the first entry of a supervisor, and with a snapshot. */
  readonly tanist?: string;
  readonly journal?: number;
  readonly snapshot?: RecordedSnapshot;
}

/** The first event of every machine: it carries the machine's input. */
export const BEGUN = 'xstate.init';
/** The machine was ended by its parent. */
export const STOPPED = 'xstate.stop';
/** No event of a machine: its whole state follows, so that a replay can begin here. */
export const SNAPSHOT = 'journal.snapshot';

/** A state value in words: `running`, `alive.living.ready`; regions that go on beside each other as `a & b`. */
export const stateText = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return String(value);
  const regions = Object.entries(value).map(([name, inner]) => {
    const rest = stateText(inner);
    return rest === '' ? name : `${name}.${rest}`;
  });
  return regions.length > 1 ? `(${regions.join(' & ')})` : (regions[0] ?? '');
};

const plainError = (_: string, value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message } : value;

const hasError = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (value instanceof Error || Object.values(value).some((inner) => inner instanceof Error));

/** Whether there may be an error to be told in words. Events carry them themselves, and effects in what they hand on. */
const mayHaveError = ({ event, effects, snapshot }: JournalEntry): boolean =>
  snapshot !== undefined ||
  hasError(event) ||
  effects.some((effect) => hasError(effect) || Object.values(effect).some(hasError));

/** One line, with its newline. Throws for what JSON has no words for. */
export const formatEntry = (entry: JournalEntry): string =>
  // With a function to ask for every value it takes three times as long.
  `${mayHaveError(entry) ? JSON.stringify(entry, plainError) : JSON.stringify(entry)}\n`;

/** A value as the journal keeps it, to be compared with one that was read. */
export const asRecorded = (value: unknown): unknown => {
  const text = JSON.stringify(value, plainError);
  return text === undefined ? undefined : JSON.parse(text);
};

/** How many numbers each supervisor has for itself: more than it writes while another one begins beside it. */
export const SEQ_BLOCK = 1_000_000;

/** The first number of a supervisor that finds `last` to be the highest in the file. */
export const firstSeqAfter = (last: number): number =>
  last <= 0 ? 1 : (Math.floor(last / SEQ_BLOCK) + 1) * SEQ_BLOCK + 1;
