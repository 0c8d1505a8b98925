/**
 * `tanist stop`: drains and stops, and returns when the lock is free.
 */
import { TanistError } from '../../errors.js';
import { type LockProbe, openLockProbe } from '../../os/lock-probe.js';
import type { ClientArguments } from '../command-line.js';
import { askStop } from '../control-client.js';
import { reportError } from '../report.js';
import { findTarget, type Target } from '../target.js';
import { printable, type Terminal } from '../terminal.js';
import { askRunning, glance, look, watchSilence, withDeadline } from '../waiting.js';

export const stop = async (args: ClientArguments, terminal: Terminal): Promise<number> => {
  try {
    const { name } = await withDeadline(args.timeoutMs, 'end', async (signal) => {
      const target = await findTarget(args.target);
      await stopTarget(target, signal);
      return target;
    });
    const answer = args.json ? JSON.stringify({ outcome: 'stopped', name }) : `stopped ${printable(name)}`;
    terminal.out(`${answer}\n`);
    return 0;
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const stopTarget = async (target: Target, signal: AbortSignal): Promise<void> => {
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
