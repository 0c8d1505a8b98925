/**
 * Makes a failing run small: fewer faults, fewer surprises, the same guarantee broken.
 */
import type { Recording } from './choices.js';
import { type Run, type RunOptions, runSeed } from './run.js';

/** A run is repeated at most so often: a shrunk one is for reading, the best one is not needed. */
const MOST_RUNS = 600;

/**
 * Leaves out choices, many at once and then one by one, as long as the same guarantee is broken.
 *
 * @param mostRuns how often it is repeated at most, from 0 on; 600 by default. Fewer end sooner, with a longer run.
 * @returns the smallest run that was found, traced; the run itself if nothing can be left out.
 */
export const shrink = async (
  failed: Run,
  options: RunOptions = {},
  mostRuns: number = MOST_RUNS,
): Promise<Run> => {
  const broken = failed.violation?.guarantee;
  let runs = 0;
  const breaks = async (recording: Recording): Promise<Run | null> => {
    runs += 1;
    const run = await runSeed(failed.seed, { ...options, kept: recording });
    return run.violation?.guarantee === broken ? run : null;
  };
  let best = failed.recording;
  let size = Math.ceil(best.size / 2);
  while (size >= 1 && runs < mostRuns) {
    let isSmaller = false;
    for (let start = 0; start < best.size && runs < mostRuns; ) {
      const entries = [...best];
      const fewer = new Map([...entries.slice(0, start), ...entries.slice(start + size)]);
      const run = await breaks(fewer);
      if (run === null) start += size;
      else {
        // Whatever a shorter run did not come to is not needed either.
        best = run.recording.size < fewer.size ? run.recording : fewer;
        isSmaller = true;
      }
    }
    if (!isSmaller || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return runSeed(failed.seed, { ...options, kept: best, isTraced: true });
};
