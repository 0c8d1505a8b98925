/**
 * What processes use, for whoever looks on: read from /proc, without a part in anything.
 */
import { readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
  /** Processor time since its start, in milliseconds. */
  readonly cpuMs: number;
}

const KIBIBYTE = 1_024;
// proc(5): fields after the command's closing parenthesis, counted from 0; utime is field 14, stime field 15.
const [USER_FIELD, SYSTEM_FIELD] = [11, 12];
/** USER_HZ is 100 on every architecture that Node runs on. */
const TICK_MS = 10;

/** Null for a process that is gone, and where the system does not tell. */
export const usageOf = (pid: number): ProcessUsage | null => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD]);
    return kibibytes === undefined
      ? null
      : { memoryBytes: Number(kibibytes) * KIBIBYTE, cpuMs: ticks * TICK_MS };
  } catch {
    // ENOENT or ESRCH: it is gone, or there is no /proc.
    return null;
  }
};
