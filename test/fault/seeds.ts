/**
 * The seeded runs of the tests: two files have half of them each, so that both processors are at it at once.
 */
import { describe, expect, it } from 'vitest';
import { campaign, explain } from './campaign.js';

/** TANIST_SEED starts elsewhere; a failing run names its own seed, which then fails first. */
export const FIRST = Number(process.env.TANIST_SEED ?? 1);
const RUNS = 2_000;
const HALVES = 2;
/** Each part is a file's worth of time limit. */
const PARTS = 4;

export const playHalf = (half: 0 | 1): void => {
  describe('a daemon that is reloaded while everything goes wrong', () => {
    for (let part = 0; part < PARTS; part += 1) {
      const count = RUNS / HALVES / PARTS;
      const first = FIRST + (half * PARTS + part) * count;
      it(`keeps its guarantees and is well again afterwards (seeds ${first} to ${first + count - 1})`, async () => {
        const { failed, fewest, steps, successors, faults } = await campaign(first, count);
        console.log(`seeds from ${first}: ${steps} steps, ${successors} successors, ${faults} faults`);
        if (failed !== null) expect.unreachable(await explain(failed));
        expect(fewest).toBeGreaterThanOrEqual(3);
        expect(faults).toBeGreaterThan(count);
      });
    }
  });
};
