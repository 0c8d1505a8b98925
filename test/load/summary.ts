/**
 * Many requests in a few numbers.
 */
import { FAILURES, isFailure, type Outcome, type Sample } from './plan.js';

/** From one moment to another, of the system's monotonic clock. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Summary {
  readonly requests: number;
  readonly failed: number;
  readonly lost: number;
  readonly byFailure: Readonly<Record<(typeof FAILURES)[number], number>>;
  /** Of those that were answered; NaN if none was. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The smallest value that is not below `share` of all (nearest rank). `sorted` ascends. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

export const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

export const median = (values: readonly number[]): number => percentile(ascending(values), 0.5);

export const summarise = (samples: readonly Sample[]): Summary => {
  const count = (outcome: Outcome) => samples.filter((sample) => sample.outcome === outcome).length;
  const latencies = ascending(
    samples.filter(({ outcome }) => outcome === 'ok').map(({ latencyMs }) => latencyMs),
  );
  return {
    requests: samples.length,
    failed: samples.filter(({ outcome }) => isFailure(outcome)).length,
    lost: count('lost'),
    byFailure: Object.fromEntries(
      FAILURES.map((outcome) => [outcome, count(outcome)]),
    ) as Summary['byFailure'],
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
  };
};

/** Requests that were due within one of the windows. */
export const within = (samples: readonly Sample[], windows: readonly Window[]): readonly Sample[] =>
  samples.filter(({ dueAtMs }) => windows.some(({ fromMs, toMs }) => dueAtMs >= fromMs && dueAtMs < toMs));

/** Requests that were due outside of all of them. */
export const outside = (samples: readonly Sample[], windows: readonly Window[]): readonly Sample[] =>
  samples.filter(({ dueAtMs }) => !windows.some(({ fromMs, toMs }) => dueAtMs >= fromMs && dueAtMs < toMs));
