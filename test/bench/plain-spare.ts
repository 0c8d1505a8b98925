/**
 * The floor of a standby: a process of plain Node that starts two of a service and lets the second one listen when the
 * first has exited.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { listen } from '../../src/os/listening.js';
import { root, type World } from '../process/harness.js';

const SPARE = `${root}test/bench/plain-spare.mjs`;

const wordsOf = (child: ChildProcess): Duplex => child.stdio[3] as Duplex;

export class PlainSpare {
  readonly #world: World;
  readonly #descriptor: number;
  readonly port: number;
  #serving: ChildProcess | null = null;
  #spare: ChildProcess | null = null;

  private constructor(world: World, descriptor: number, port: number) {
    this.#world = world;
    this.#descriptor = descriptor;
    this.port = port;
  }

  static async start(world: World): Promise<PlainSpare> {
    const { descriptor, address } = await listen({ kind: 'tcp', name: 'floor', host: '127.0.0.1', port: 0 });
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    const floor = new PlainSpare(world, descriptor, port);
    floor.#spare = await floor.#boot();
    await floor.#promote();
    return floor;
  }

  /** The one that serves; kill it, and the other one listens as soon as this process hears of it. */
  async victim(): Promise<number> {
    const serving = this.#serving as ChildProcess;
    this.#spare = await this.#boot();
    serving.once('exit', () => this.#promote());
    return serving.pid ?? 0;
  }

  async stop(): Promise<void> {
    for (const child of [this.#serving, this.#spare]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  async #promote(): Promise<void> {
    const spare = this.#spare as ChildProcess;
    const listens = once(wordsOf(spare), 'data');
    wordsOf(spare).write('listen');
    [this.#serving, this.#spare] = [spare, null];
    await listens;
  }

  async #boot(): Promise<ChildProcess> {
    const { env } = this.#world;
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', this.#descriptor] as const;
    const child = spawn(process.execPath, [SPARE], { env, stdio: [...stdio] });
    await once(wordsOf(child), 'data');
    return child;
  }
}
