import type { EventObject } from 'xstate';
import type { MemoryInput } from '../../machines/contracts.js';
import type { MemoryFact } from '../../machines/events.js';
import type { Dispose, Env, MemoryGauge } from '../os/env.js';
import { effect, failureOf } from './effect.js';

/**
 * How much memory one process uses, read at once and then every interval.
 *
 * Nothing is stated while it stays the same, nor once the process is gone: others tell that. Why it cannot be read
 * is stated once, and it is tried again every interval.
 */
export const createMemory = (env: Env) =>
  effect<MemoryInput, EventObject, MemoryFact>(env, ({ input, report }) => {
    const { pid, intervalMs } = input;
    let gauge: MemoryGauge | null = null;
    let stated: number | null = null;
    let isObstacleStated = false;
    let dispose: Dispose = () => {
      // No reading is awaited yet.
    };
    const read = () => {
      try {
        gauge ??= env.openMemory(pid);
        const memoryBytes = gauge.read();
        if (memoryBytes !== null && memoryBytes !== stated) {
          stated = memoryBytes;
          report({ type: 'memory.measured', pid, memoryBytes });
        }
      } catch (error) {
        if (!isObstacleStated)
          report({ type: 'memory.unreadable', pid, detail: failureOf(error, 'TANIST_INTERNAL').message });
        isObstacleStated = true;
      }
      dispose = env.setTimer(read, intervalMs);
    };
    read();
    return () => {
      dispose();
      gauge?.close();
    };
  });
