/**
 * Clients that never stop asking, and count what they miss: about 100 requests a second, half of them on
 * connections of their own, half on connections that are kept.
 */
import http from 'node:http';
import type { Who } from './generations.js';
import { FACT_TIMEOUT_MS } from './harness.js';

const FRESH_EVERY_MS = 20;
const KEPT_CLIENTS = 5;
const KEPT_PAUSE_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface LoadReport {
  readonly failures: readonly string[];
  /** Answers of each generation. */
  readonly answers: ReadonlyMap<number, number>;
  /** Requests that used a connection again. */
  readonly reused: number;
}

export class Load {
  readonly #address: URL;
  readonly #failures: string[] = [];
  readonly #answers = new Map<number, number>();
  readonly #clients: Promise<void>[] = [];
  #reused = 0;
  #stopped = false;

  /** @param kept whether some clients keep their connections. */
  constructor(address: string, { kept = true } = {}) {
    this.#address = new URL(`http://${address}/`);
    this.#clients.push(this.#askFresh());
    for (let client = 0; kept && client < KEPT_CLIENTS; client += 1) this.#clients.push(this.#askKept());
  }

  /** Answers until now, of one generation. */
  answersOf(generation: number): number {
    return this.#answers.get(generation) ?? 0;
  }

  /** Stops asking, waits for what is still to come, and tells. */
  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return { failures: this.#failures, answers: this.#answers, reused: this.#reused };
  }

  async #askFresh(): Promise<void> {
    const asked: Promise<void>[] = [];
    while (!this.#stopped) {
      asked.push(this.#ask(false));
      await pause(FRESH_EVERY_MS);
    }
    await Promise.all(asked);
  }

  async #askKept(): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopped) {
      await this.#ask(agent);
      await pause(KEPT_PAUSE_MS);
    }
    agent.destroy();
  }

  #ask(agent: http.Agent | false): Promise<void> {
    return new Promise((resolve) => {
      const fail = (error: Error) => {
        this.#failures.push(error.message);
        resolve();
      };
      const request = http.get(this.#address, { agent, timeout: FACT_TIMEOUT_MS }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', fail);
        response.on('end', () => {
          this.#count(response.statusCode, body);
          resolve();
        });
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', fail);
      request.once('socket', () => {
        if (request.reusedSocket) this.#reused += 1;
      });
    });
  }

  #count(status: number | undefined, body: string): void {
    if (status !== 200) {
      this.#failures.push(`status ${status}`);
      return;
    }
    const { generation } = JSON.parse(body) as Who;
    this.#answers.set(generation, this.answersOf(generation) + 1);
  }
}
