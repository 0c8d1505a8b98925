/**
 * Many seeds, one after the other, until one of them breaks something.
 */
import { type Run, type RunOptions, runSeed, shrink } from '../../src/testing/world.js';

export interface Campaign {
  readonly runs: number;
  readonly steps: number;
  readonly successors: number;
  readonly faults: number;
  /** The fewest successors of any run. */
  readonly fewest: number;
  /** The first run that broke something; null when none did. */
  readonly failed: Run | null;
}

export const campaign = async (first: number, count: number, options: RunOptions = {}): Promise<Campaign> => {
  let steps = 0;
  let successors = 0;
  let faults = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let seed = first; seed < first + count; seed += 1) {
    const run = await runSeed(seed, options);
    steps += run.steps;
    successors += run.successors;
    faults += run.faults;
    if (run.violation !== null)
      return { runs: seed - first + 1, steps, successors, faults, fewest, failed: run };
    fewest = Math.min(fewest, run.successors);
  }
  return { runs: count, steps, successors, faults, fewest, failed: null };
};

/** A run that broke something, made small and in words. */
export const explain = async (failed: Run, options: RunOptions = {}): Promise<string> => {
  const { violation, trace, recording } = await shrink(failed, options);
  return [
    `seed ${failed.seed} breaks ${violation?.guarantee}: ${violation?.problem}`,
    `${failed.steps} steps with ${failed.recording.size} choices, shrunk to ${recording.size}:`,
    ...trace,
  ].join('\n');
};
