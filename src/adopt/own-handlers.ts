/**
 * Whether the program itself decides how it leaves.
 */

/** Of every copy of the package signal-exit in this process: how many handlers it has for each signal. */
interface SignalExit {
  readonly count: number;
}

const isSignalExit = (value: unknown): value is SignalExit =>
  typeof value === 'object' && value !== null && 'count' in value && typeof value.count === 'number';

/**
 * True when the program has a handler of its own for a signal, besides the one of ours.
 *
 * signal-exit, which many packages bring along, ends the process only where its handlers are the only ones; beside
 * ours they do nothing, and are no decision of the program's.
 */
export const hasOwnHandler = (signal: NodeJS.Signals): boolean => {
  const emitter: unknown = Reflect.get(process, '__signal_exit_emitter__');
  const notDeciding = isSignalExit(emitter) ? emitter.count : 0;
  return process.listenerCount(signal) > 1 + notDeciding;
};
