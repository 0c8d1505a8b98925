/**
 * A stop as its client sees it: asked for, and waited for until the lock is free, or the answer ends.
 */

import { askStop } from '../client/control-client.js';
import { isOver, type Target } from '../client/target.js';
import { askRunning, glance, look, remainsOf, watchSilence } from '../client/waiting.js';
import { TanistError } from '../errors.js';
import { openLockProbe } from '../os/lock-probe.js';

/**
 * Drains and stops a supervisor, and returns when its last process is gone and the lock is free.
 *
 * Without a lock the end of the answer says so.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING`, `TANIST_CONTROL_FAILED`.
 */
export const stopTarget = async (target: Target, signal: AbortSignal): Promise<void> => {
  // Opened before anything is asked: a supervisor that is started afterwards makes a pid file of its own.
  const lock = target.pidFile === null ? null : openLockProbe(target.pidFile);
  try {
    const reply = await askRunning(target, signal, () => askStop(target.controlPath, signal));
    const ended = reply.kind === 'answer' && reply.value.clean;
    if (lock !== null) await untilFree(lock.isFree, target, ended, signal);
    else if (!ended) await untilFree(() => isOver(target), target, false, signal);
  } finally {
    lock?.close();
  }
};

/**
 * Waits until the lock is free.
 *
 * @param ended the supervisor itself ended the answer: then its successor, if it had one, has heard of the stop.
 *   If it was killed instead, a generation may be in charge that knows nothing of it, and is asked too.
 */
const untilFree = async (
  isFree: () => boolean,
  target: Target,
  ended: boolean,
  signal: AbortSignal,
): Promise<void> => {
  const silence = watchSilence(target);
  while (!isFree()) {
    if (!ended) {
      const reply = await glance(target, signal);
      if (reply.kind === 'answer') silence.heard();
      if (reply.kind === 'answer' && reply.value.state !== 'stopping') {
        await askStop(target.controlPath, signal);
      }
    }
    if (silence.isTooLong()) {
      throw new TanistError('TANIST_CONTROL_FAILED', `${remainsOf(target)}, and nobody answers`);
    }
    await look(signal);
  }
};
