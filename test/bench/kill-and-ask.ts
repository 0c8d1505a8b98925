/**
 * From SIGKILL of whoever serves until somebody else answers, as a client that costs next to nothing sees it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { root } from '../process/harness.js';

export interface Gap {
  readonly tookMs: number;
  /** Connections, until one was answered. */
  readonly refused: number;
  readonly reset: number;
}

export class KillAndAsk {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param port of a service at 127.0.0.1 that says its `pid` at `/`. */
  constructor(port: number) {
    const script = `${root}test/bench/kill-and-ask.pl`;
    this.#child = spawn('perl', [script, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const input = this.#child.stdout as NodeJS.ReadableStream;
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  /** A request on a new connection is sent directly after the signal, and again until another one answers. */
  async gap(victim: number): Promise<Gap> {
    this.#child.stdin?.write(`${victim}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`nobody was asked after the end of pid ${victim}`);
    const [tookMs = 0, refused = 0, reset = 0] = String(value).split(' ').map(Number);
    return { tookMs, refused, reset };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
