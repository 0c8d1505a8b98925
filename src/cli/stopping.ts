/**
 * A stop as its client sees it: asked for, and waited for until the lock is free.
 */
import { TanistError } from '../errors.js';
import { type LockProbe, openLockProbe } from '../os/lock-probe.js';
import { askStop } from './control-client.js';
import type { Target } from './target.js';
import { askRunning, glance, look, watchSilence } from './waiting.js';

/**
 * Drains and stops a supervisor, and returns when its last process is gone and the lock is free.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING`, `TANIST_CONTROL_FAILED`.
 */
export const stopTarget = async (target: Target, signal: AbortSignal): Promise<void> => {
  // Opened before anything is asked: a supervisor that is started afterwards makes a pid file of its own.
  const lock = openLockProbe(target.pidFile);
  try {
    const reply = await askRunning(target, signal, () => askStop(target.controlPath, signal));
    await untilFree(lock, target, reply.kind === 'answer' && reply.value.clean, signal);
  } finally {
    lock.close();
  }
};

/**
 * Waits until the lock is free.
 *
 * @param ended the supervisor itself ended the answer: then its successor, if it had one, has heard of the stop.
 *   If it was killed instead, a generation may be in charge that knows nothing of it, and is asked too.
 */
const untilFree = async (
  lock: LockProbe,
  target: Target,
  ended: boolean,
  signal: AbortSignal,
): Promise<void> => {
  const silence = watchSilence();
  while (!lock.isFree()) {
    if (!ended) {
      const reply = await glance(target, signal);
      if (reply.kind === 'answer') silence.heard();
      if (reply.kind === 'answer' && reply.value.state !== 'stopping') {
        await askStop(target.controlPath, signal);
      }
    }
    if (silence.isTooLong()) {
      const message = `the lock of ${JSON.stringify(target.pidFile)} stays held, and nobody answers`;
      throw new TanistError('TANIST_CONTROL_FAILED', message);
    }
    await look(signal);
  }
};
