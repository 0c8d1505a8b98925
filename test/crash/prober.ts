/**
 * Somebody who wants to be served: a new connection every few milliseconds, whatever became of those before.
 */
import net from 'node:net';

const CONNECT_EVERY_MS = 25;

export interface ProbeReport {
  readonly answered: number;
  /** Connections that nobody answered within the limit, or that were refused: the service was lost. */
  readonly unanswered: readonly string[];
  /** Connections that ended without an answer: whoever had accepted them is gone. */
  readonly cut: number;
  /** The longest that an answer has taken. */
  readonly longestMs: number;
}

export class Prober {
  readonly #port: number;
  readonly #limitMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  readonly #unanswered: string[] = [];
  #answered = 0;
  #cut = 0;
  #longestMs = 0;

  /** @param limitMs how long a new connection may wait for its answer. */
  constructor(address: string, limitMs: number) {
    this.#port = Number(address.slice(address.lastIndexOf(':') + 1));
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => {
      const probe = this.#connect().finally(() => this.#underWay.delete(probe));
      this.#underWay.add(probe);
    }, CONNECT_EVERY_MS);
  }

  /** Answers until now. */
  get answered(): number {
    return this.#answered;
  }

  /** Begins no more, waits for those that are under way, and tells. */
  async stop(): Promise<ProbeReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    return {
      answered: this.#answered,
      unanswered: this.#unanswered,
      cut: this.#cut,
      longestMs: this.#longestMs,
    };
  }

  #connect(): Promise<void> {
    const beganAtMs = performance.now();
    return new Promise((resolve) => {
      const socket = net.connect({ port: this.#port, host: '127.0.0.1' });
      let heard = '';
      let lost: string | null = null;
      const overdue = setTimeout(() => {
        lost = `no answer within ${this.#limitMs} ms`;
        socket.destroy();
      }, this.#limitMs);
      socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: service\r\n\r\n'));
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') lost = 'refused';
      });
      socket.on('close', () => {
        clearTimeout(overdue);
        const waitedMs = performance.now() - beganAtMs;
        if (lost !== null) this.#unanswered.push(lost);
        else if (heard.startsWith('HTTP/1.1 200')) {
          this.#answered += 1;
          this.#longestMs = Math.max(this.#longestMs, waitedMs);
        } else this.#cut += 1;
        resolve();
      });
    });
  }
}
