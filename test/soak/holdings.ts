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
  /**
   * Its memory counts from the middle on: a process that has only started has not had a full collection yet, and
   * takes up to twice as much before it has its first ones.
   */
  readonly fromMiddle?: true;
  /** By how much private memory may differ at the end: what the garbage collector leaves is never the same. */
  readonly slackMb: number;
}

/** The median of the first and of the last third: single looks swing. */
const ends = (holdings: readonly Holdings[], of: (one: Holdings) => number): readonly [number, number] => {
  const third = Math.max(1, Math.floor(holdings.length / 3));
  return [median(holdings.slice(0, third).map(of)), median(holdings.slice(-third).map(of))];
};

/** What has grown, in words. */
export const growthIn = ({ what, holdings, slackMb, fromMiddle }: Series): readonly string[] => {
  if (holdings.length < 2) return [`${what}: looked at ${holdings.length} times, which tells nothing`];
  const grown = (
    name: string,
    of: (one: Holdings) => number,
    slack = 0,
    looks = holdings,
  ): readonly string[] => {
    const [first, last] = ends(looks, of);
    return last - first > slack ? [`${name} ${first.toFixed(1)} → ${last.toFixed(1)}`] : [];
  };
  const settled = fromMiddle ? holdings.slice(Math.floor(holdings.length / 2)) : holdings;
  return [
    ...grown('private memory in MB', ({ privateDirtyMb }) => privateDirtyMb, slackMb, settled),
    ...grown('descriptors', ({ descriptors }) => descriptors),
    ...grown('threads', ({ threads }) => threads),
    ...(holdings.some(({ zombies }) => zombies > 0) ? ['zombies'] : []),
  ].map((words) => `${what}: ${words}`);
};

export const holdingsTable = (all: readonly Series[]): string => {
  const table = new Table({
    head: ['', 'looks', 'private dirty MB', 'RSS MB', 'descriptors', 'threads', 'zombies'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { what, holdings } of all) {
    const middle = holdings.slice(Math.floor(holdings.length / 2));
    const cell = (of: (one: Holdings) => number, digits = 0) =>
      [ends(holdings, of)[0], ends(middle, of)[0], ends(holdings, of)[1]]
        .map((value) => value.toFixed(digits))
        .join(' → ');
    table.push([
      what,
      holdings.length,
      cell(({ privateDirtyMb }) => privateDirtyMb, 1),
      cell(({ residentMb }) => residentMb, 1),
      cell(({ descriptors }) => descriptors),
      cell(({ threads }) => threads),
      cell(({ zombies }) => zombies),
    ]);
  }
  return table.toString();
};
