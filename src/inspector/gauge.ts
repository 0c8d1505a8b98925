/**
 * Memory and processor time of a daemon's processes, measured from outside: the supervisor has no part in it.
 */
import type { Status } from '../../machines/status.js';
import { usageOf } from '../os/process-usage.js';

export interface Usage {
  readonly memoryBytes: number;
  /** Of one processor, since the look before; null the first time. */
  readonly cpuPercent: number | null;
}

export class Gauge {
  #before = new Map<number, { readonly cpuMs: number; readonly atMs: number }>();

  /** By pid: the supervisor and its workers, as far as the system tells. */
  read(status: Status): Readonly<Record<number, Usage>> {
    const workers = [
      ...status.workers,
      ...status.standby,
      ...status.workers.flatMap(({ relief }) => relief ?? []),
    ];
    const pids = [status.pid, ...workers.flatMap(({ pid }) => pid ?? [])];
    const found: Record<number, Usage> = {};
    const now = new Map<number, { readonly cpuMs: number; readonly atMs: number }>();
    for (const pid of pids) {
      const usage = usageOf(pid);
      if (usage === null) continue;
      const [atMs, before] = [performance.now(), this.#before.get(pid)];
      now.set(pid, { cpuMs: usage.cpuMs, atMs });
      const cpuPercent =
        before === undefined || atMs <= before.atMs || usage.cpuMs < before.cpuMs
          ? null
          : Math.round(((usage.cpuMs - before.cpuMs) / (atMs - before.atMs)) * 1_000) / 10;
      found[pid] = { memoryBytes: usage.memoryBytes, cpuPercent };
    }
    this.#before = now;
    return found;
  }
}
