/**
 * Reads the journal's lines: what is wrong with one is said in words, with its place. Nothing is trusted.
 */
import { JOURNAL_VERSION, type JournalEntry, SNAPSHOT } from './entry.js';

export type ParsedLine =
  | { readonly entry: JournalEntry }
  /** It ends in the middle: whoever wrote it was killed, or the disk was full. */
  | { readonly cut: true }
  /** `column` counts from 1. */
  | { readonly problem: string; readonly column: number };

type Fields = Record<string, unknown>;
type Check = (value: unknown) => string | null;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const expecting =
  (what: string, test: (value: unknown) => boolean): Check =>
  (value) =>
    test(value) ? null : `expected ${what}`;

const natural = (least: number): Check =>
  expecting(
    `a whole number from ${least} on`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least,
  );
const text = expecting('a string', (value) => typeof value === 'string');
const time = expecting(
  'a time as ISO 8601 has it',
  (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);

const event: Check = (value) =>
  isObject(value) && typeof value.type === 'string' ? null : 'expected an object with a type';
const effects = expecting('a list of objects', (value) => Array.isArray(value) && value.every(isObject));
const isSources = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((source) => typeof source === 'string');
const snapshot = expecting(
  'an object with status, value, context and children',
  (value) =>
    isObject(value) &&
    typeof value.status === 'string' &&
    (typeof value.value === 'string' || isObject(value.value)) &&
    isObject(value.context) &&
    isSources(value.children),
);

const FIELDS: Readonly<Record<string, Check>> = {
  seq: natural(0),
  time,
  generation: natural(1),
  pid: natural(1),
  actor: text,
  event,
  from: orNull(text),
  to: text,
  effects,
  machine: orAbsent(text),
  status: orAbsent(
    expecting('done, error or stopped', (value) => ['done', 'error', 'stopped'].includes(String(value))),
  ),
  error: orAbsent(text),
  tanist: orAbsent(text),
  journal: orAbsent(natural(1)),
  snapshot: orAbsent(snapshot),
};

const problemOf = (value: Fields): string | null => {
  for (const [key, check] of Object.entries(FIELDS)) {
    const problem = check(value[key]);
    if (problem !== null) return `${key}: ${problem}`;
  }
  if (typeof value.journal === 'number' && value.journal > JOURNAL_VERSION)
    return `journal: version ${value.journal}, this tanist reads ${JOURNAL_VERSION}`;
  if ((value.event as Fields).type === SNAPSHOT && value.snapshot === undefined)
    return 'snapshot: expected one with this event';
  return null;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether a text is JSON, or could become it with more behind it: engines then complain about its end. */
const isBeginning = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = messageOf(error);
    if (/end of (JSON )?input/i.test(message)) return true;
    const position = /at position (\d+)/.exec(message)?.[1];
    return position !== undefined && Number(position) >= text.length;
  }
};

/** How many characters of a line make sense: not every engine tells where that ends, but each sees that it has. */
const sensibleLength = (line: string): number => {
  let [good, bad] = [0, line.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBeginning(line.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
};

/** Every entry begins with it, and none has it inside: there quotes are escaped. */
const HEAD = '{"seq":';

const isCut = (text: string): boolean =>
  (text.startsWith(HEAD) || HEAD.startsWith(text)) && text !== '' && isBeginning(text);

/** Reads one entry, without its newline. */
export const parseEntry = (line: string): ParsedLine => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (isCut(line)) return { cut: true };
    return { problem: `no JSON: ${messageOf(error)}`, column: sensibleLength(line) + 1 };
  }
  if (!isObject(value)) return { problem: 'expected an object', column: 1 };
  const problem = problemOf(value);
  return problem === null ? { entry: value as unknown as JournalEntry } : { problem, column: 1 };
};

/**
 * Reads one line, without its newline: one entry, or what a killed supervisor had written of one and behind it
 * that of another. The kernel ends a write(2) of a killed process between two pages, and who writes next does not
 * see it.
 */
export const parseLine = (line: string): readonly ParsedLine[] => {
  const whole = parseEntry(line);
  if ('entry' in whole) return [whole];
  const next = line.indexOf(HEAD, 1);
  const first = next === -1 ? whole : parseEntry(line.slice(0, next));
  return next === -1 || 'problem' in first ? [whole] : [first, ...parseLine(line.slice(next))];
};
