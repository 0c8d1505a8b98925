/**
 * What a supervisor has of the system's resources, and whether that grows.
 */
import { readdirSync } from 'node:fs';
import Table from 'cli-table3';
import { type Memory, memoryOf } from '../bench/memory.js';
import { median } from '../load/summary.js';
import { childrenOf, descriptorsOf } from '../process/generations.js';
import { isRunning, until } from '../process/harness.js';

export interface Holdings extends Memory {
  readonly descriptors: number;
  readonly threads: number;
  /** Children that have ended and were not reaped. */
  readonly zombies: number;
}

const LOOKS = 3;

/** What a process holds when nobody asks it anything: the number of descriptors stays for a moment. */
export const holdingsOf = async (pid: number): Promise<Holdings> => {
  const counts: number[] = [];
  await until(`a number of descriptors of ${pid} that stays`, () => {
    counts.push(descriptorsOf(pid).size);
    const last = counts.slice(-LOOKS);
    return last.length === LOOKS && new Set(last).size === 1;
  });
  return {
    ...memoryOf(pid),
    descriptors: counts.at(-1) ?? 0,
    threads: readdirSync(`/proc/${pid}/task`).length,
    zombies: childrenOf(pid).filter((child) => !isRunning(child)).length,
  };
};

/** One process over time, or several of the same age. */
export interface Series {
  readonly what: string;
  readonly holdings: readonly Holdings[];
  /** By how much private memory may differ at the end: what the garbage collector leaves is never the same. */
  readonly slackMb: number;
}

/** The middle of the first and the last few counts, since single values swing. */
const MOST_OF_AN_END = 3;

const ends = ({ holdings }: Series, of: (one: Holdings) => number): readonly [number, number] => {
  const few = Math.max(1, Math.min(MOST_OF_AN_END, Math.floor(holdings.length / 2)));
  return [median(holdings.slice(0, few).map(of)), median(holdings.slice(-few).map(of))];
};

/** What has grown, in words. */
export const growthIn = (series: Series): readonly string[] => {
  const { what, holdings, slackMb } = series;
  if (holdings.length < 2) return [`${what}: looked at ${holdings.length} times, which tells nothing`];
  const grown = (name: string, of: (one: Holdings) => number, slack: number): readonly string[] => {
    const [first, last] = ends(series, of);
    return last - first > slack ? [`${name} ${first.toFixed(1)} → ${last.toFixed(1)}`] : [];
  };
  return [
    ...grown('private memory in MB', ({ privateDirtyMb }) => privateDirtyMb, slackMb),
    ...grown('descriptors', ({ descriptors }) => descriptors, 0),
    ...grown('threads', ({ threads }) => threads, 0),
    ...(holdings.some(({ zombies }) => zombies > 0) ? ['zombies'] : []),
  ].map((words) => `${what}: ${words}`);
};

export const holdingsTable = (all: readonly Series[]): string => {
  const table = new Table({
    head: ['', 'looks', 'private dirty MB', 'RSS MB', 'descriptors', 'threads', 'zombies'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const series of all) {
    const cell = (of: (one: Holdings) => number, digits = 0) =>
      ends(series, of)
        .map((value) => value.toFixed(digits))
        .join(' → ');
    table.push([
      series.what,
      series.holdings.length,
      cell(({ privateDirtyMb }) => privateDirtyMb, 1),
      cell(({ residentMb }) => residentMb, 1),
      cell(({ descriptors }) => descriptors),
      cell(({ threads }) => threads),
      cell(({ zombies }) => zombies),
    ]);
  }
  return table.toString();
};
