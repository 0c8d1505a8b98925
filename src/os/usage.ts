/**
 * Memory and processor time of a process, as the kernel accounts for them.
 */
import { readFileSync } from 'node:fs';
import type { Usage } from '../metrics/families.js';

/** Of all systems that Node runs on: the kernel tells times in hundredths of a second (USER_HZ). */
const TICK_MS = 10;
const KIBIBYTE = 1_024;
/** proc(5): user and system time, counted behind the name in parentheses. */
const [USER, SYSTEM] = [11, 12];

/** Null for a process that is gone, and where there is no /proc. */
export const usageOf = (pid: number): Usage | null => {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    if (kibibytes === undefined) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER]) + Number(fields[SYSTEM]);
    return { memoryBytes: Number(kibibytes) * KIBIBYTE, cpuMs: ticks * TICK_MS };
  } catch {
    // Gone between the status and this reading, or a system without /proc: there is nothing to tell.
    return null;
  }
};
