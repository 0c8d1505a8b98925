/**
 * Sizes as people write them, `512MiB`, `1.5GB`, and as the program keeps them: bytes.
 */
import type { Reader, Reading } from './mistake.js';

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const EXAMPLES = 'a size such as 512MiB, 300MB or 1.5GB';

/** No process of any use is smaller: somebody has forgotten the unit, or mistaken it. */
export const LEAST_MEMORY_BYTES = 1_000_000;

/** A busy daemon's day, and read within seconds. */
export const DEFAULT_JOURNAL_BYTES = 16 * 2 ** 20;
/** Smaller ones would hold less than one reload of many workers. */
export const LEAST_JOURNAL_BYTES = 1_000_000;

/**
 * A reader for sizes: text with a unit, or in a program and a file also a whole number of bytes.
 *
 * A bare number on a command line is refused: nobody knows whether its writer meant bytes or megabytes. So is a
 * letter alone, which means thousands to some and 1024s to others.
 */
export const sizeReader =
  (leastBytes: number): Reader<number> =>
  (raw, written) => {
    const size = typeof raw === 'string' ? fromText(raw, written) : fromNumber(raw);
    if ('expected' in size) return size;
    return size.value >= leastBytes && Number.isSafeInteger(size.value)
      ? size
      : { expected: `at least ${leastBytes / 1e6}MB, and no more than 9PB` };
  };

const fromText = (text: string, written: boolean): Reading<number> => {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s?([A-Za-z]*)$/.exec(text) ?? [];
  const size = UNITS[unit.toLowerCase()];
  if (amount !== '' && size !== undefined) return { value: Math.round(Number(amount) * size) };
  if (amount !== '' && unit === '')
    return {
      expected: `a unit after the number, such as ${amount}MB or ${amount}MiB${written ? '' : ', or a number of bytes'}`,
    };
  if (amount !== '' && /^[kmgt]$/i.test(unit)) {
    const letter = unit.toUpperCase();
    return { expected: `${amount}${letter}B (1000s) or ${amount}${letter}iB (1024s)` };
  }
  return { expected: written ? EXAMPLES : `${EXAMPLES}, or a number of bytes` };
};

const fromNumber = (raw: unknown): Reading<number> =>
  typeof raw === 'number' && Number.isInteger(raw)
    ? { value: raw }
    : { expected: `${EXAMPLES}, or a whole number of bytes` };
