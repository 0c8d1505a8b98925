import type { FenceInput, FenceOrder, FlockInput, FlockOrder } from '../../machines/contracts.js';
import type { FenceFact, LockFact } from '../../machines/events.js';
import type { Dispose, Env, PidFile } from '../os/env.js';
import { effect, failureOf } from './effect.js';

/** How often a held workers' lock is tried again. A blocking flock would make every exit of the process hang. */
const FENCE_POLL_MS = 50;

/**
 * A client that looks whether the lock is free holds it for a moment: a held lock is tried again a few times
 * before it counts.
 */
const LOCK_TRIES = 5;
const LOCK_RETRY_MS = 20;

/** The pid-file lock, from the first attempt to the end of the machine. */
export const createFlock = (env: Env) =>
  effect<FlockInput, FlockOrder, LockFact>(env, ({ input, report, onOrder }) => {
    let file: PidFile | null = null;
    let stopTimer: Dispose = () => {
      // No timer runs yet.
    };
    const attempt = (triesLeft: number) => {
      try {
        const { path, inherited } = input;
        const result = env.lockPidFile(path, inherited);
        if (result.outcome === 'acquired') {
          file = result.file;
          report({ type: 'lock.acquired', descriptor: file.descriptor });
        } else if (triesLeft > 0) stopTimer = env.setTimer(() => attempt(triesLeft - 1), LOCK_RETRY_MS);
        else report({ type: 'lock.held', holderPid: result.holderPid, path });
      } catch (error) {
        report({ type: 'lock.failed', ...failureOf(error, 'TANIST_LOCK_FAILED') });
      }
    };
    attempt(LOCK_TRIES - 1);
    onOrder((order) => {
      try {
        if (order.type === 'pid.write') {
          file?.writePid(env.pid);
          report({ type: 'pid.written', pid: env.pid });
          return;
        }
        file?.remove(env.pid);
      } catch (error) {
        report({ type: 'pid.failed', ...failureOf(error, 'TANIST_LOCK_FAILED') });
      }
      if (order.type === 'lock.release') report({ type: 'lock.released' });
    });
    return () => {
      stopTimer();
      // Closing is not unlocking: the lock lives on while another generation holds the description.
      if (file !== null) env.close(file.descriptor);
    };
  });

/** The lock that workers of an exclusive daemon share: first ours alone, then shared with them. */
export const createFence = (env: Env) =>
  effect<FenceInput, FenceOrder, FenceFact>(env, ({ input, report, onOrder }) => {
    const opened = openFence(env, input);
    if (typeof opened !== 'number') {
      report({ type: 'fence.failed', ...opened });
      return undefined;
    }
    let stopTimer = () => {
      // No timer runs yet.
    };
    onOrder(() => env.unlink(input.path));
    const acquire = () => {
      env.tryLock(opened, 'shared');
      report({ type: 'fence.acquired', descriptor: opened });
    };
    const attempt = (first: boolean) => {
      try {
        if (env.tryLock(opened, 'exclusive')) return acquire();
      } catch (error) {
        // Thrown from here it would end the whole machine, and from the timer the process.
        return report({ type: 'fence.failed', ...failureOf(error, 'TANIST_LOCK_FAILED') });
      }
      if (first) report({ type: 'fence.waiting', holders: env.holdersOf(input.path) });
      stopTimer = env.setTimer(() => attempt(false), FENCE_POLL_MS);
    };
    if (input.inherited === null) attempt(true);
    else report({ type: 'fence.acquired', descriptor: opened });
    return () => {
      stopTimer();
      env.close(opened);
    };
  });

const openFence = (env: Env, input: FenceInput): number | { code: string; message: string } => {
  if (input.inherited !== null) return input.inherited;
  try {
    return env.openFence(input.path);
  } catch (error) {
    return failureOf(error, 'TANIST_LOCK_FAILED');
  }
};
