/**
 * What a process has of the memory.
 */
import { readFileSync } from 'node:fs';

const KB_PER_MB = 1_024;

export interface Memory {
  readonly privateDirtyMb: number;
  readonly residentMb: number;
}

/** proc(5): smaps_rollup sums all mappings; a page is private dirty if only this process has written to it. */
export const memoryOf = (pid: number): Memory => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]) / KB_PER_MB;
  return { privateDirtyMb: field('Private_Dirty'), residentMb: field('Rss') };
};
