import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commitTimeoutMs,
  countRespawn,
  exceedsLimit,
  respawnAfter,
  startsAfterGrant,
  turnAfterMs,
} from '../../machines/policy.js';
import { settingsWith } from '../model/settings.js';

const adaptive = { respawn: 'adaptive', respawnDelayMs: 5_000 } as const;
const fixed = { respawn: 'fixed', respawnDelayMs: 5_000 } as const;

describe('the wait before a respawn', () => {
  it('doubles with each young death, up to the respawn delay', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 400].map(
      (youngDeaths) => respawnAfter(adaptive, { readyForMs: null, youngDeaths }).delayMs,
    );
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it('is nothing for a worker that was ready for the respawn delay or longer, and its slot is young again', () => {
    expect(respawnAfter(adaptive, { readyForMs: 5_000, youngDeaths: 9 })).toEqual({
      delayMs: 0,
      youngDeaths: 0,
    });
    expect(respawnAfter(adaptive, { readyForMs: 4_999, youngDeaths: 1 })).toEqual({
      delayMs: 200,
      youngDeaths: 2,
    });
  });

  it('is always the respawn delay when fixed', () => {
    expect(respawnAfter(fixed, { readyForMs: 90_000, youngDeaths: 3 }).delayMs).toBe(5_000);
    expect(respawnAfter(fixed, { readyForMs: null, youngDeaths: 0 }).delayMs).toBe(5_000);
  });

  it('never exceeds the respawn delay and never shrinks while deaths are young', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.integer({ min: 1, max: 86_400_000 }), (youngDeaths, respawnDelayMs) => {
        const settings = { respawn: 'adaptive', respawnDelayMs } as const;
        const wait = (deaths: number) =>
          respawnAfter(settings, { readyForMs: null, youngDeaths: deaths }).delayMs;
        return wait(youngDeaths) <= respawnDelayMs && wait(youngDeaths) <= wait(youngDeaths + 1);
      }),
    );
  });
});

describe('the respawn limit', () => {
  const limit = { count: 2, withinMs: 1_000 };

  it('is exceeded by one more than its count within its time', () => {
    const three = [0, 500, 999].reduce<readonly number[]>(
      (times, atMs) => countRespawn(limit, times, atMs),
      [],
    );
    expect(exceedsLimit(limit, three)).toBe(true);
    expect(exceedsLimit(limit, countRespawn(limit, [0, 500], 1_000))).toBe(false);
  });

  it('forgets what is older than its time, and keeps no more than it needs', () => {
    expect(countRespawn(limit, [0, 100, 900], 1_950)).toEqual([1_950]);
    fc.assert(
      fc.property(fc.array(fc.nat(10_000)), (steps) => {
        let atMs = 0;
        let times: readonly number[] = [];
        for (const step of steps) {
          atMs += step;
          times = countRespawn(limit, times, atMs);
        }
        return times.length <= limit.count + 1 && times.every((then) => atMs - then < limit.withinMs);
      }),
    );
  });

  it('is never exceeded when there is none', () => {
    expect(exceedsLimit(null, countRespawn(null, [1, 2, 3], 4))).toBe(false);
  });
});

describe('the turns of the workers of a successor', () => {
  it('are a little apart, and all come within a bounded time', () => {
    expect([1, 2, 3].map((slot) => turnAfterMs(slot, 3))).toEqual([0, 45, 90]);
    expect([turnAfterMs(1, 1), turnAfterMs(1, 50), turnAfterMs(50, 50)]).toEqual([0, 0, 300]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), (slots) => {
        const turns = Array.from({ length: slots }, (_, index) => turnAfterMs(index + 1, slots));
        return turns.every((turn, index) => turn >= (turns[index - 1] ?? 0) && turn <= 300);
      }),
    );
  });
});

describe('the commit timeout', () => {
  it('is probation and takeover timeout, and a start where workers start only after the grant', () => {
    expect(commitTimeoutMs(settingsWith({ probationMs: 7_000 }))).toBe(12_000);
    const late = settingsWith({ handoff: 'exclusive', ready: { mode: 'alive', forMs: 1 } });
    expect([startsAfterGrant(late), commitTimeoutMs(late)]).toEqual([true, 65_000]);
    expect(startsAfterGrant({ ...late, handoff: 'overlap' })).toBe(false);
  });
});
