/**
 * Somebody who wants to be served, in a thread of its own.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { root } from '../process/harness.js';

export interface ProbeReport {
  readonly answered: number;
  /** Connections that nobody answered within the limit, or that were refused: the service was lost. */
  readonly unanswered: readonly string[];
  /** Connections that ended without an answer: whoever had accepted them is gone. */
  readonly cut: number;
  /** The longest that an answer has taken. */
  readonly longestMs: number;
}

const THREAD = `${root}test/crash/prober-thread.mjs`;

export class Prober {
  readonly #answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #thread: Worker;

  /** @param limitMs how long a new connection may wait for its answer. */
  constructor(address: string, limitMs: number) {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    this.#thread = new Worker(THREAD, { workerData: { port, limitMs, shared: this.#answered.buffer } });
  }

  /** Answers until now. */
  get answered(): number {
    return Atomics.load(this.#answered, 0);
  }

  /** Begins no more, waits for those that are under way, and tells. */
  async stop(): Promise<ProbeReport> {
    const report = once(this.#thread, 'message');
    this.#thread.postMessage('stop');
    const [told] = await report;
    await this.#thread.terminate();
    return told as ProbeReport;
  }
}
