/**
 * Signals that arrive before anybody can act on them are held, and given to the first who asks.
 */

const HELD = ['SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGTTIN', 'SIGTTOU'] as const;

const held = new Set<string>();
const pending = new Set<string>();

/** Installs the holding handlers; without `wanted` signals act as they always do. */
export const holdSignals = (wanted: boolean): void => {
  if (!wanted) return;
  for (const signal of HELD) {
    held.add(signal);
    process.on(signal, () => {
      if (held.has(signal)) pending.add(signal);
    });
  }
};

/**
 * Hands a signal over: one that is pending is delivered in the next tick.
 *
 * The handler stays and does nothing more. Without any, a signal between the end of the supervisor and that of
 * its process would kill it, and the exit status would not be the truth.
 */
export const takeOverSignal = (signal: string, callback: () => void): void => {
  held.delete(signal);
  if (pending.delete(signal)) setImmediate(callback);
};

/** Lets signals act as they always do, from now on. */
export const releaseSignals = (): void => {
  for (const signal of HELD) process.removeAllListeners(signal);
  held.clear();
};
