/**
 * What a supervisor has counted since the first generation began: it travels in the hand-over record.
 */

/** How often something took how long: `counts[i]` were at most `BOUNDS_MS[i]`, the last of them longer than all. */
export interface Histogram {
  /** How many, by bucket: one more than `BOUNDS_MS` has. */
  readonly counts: readonly number[];
  /** All durations together, milliseconds. */
  readonly sumMs: number;
}

/** Upper bounds of the buckets of every histogram, milliseconds. Fixed: two generations add to the same ones. */
export const BOUNDS_MS: readonly number[] = [
  50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000,
];

/** Sums over all generations since the first start; a new start begins at zero. */
export interface Counters {
  /** Reloads, by outcome. */
  readonly reloads: {
    /** The new generation was in charge. */
    readonly promoted: number;
    /** The new generation never served. */
    readonly refused: number;
    /** The new generation served, and failed before it was in charge. */
    readonly 'rolled-back': number;
  };
  /** Processes that came into a slot after its first one. */
  readonly respawns: number;
  /** From the request to the verdict. */
  readonly reloadMs: Histogram;
  /** From the request to leave to the end of the worker. */
  readonly drainMs: Histogram;
}

/** A histogram in which nothing was counted. */
export const emptyHistogram = (): Histogram => ({ counts: BOUNDS_MS.map(() => 0).concat(0), sumMs: 0 });

/** Counters of a first generation. */
export const noCounters = (): Counters => ({
  reloads: { promoted: 0, refused: 0, 'rolled-back': 0 },
  respawns: 0,
  reloadMs: emptyHistogram(),
  drainMs: emptyHistogram(),
});

/** The same with one more. */
export const observed = ({ counts, sumMs }: Histogram, durationMs: number): Histogram => {
  const found = BOUNDS_MS.findIndex((bound) => durationMs <= bound);
  const place = found < 0 ? BOUNDS_MS.length : found;
  return {
    counts: counts.map((count, index) => (index === place ? count + 1 : count)),
    sumMs: sumMs + durationMs,
  };
};
