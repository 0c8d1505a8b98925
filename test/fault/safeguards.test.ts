import { describe, expect, it } from 'vitest';
import type { RunOptions, Safeguard } from '../../src/testing/world.js';
import { NO_FAULTS, runSeed, shrink } from '../../src/testing/world.js';
import { campaign } from './campaign.js';

interface Break {
  readonly off: Safeguard;
  /** What it is there for, as the check that notices puts it. */
  readonly breaks: RegExp;
  /** What has to go wrong before it is needed. */
  readonly options: RunOptions;
}

const overlap = { handoff: 'overlap' } as const;
const exclusive = { handoff: 'exclusive' } as const;
const crashes = { ...NO_FAULTS, crash: 0.03, worker: 0.5 };

const BREAKS: readonly Break[] = [
  { off: 'life-pipe', breaks: /^G3|^liveness/, options: { settings: exclusive, odds: crashes } },
  { off: 'fence', breaks: /^G3/, options: { settings: exclusive, odds: crashes } },
  { off: 'sweep', breaks: /^liveness|^G7/, options: { settings: exclusive, odds: crashes } },
  { off: 'identity', breaks: /^G8/, options: { odds: { ...crashes, stranger: 0.3 } } },
  {
    off: 'token',
    breaks: /^G1: one of two generations decides/,
    // An anchor that belongs to one of two notices, too, and sooner.
    options: { settings: { anchor: false }, odds: { ...NO_FAULTS, hang: 0.05, stall: 0.05, burst: 0.02 } },
  },
  {
    off: 'lock',
    breaks: /^G1: the lock is never free|^G1: a start beside/,
    options: { odds: { ...NO_FAULTS, secondStart: 0.02 } },
  },
  { off: 'pid', breaks: /^G1: the pid file/, options: { settings: overlap, odds: NO_FAULTS } },
  {
    off: 'account',
    breaks: /^S18/,
    options: {
      settings: { account: { user: 'nobody', uid: 65_534, gid: 65_534 } },
      odds: NO_FAULTS,
    },
  },
  { off: 'alarms', breaks: /^G6|^liveness/, options: { odds: crashes } },
];
/** Most are found within ten seeds, that of the token within a hundred. */
const MOST_SEEDS = 1_500;

/** Enough to see that a run becomes small; the smallest is for whoever has to read it. */
const SHRINKS = 60;

describe('each safeguard is needed', () => {
  for (const { off, breaks, options } of BREAKS) {
    it(`without ${off} a run is found that breaks a guarantee, and made small`, async () => {
      const broken = { ...options, off: [off] };
      const { failed } = await campaign(1, MOST_SEEDS, broken);
      expect(failed?.violation?.guarantee).toMatch(breaks);
      if (failed === null) return;
      const small = await shrink(failed, broken, SHRINKS);
      console.log([`without ${off}, seed ${failed.seed}:`, ...small.trace].join('\n'));
      expect(small.violation?.guarantee).toBe(failed.violation?.guarantee);
      expect(small.recording.size).toBeLessThanOrEqual(failed.recording.size);
      expect(small.trace.at(-1)).toContain('VIOLATION');
      // The same choices with the safeguard: nothing is broken.
      const guarded = await runSeed(small.seed, { ...options, kept: small.recording });
      expect(guarded.violation).toBeNull();
    });
  }
});
