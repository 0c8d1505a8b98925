/**
 * One line of the table.
 */
import { median } from '../load/summary.js';

export interface Figure {
  readonly what: string;
  /** What must be reached; null for what is only reported. */
  readonly target: string | null;
  readonly measured: string;
  /** What plain Node takes for the same, measured in the same run. */
  readonly floor: string;
  readonly missed: boolean;
}

/** How often everything is done. */
export interface Effort {
  /** Times that are measured once each; their median counts. */
  readonly repetitions: number;
  readonly reloadsUnderLoad: number;
  readonly idleMs: number;
}

export const FULL: Effort = { repetitions: 7, reloadsUnderLoad: 50, idleMs: 10_000 };
export const QUICK: Effort = { repetitions: 3, reloadsUnderLoad: 8, idleMs: 5_000 };

export const times = async <T>(count: number, measure: (index: number) => Promise<T>): Promise<T[]> => {
  const values: T[] = [];
  for (let index = 0; index < count; index += 1) values.push(await measure(index));
  return values;
};

/** `137 ms (120 to 160)`: the median, and between what it lies. */
export const spread = (values: readonly number[]): string =>
  `${median(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;

/** The same for times of a few milliseconds. */
export const exact = (values: readonly number[]): string =>
  `${median(values).toFixed(1)} ms (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`;

/** A time that is measured beside a floor, of which the difference counts. */
export const difference = (
  what: string,
  limitMs: number,
  measured: readonly number[],
  floor: { readonly what: string; readonly values: readonly number[] },
): Figure => {
  const ms = median(measured) - median(floor.values);
  return {
    what,
    target: `≤ ${limitMs} ms`,
    measured: `${ms.toFixed(0)} ms of ${spread(measured)}`,
    floor: `${floor.what}: ${spread(floor.values)}`,
    missed: ms > limitMs,
  };
};

export const reported = (what: string, measured: string, floor = ''): Figure => ({
  what,
  target: null,
  measured,
  floor,
  missed: false,
});
