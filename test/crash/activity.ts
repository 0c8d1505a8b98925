/**
 * When workers were active, by their own marks on the kernel's monotonic clock (test/fixtures/active.pl).
 */
import { existsSync, readFileSync } from 'node:fs';

export interface Mark {
  /** The pid of the supervisor that started it: what a generation is, over several starts of a daemon. */
  readonly supervisor: number;
  readonly generation: number;
  readonly slot: number;
  readonly pid: number;
  readonly what: 'started' | 'active' | 'beside' | 'ended';
  readonly atNs: bigint;
  /** With `beside`: a worker of another supervisor that has been active and still lived. */
  readonly other?: number;
}

/** From a worker's first mark to its last: it was active for all of that time, at least. */
export interface Interval {
  readonly supervisor: number;
  readonly generation: number;
  readonly pid: number;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** It has said that it stopped serving; otherwise it was killed some time after its last mark. */
  readonly ended: boolean;
}

export const marksIn = (file: string): readonly Mark[] => {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'latin1');
  // A line that is being written has no end yet.
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => {
    const [supervisor, generation, slot, pid, what, atNs, other] = line.split(' ');
    return {
      supervisor: Number(supervisor),
      generation: Number(generation),
      slot: Number(slot),
      pid: Number(pid),
      what: what as Mark['what'],
      atNs: BigInt(atNs ?? ''),
      ...(other === undefined ? {} : { other: Number(other) }),
    };
  });
};

export const intervalsOf = (marks: readonly Mark[]): readonly Interval[] => {
  const intervals = new Map<string, Interval>();
  for (const { supervisor, generation, pid, what, atNs } of marks) {
    if (what === 'started') continue;
    const key = `${supervisor} ${pid}`;
    const before = intervals.get(key);
    const fromNs = before?.fromNs ?? atNs;
    intervals.set(key, { supervisor, generation, pid, fromNs, toNs: atNs, ended: what === 'ended' });
  }
  return [...intervals.values()];
};

/** Workers that, when they began to serve, saw one of another generation alive that had served, in words. */
export const neighbours = (marks: readonly Mark[]): readonly string[] =>
  marks
    .filter(({ what }) => what === 'beside')
    .map(
      ({ generation, supervisor, pid, other }) =>
        `pid ${pid}, generation ${generation} of ${supervisor}, began to serve while ${other} lived`,
    );

const NS_PER_MS = 1e6;

const text = ({ generation, supervisor, pid, fromNs, toNs }: Interval, originNs: bigint): string => {
  const ms = (atNs: bigint) => (Number(atNs - originNs) / NS_PER_MS).toFixed(1);
  return `generation ${generation} of ${supervisor}, pid ${pid}, ${ms(fromNs)} to ${ms(toNs)} ms`;
};

/** Pairs of workers of two generations that were active at the same time, in words; none is what must be. */
export const overlaps = (intervals: readonly Interval[]): readonly string[] => {
  const sorted = [...intervals].sort((one, other) => (one.fromNs < other.fromNs ? -1 : 1));
  const originNs = sorted[0]?.fromNs ?? 0n;
  return sorted.flatMap((later, index) =>
    sorted
      .slice(0, index)
      .filter((earlier) => earlier.supervisor !== later.supervisor && earlier.toNs >= later.fromNs)
      .map((earlier) => `${text(earlier, originNs)} and ${text(later, originNs)}`),
  );
};
