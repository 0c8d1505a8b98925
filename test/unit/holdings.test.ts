import { describe, expect, it } from 'vitest';
import { growthIn, type Holdings, type Series } from '../soak/holdings.js';

const quiet: Holdings = { privateDirtyMb: 10, residentMb: 50, descriptors: 27, threads: 7, zombies: 0 };
const series = (...changes: readonly Partial<Holdings>[]): Series => ({
  what: 'a process',
  holdings: changes.map((change) => ({ ...quiet, ...change })),
  slackMb: 2,
});

describe('growth between the first and the last looks at a process', () => {
  it('is none when all stays, swings within the slack, or once stood out', () => {
    const swinging = series(
      {},
      { privateDirtyMb: 11.9 },
      { privateDirtyMb: 8 },
      {},
      {},
      { privateDirtyMb: 12 },
    );
    expect(growthIn(swinging)).toEqual([]);
    const once = series({}, {}, {}, {}, { privateDirtyMb: 40, descriptors: 99 }, {}, {});
    expect(growthIn(once)).toEqual([]);
  });

  it.each([
    ['private memory', { privateDirtyMb: 12.5 }, /private memory in MB 10.0 → 12.5/],
    ['descriptors', { descriptors: 28 }, /descriptors 27.0 → 28.0/],
    ['threads', { threads: 8 }, /threads/],
    ['zombies', { zombies: 1 }, /zombies/],
  ] as const)('is told of %s', (_, grown, words) => {
    const [told = '', ...others] = growthIn(series({}, {}, {}, grown, grown, grown));
    expect(told).toMatch(words);
    expect(others).toEqual([]);
  });

  it('counts memory from the middle on where a process has only started', () => {
    const few = (privateDirtyMb: number) => [{ privateDirtyMb }, { privateDirtyMb }, { privateDirtyMb }];
    const started = series(...few(10), ...few(20), ...few(20), ...few(20));
    expect(growthIn(started)).toHaveLength(1);
    expect(growthIn({ ...started, fromMiddle: true })).toEqual([]);
    const leaking = series(...few(10), ...few(20), ...few(30), ...few(40));
    expect(growthIn({ ...leaking, fromMiddle: true })).toHaveLength(1);
  });

  it('cannot be known from a single look', () => {
    expect(growthIn(series({}))).toHaveLength(1);
  });
});
