/**
 * How a wrong setting is told: what was given, what was expected, and all mistakes at once.
 */
import { type Problem, TanistError } from '../errors.js';

/** A value that could be read, or what would have been accepted in its place. */
export type Reading<T> = { readonly value: T } | { readonly expected: string };

/**
 * Reads one setting.
 *
 * @param raw what was given.
 * @param written true for words of a command line, false for values of a program.
 */
export type Reader<T> = (raw: unknown, written: boolean) => Reading<T>;

export type Mistake = Problem;

/** A longer value is cut: a message is to be read. */
const SHOWN_LENGTH = 120;

/** A value as it appears in a message: quoted, with its control characters escaped, never too long. */
export const shown = (raw: unknown): string => {
  const text = asText(raw);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
};

const asText = (raw: unknown): string => {
  if (typeof raw !== 'string' && (typeof raw !== 'object' || raw === null)) return String(raw);
  try {
    return JSON.stringify(raw);
  } catch {
    // A module can make values that JSON has no words for: an object that contains itself.
    return Object.prototype.toString.call(raw);
  }
};

export const wrongValue = (option: string, raw: unknown, expected: string): Mistake => ({
  option,
  message: `${option} ${shown(raw)}: expected ${expected}`,
});

/** All mistakes as one error. */
export const usageError = (mistakes: readonly Mistake[]): TanistError => {
  const [first] = mistakes;
  const lines = mistakes.map((mistake) => mistake.message);
  const message =
    mistakes.length === 1 && first !== undefined
      ? first.message
      : [`${mistakes.length} mistakes`, ...lines].join('\n  ');
  const problems = mistakes.map(({ option, message }) => ({ option, message }));
  return new TanistError('TANIST_USAGE', message, { problems });
};
