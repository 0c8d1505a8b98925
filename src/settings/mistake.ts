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

export interface Mistake extends Problem {
  /** True when the option is known, but this version does not have it yet. */
  readonly unavailable?: true;
}

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

export const notAvailable = (option: string): Mistake => ({
  option,
  message: `${option} is not available yet`,
  unavailable: true,
});

/**
 * All mistakes as one error.
 *
 * The code says that something is not available yet only if nothing else is wrong.
 */
export const usageError = (mistakes: readonly Mistake[]): TanistError => {
  const [first] = mistakes;
  const lines = mistakes.map((mistake) => mistake.message);
  const message =
    mistakes.length === 1 && first !== undefined
      ? first.message
      : [`${mistakes.length} mistakes`, ...lines].join('\n  ');
  const problems = mistakes.map(({ option, message }) => ({ option, message }));
  const code = mistakes.every((mistake) => mistake.unavailable) ? 'TANIST_NOT_AVAILABLE' : 'TANIST_USAGE';
  return new TanistError(code, message, { problems });
};
