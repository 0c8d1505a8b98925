/**
 * Whether a daemon that does not answer has ended for good, or is between two generations, or hangs.
 */
import { existsSync } from 'node:fs';
import type { Target } from '../client/target.js';
import { isLockFree } from '../os/lock-probe.js';

const LOOK_EVERY_MS = 200;
/** Without a lock nobody knows who is left: one that has not answered for so long has ended. */
const SILENCE_LIMIT_MS = 30_000;

/** The kernel's word where there is a lock: it is held as long as any generation lives. */
const hasEnded = ({ pidFile, controlPath }: Target, silentMs: number): boolean => {
  if (!existsSync(controlPath) && pidFile === null) return true;
  try {
    return pidFile === null ? silentMs > SILENCE_LIMIT_MS : isLockFree(pidFile);
  } catch {
    // The lock cannot be looked at (any more): the same as without one.
    return silentMs > SILENCE_LIMIT_MS;
  }
};

export interface EndOfDaemon {
  /** Resolves when nothing of it is left. */
  readonly over: Promise<void>;
  /** Whether it answers, whenever that changes. */
  readonly answers: (isAnswering: boolean) => void;
  readonly close: () => void;
}

/** Begins with one that does not answer. */
export const awaitEnd = (target: Target): EndOfDaemon => {
  let timer: NodeJS.Timeout | null = null;
  let silentSinceMs = performance.now();
  let settle: () => void;
  const over = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const close = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const look = (): void => {
    if (hasEnded(target, performance.now() - silentSinceMs)) settle();
    else timer = setTimeout(look, LOOK_EVERY_MS);
  };
  timer = setTimeout(look, LOOK_EVERY_MS);
  return {
    over,
    close,
    answers: (isAnswering) => {
      if (isAnswering) return close();
      if (timer !== null) return;
      silentSinceMs = performance.now();
      look();
    },
  };
};
