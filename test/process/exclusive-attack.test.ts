/**
 * Attacks on exclusive mode (test/crash): twenty of the runs of which `npm run exclusive` plays as many as wanted.
 */
import { expect, it } from 'vitest';
import { someAtATime } from '../crash/at-a-time.js';
import { planOf } from '../crash/exclusive-plan.js';
import { playExclusive } from '../crash/exclusive-run.js';
import { summaryOf } from '../crash/exclusive-summary.js';

const RUNS = 20;
const LIMIT_MS = 200_000;

it(
  'no two generations of an exclusive daemon are active together, whoever is killed at whatever step, with workers that are deaf, stopped, or leave processes that hold everything open, a cold start included',
  async () => {
    const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
    const results = await someAtATime(seeds.map(planOf), playExclusive);
    console.log(summaryOf(results));
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    // Nothing is proven by runs in which there was one generation only.
    expect(results.filter(({ generations }) => generations > 1).length).toBeGreaterThan(RUNS / 2);
  },
  LIMIT_MS,
);
