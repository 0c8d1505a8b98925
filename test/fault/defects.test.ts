/**
 * Exceptions that nobody catches, in whatever state: the emergency path keeps the guarantees.
 */
import { describe, expect, it } from 'vitest';
import { NO_FAULTS, type Odds } from '../../src/testing/world.js';
import { campaign, explain } from './campaign.js';

const RUNS = 40;

const KINDS: Readonly<Record<string, Odds>> = {
  alone: { ...NO_FAULTS, defect: 0.02 },
  'beside workers and successors that misbehave': { ...NO_FAULTS, defect: 0.02, worker: 0.4, successor: 0.4 },
  'beside crashes and hangs': {
    ...NO_FAULTS,
    defect: 0.02,
    crash: 0.01,
    hang: 0.02,
    stall: 0.02,
    burst: 0.01,
  },
};

describe('a supervisor with an exception that nobody catches', () => {
  it.each(Object.entries(KINDS))('leaves nobody behind, and its heir goes on (%s)', async (_, odds) => {
    const { failed, faults } = await campaign(1, RUNS, { odds });
    if (failed !== null) expect.unreachable(await explain(failed, { odds }));
    expect(faults).toBeGreaterThan(RUNS);
  });
});
