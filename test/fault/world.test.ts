import { describe, expect, it } from 'vitest';
import { runSeed } from '../../src/testing/world.js';
import { campaign, explain } from './campaign.js';
import { FIRST, playHalf } from './seeds.js';

/** Of each kind without a pid file. */
const ALONE = 100;

playHalf(0);

describe('a daemon in the simulated world', () => {
  it.each([
    ['and a control socket elsewhere', { pidFile: null, control: '/srv/control.sock' }],
    ['and without control socket', { pidFile: null, control: null }],
  ])('keeps its guarantees without pid file and lock %s', async (_, settings) => {
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
