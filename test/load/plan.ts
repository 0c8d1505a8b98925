/**
 * What a load is, and what its generator and whoever started it tell each other.
 */

export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Requests per second; every second one on a connection of its own, the others on kept connections. */
  readonly ratePerSecond: number;
  /** Clients that keep their connection. Each has one, and asks in turn: its think time is clients · 2 / rate. */
  readonly keepAliveClients: number;
  /** From the moment a request was due. */
  readonly timeoutMs: number;
  /** Requests that may be under way at once; what is due beyond that waits, and the wait counts. */
  readonly maxInFlight: number;
}

export const DEFAULT_PLAN: Omit<LoadPlan, 'host' | 'port'> = {
  path: '/',
  ratePerSecond: 300,
  // Think time 200 ms: five times shorter than the grace period of a drain, and longer than any answer.
  keepAliveClients: 30,
  timeoutMs: 10_000,
  maxInFlight: 600,
};

/** `lost`: it was on a connection to a worker at the moment that worker was killed. */
export type Outcome = 'ok' | 'lost' | 'refused' | 'reset' | 'timeout' | 'status' | 'other';

/** How a request can fail that nobody's death excuses. */
export const FAILURES = ['refused', 'reset', 'timeout', 'status', 'other'] as const satisfies Outcome[];

export const isFailure = (outcome: Outcome): boolean => outcome !== 'ok' && outcome !== 'lost';

/** One request, when it is over. */
export interface Sample {
  /** When it was due: milliseconds of the system's monotonic clock. */
  readonly dueAtMs: number;
  /** From then on until the last byte of the answer, or the failure. */
  readonly latencyMs: number;
  /** How late the generator itself was: part of the latency. */
  readonly lagMs: number;
  readonly outcome: Outcome;
  readonly kept: boolean;
  /** What went wrong, in words. */
  readonly detail: string | null;
}

export interface LoadProgress {
  readonly answered: number;
  readonly failed: number;
  readonly lost: number;
  readonly inFlight: number;
}

export type LoadOrder =
  | { readonly type: 'load.start'; readonly plan: LoadPlan }
  /** The worker at the other end of these local ports is about to be killed; null: any connection's. */
  | { readonly type: 'connections.doom'; readonly ports: readonly number[] | null }
  | { readonly type: 'load.stop' };

export type LoadFact =
  | ({ readonly type: 'load.progressed' } & LoadProgress)
  | { readonly type: 'connections.doomed' }
  | { readonly type: 'load.ended'; readonly samples: readonly Sample[] };

/** The clock both processes share: CLOCK_MONOTONIC, in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
