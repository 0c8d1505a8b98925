/**
 * Durations as people write them, `250ms`, `1.5s`, `2m`, `1h`, and as the program keeps them: milliseconds.
 */
import { MAX_DURATION_MS } from '../../machines/policy.js';
import type { Reader, Reading } from './mistake.js';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof UNITS_MS;

const WRITTEN = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const EXAMPLES = 'a duration such as 250ms, 1.5s, 2m or 1h';

/**
 * A reader for durations up to 24 h.
 *
 * A bare number on a command line is refused: nobody knows whether its writer meant seconds or milliseconds.
 *
 * @param leastMs 1, or 0 where no wait at all makes sense.
 */
export const durationReader =
  (leastMs: 0 | 1): Reader<number> =>
  (raw, written) => {
    const ms = written ? fromText(raw) : fromNumber(raw);
    if ('expected' in ms) return ms;
    if (ms.value >= leastMs && ms.value <= MAX_DURATION_MS) return ms;
    return { expected: written ? `${EXAMPLES}, from ${leastMs}ms to 24h` : range(leastMs) };
  };

const fromText = (raw: unknown): Reading<number> => {
  const text = String(raw);
  const [, amount, unit] = WRITTEN.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    return /^\d+(\.\d+)?$/.test(text)
      ? { expected: `a unit after the number, such as ${text}s or ${text}ms` }
      : { expected: EXAMPLES };
  }
  const exactMs = Number(amount) * UNITS_MS[unit as Unit];
  // What is not nothing must not become nothing by rounding: it is out of range instead.
  return { value: exactMs > 0 && exactMs < 1 ? -1 : Math.round(exactMs) };
};

const fromNumber = (raw: unknown): Reading<number> =>
  typeof raw === 'number' && Number.isInteger(raw) ? { value: raw } : { expected: range(0) };

const range = (leastMs: number): string => `a whole number of milliseconds from ${leastMs} to 86400000`;

/** The shortest exact way to write a duration: `250ms`, `90s`, `2m`. */
export const formatDuration = (ms: number): string => {
  const units = ['h', 'm', 's'] as const;
  const unit = units.find((candidate) => ms >= UNITS_MS[candidate] && ms % UNITS_MS[candidate] === 0) ?? 'ms';
  // One minute is better known as 60s: limits are compared with each other in seconds.
  return unit === 'm' && ms < 2 * UNITS_MS.m ? `${ms / 1_000}s` : `${ms / UNITS_MS[unit]}${unit}`;
};
