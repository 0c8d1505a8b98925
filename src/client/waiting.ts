/**
 * Waits of the clients, each with a limit.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Status } from '../../machines/status.js';
import { TanistError } from '../errors.js';
import { formatDuration } from '../settings/duration.js';
import { askStatus, type Reply } from './control-client.js';
import { isOver, notRunning, type Target } from './target.js';

/** Between two looks at something that cannot tell by itself when it changes. */
const LOOK_EVERY_MS = 100;
/** One question to a supervisor that may hang. */
const LOOK_LIMIT_MS = 2_000;
/** A supervisor holds its lock before its control socket is there, and so does a successor that takes charge. */
const APPEARANCE_LIMIT_MS = 5_000;

/**
 * Runs a command's work with an end: after `timeoutMs` its signal is aborted, and the work fails with
 * `TANIST_TIMEOUT`. What was asked for goes on.
 *
 * @param timeoutMs null for no end of its own.
 */
export const withDeadline = async <T>(
  timeoutMs: number | null,
  waitingFor: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const controller = new AbortController();
  const expire = () =>
    controller.abort(
      new TanistError('TANIST_TIMEOUT', `no ${waitingFor} within ${formatDuration(timeoutMs ?? 0)}`),
    );
  const timer = timeoutMs === null ? undefined : setTimeout(expire, timeoutMs);
  try {
    return await work(controller.signal);
  } catch (thrown) {
    // Whatever noticed the abort first, the deadline is the reason.
    throw controller.signal.aborted ? controller.signal.reason : thrown;
  } finally {
    clearTimeout(timer);
  }
};

export const look = async (signal: AbortSignal): Promise<void> => {
  await pause(LOOK_EVERY_MS, undefined, { signal });
};

/**
 * Asks, and asks again while the lock is held although nobody listens: somebody starts or takes charge. Without a
 * lock, while there is a socket that refuses connections: its owner has ended, and another may take it over.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING` if the lock is free or there is none, `TANIST_CONTROL_FAILED` if it
 *   stays held.
 */
export const askRunning = async <R extends Reply<unknown>>(
  target: Target,
  signal: AbortSignal,
  ask: () => Promise<R>,
): Promise<Exclude<R, { kind: 'absent' }>> => {
  const giveUpAt = performance.now() + APPEARANCE_LIMIT_MS;
  for (;;) {
    const reply = await ask();
    if (reply.kind !== 'absent') return reply as Exclude<R, { kind: 'absent' }>;
    if (isOver(target)) throw notRunning(target);
    if (performance.now() > giveUpAt) throw unanswered(target);
    await look(signal);
  }
};

const unanswered = (target: Target): TanistError => {
  if (target.pidFile === null) return notRunning(target);
  const files = `the lock of ${JSON.stringify(target.pidFile)} is held, but nobody listens at ${JSON.stringify(target.controlPath)}`;
  return new TanistError('TANIST_CONTROL_FAILED', files, {
    hint: 'Was it started with --control PATH? Then ask with the same option.',
  });
};

/** A supervisor answers within milliseconds, unless it hangs; one that starts is waited for before it listens. */
const ANSWER_LIMIT_MS = 8_000;

/**
 * What the supervisor that holds the lock says it is.
 *
 * @throws {TanistError} `TANIST_NOT_RUNNING`, `TANIST_TIMEOUT`, `TANIST_CONTROL_FAILED`.
 */
export const askHolder = async (target: Target): Promise<Status> => {
  const { value } = await withDeadline(ANSWER_LIMIT_MS, 'answer on its control socket', (signal) =>
    askRunning(target, signal, async () => {
      const reply = await askStatus(target.controlPath, signal);
      // Whoever ended while he was asked is gone: another may have taken his place.
      return reply.kind === 'lost' ? { kind: 'absent' as const } : reply;
    }),
  );
  return value;
};

/** Who holds the lock and does not answer for so long is not coming back. */
const SILENCE_LIMIT_MS = 300_000;
/** Without a lock nothing says that anybody is left: more than the drain timeout that a successor may have to wait. */
const UNLOCKED_SILENCE_LIMIT_MS = 60_000;

export const watchSilence = ({ pidFile }: Target): { heard: () => void; isTooLong: () => boolean } => {
  let heardAt = performance.now();
  const limitMs = pidFile === null ? UNLOCKED_SILENCE_LIMIT_MS : SILENCE_LIMIT_MS;
  return {
    heard: () => {
      heardAt = performance.now();
    },
    isTooLong: () => performance.now() - heardAt > limitMs,
  };
};

/** What is left of one that does not answer, in words. */
export const remainsOf = ({ pidFile, controlPath }: Target): string =>
  pidFile === null
    ? `the control socket ${JSON.stringify(controlPath)} is left`
    : `somebody holds the lock of ${JSON.stringify(pidFile)}`;

/** The status if it can be had soon; `silent` if somebody is there and does not answer, or not properly. */
export const glance = async (
  target: Target,
  signal: AbortSignal,
): Promise<Reply<Status> | { readonly kind: 'silent' }> => {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  try {
    return await askStatus(target.controlPath, limited);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { kind: 'silent' };
  }
};
