/**
 * Signals that arrive before anybody can act on them are held, and given to the first who asks.
 */

const HELD = ['SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

const pending = new Set<string>();
const holders = new Map<string, () => void>();

/** Installs the holding handlers; without `wanted` signals act as they always do. */
export const holdSignals = (wanted: boolean): void => {
  if (!wanted) return;
  for (const signal of HELD) {
    const hold = () => pending.add(signal);
    holders.set(signal, hold);
    process.on(signal, hold);
  }
};

/** Hands a signal over: its holder goes, and one that is pending is delivered in the next tick. */
export const takeOverSignal = (signal: string, callback: () => void): void => {
  const hold = holders.get(signal);
  if (hold === undefined) return;
  holders.delete(signal);
  process.off(signal, hold);
  if (pending.delete(signal)) setImmediate(callback);
};
