/**
 * Whoever strikes at a step, in a thread of its own.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FACT_TIMEOUT_MS, root } from '../process/harness.js';
import type { Strike, Victim } from './steps.js';

const THREAD = `${root}test/crash/striker-thread.mjs`;

export interface StrikeOrder {
  /** The gate's (gate.ts). */
  readonly directory: string;
  readonly step: string;
  readonly strike: Strike;
  readonly victim: Victim;
  /** The supervisor of generation 1. */
  readonly predecessor: number;
  /** Its workers' pids by their slots. */
  readonly oldWorkers: Readonly<Record<number, number>>;
  /** The daemon's log, and the workers' marks. */
  readonly log: string;
  readonly activity: string;
  /** Opened when the victim was struck. */
  readonly bootGate: string;
}

export class Striker {
  readonly #thread: Worker;
  /** The pid of whoever was struck; null if it was called off before. */
  readonly struck: Promise<number | null>;

  private constructor(thread: Worker) {
    this.#thread = thread;
    this.struck = once(thread, 'message').then(([pid]) => pid as number | null);
    // Whoever waits for it is told; until then somebody else may have failed first.
    this.struck.catch(() => undefined);
  }

  /** Returns when it looks. */
  static async begin(order: StrikeOrder): Promise<Striker> {
    const thread = new Worker(THREAD, { workerData: { ...order, limitMs: FACT_TIMEOUT_MS } });
    const striker = new Striker(thread);
    await once(thread, 'online');
    return striker;
  }

  /** Has no effect once somebody stands at the step. */
  callOff(): void {
    this.#thread.postMessage('call off');
  }
}
