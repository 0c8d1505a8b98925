import { describe, expect, it } from 'vitest';
import { runSeed } from '../../src/testing/world.js';
import { campaign, explain } from './campaign.js';

/** TANIST_SEED starts elsewhere; a failing run names its own seed, which then fails first. */
const FIRST = Number(process.env.TANIST_SEED ?? 1);
const RUNS = 2_000;
/** Of each kind without a pid file. */
const ALONE = 100;
/** Each part is a file's worth of time limit. */
const PARTS = 8;

describe('a daemon that is reloaded while everything goes wrong', () => {
  for (let part = 0; part < PARTS; part += 1) {
    const count = RUNS / PARTS;
    const first = FIRST + part * count;
    it(`keeps its guarantees and is well again afterwards (seeds ${first} to ${first + count - 1})`, async () => {
      const { failed, fewest, steps, successors, faults } = await campaign(first, count);
      console.log(`seeds from ${first}: ${steps} steps, ${successors} successors, ${faults} faults`);
      if (failed !== null) expect.unreachable(await explain(failed));
      expect(fewest).toBeGreaterThanOrEqual(3);
      expect(faults).toBeGreaterThan(count);
    });
  }

  it.each([
    ['and a control socket elsewhere', { pidFile: null, control: '/srv/control.sock' }],
    ['and without control socket', { pidFile: null, control: null }],
  ])('keeps them without pid file and lock %s', async (_, settings) => {
    const options = { settings };
    const { failed, successors, fewest } = await campaign(FIRST, ALONE, options);
    if (failed !== null) expect.unreachable(await explain(failed, options));
    expect(fewest).toBeGreaterThanOrEqual(3);
    expect(successors).toBeGreaterThan(3 * ALONE);
  });

  it('does the same again with the same seed', async () => {
    for (const seed of [FIRST, FIRST + 1, FIRST + 2]) {
      const once = await runSeed(seed, { isTraced: true });
      const again = await runSeed(seed, { isTraced: true });
      expect(again).toEqual(once);
      expect(once.trace.length).toBeGreaterThan(50);
    }
  });

  it('does the same again from the list of its choices', async () => {
    const drawn = await runSeed(FIRST, { isTraced: true });
    const repeated = await runSeed(FIRST, { isTraced: true, kept: drawn.recording });
    expect(repeated.trace).toEqual(drawn.trace);
  });
});
