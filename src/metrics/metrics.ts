/**
 * The answer to a scrape: everything is read when it is asked for, and nothing before.
 */
import type { Counters } from '../../machines/counters.js';
import type { Status } from '../../machines/status.js';
import { CONTENT_TYPE, exposition } from './exposition.js';
import { familiesOf, type Usage } from './families.js';

export interface MetricsOptions {
  readonly status: () => Status;
  readonly counters: () => Counters;
  readonly usageOf: (pid: number) => Usage | null;
  /** How long the event loop has been busy since the process began. Milliseconds. */
  readonly busyMs: () => number;
  readonly now: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
}

/** A timer of that length shows how late timers are. */
const LAG_PROBE_MS = 5;

/** Answers one scrape, a moment later: the lag of the event loop can only be seen by waiting. */
export type Metrics = (answer: (contentType: string, text: string) => void) => void;

export const createMetrics =
  ({ status, counters, usageOf, busyMs, now, setTimer }: MetricsOptions): Metrics =>
  (answer) => {
    const dueAtMs = now() + LAG_PROBE_MS;
    setTimer(() => {
      const lagMs = Math.max(0, now() - dueAtMs);
      const measured = { status: status(), counters: counters(), usageOf, lagMs, busyMs: busyMs() };
      answer(CONTENT_TYPE, exposition(familiesOf(measured)));
    }, LAG_PROBE_MS);
  };
