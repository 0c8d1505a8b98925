import { describe, expect, it } from 'vitest';
import { intervalsOf, type Mark, overlaps } from '../crash/activity.js';

const mark = (supervisor: number, pid: number, what: Mark['what'], atNs: bigint): Mark => ({
  supervisor,
  generation: 1,
  slot: 1,
  pid,
  what,
  atNs,
});

describe('intervals of activity', () => {
  it('begin with the first mark of a worker that serves, and last until its last one', () => {
    const marks = [
      mark(1, 10, 'started', 1n),
      mark(1, 10, 'active', 5n),
      mark(1, 10, 'active', 7n),
      mark(1, 10, 'ended', 9n),
      mark(1, 11, 'active', 6n),
      mark(1, 12, 'started', 6n),
    ];
    expect(intervalsOf(marks)).toMatchObject([
      { pid: 10, fromNs: 5n, toNs: 9n, ended: true },
      { pid: 11, fromNs: 6n, toNs: 6n, ended: false },
    ]);
  });

  it('of two generations are told when they have a moment in common', () => {
    const first = [mark(1, 10, 'active', 5n), mark(1, 10, 'ended', 9n)];
    const apart = [mark(2, 20, 'active', 10n), mark(2, 20, 'active', 12n)];
    const together = [mark(3, 30, 'active', 9n)];
    expect(overlaps(intervalsOf([...first, ...apart]))).toEqual([]);
    expect(overlaps(intervalsOf([...apart, ...first, ...together]))).toHaveLength(1);
    // Workers of one generation serve together, and a pid may be used again.
    expect(overlaps(intervalsOf([...first, mark(1, 11, 'active', 6n)]))).toEqual([]);
    expect(overlaps(intervalsOf([...first, mark(2, 10, 'active', 8n)]))).toHaveLength(1);
  });
});
