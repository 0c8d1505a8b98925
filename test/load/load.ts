/**
 * A load under way, as seen by whoever started it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DEFAULT_PLAN,
  type LoadFact,
  type LoadOrder,
  type LoadPlan,
  type LoadProgress,
  type Sample,
} from './plan.js';
import { isStopped, portsOf } from './worker-connections.js';

const LOOK_EVERY_MS = 1;
const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url));

export class Load {
  readonly #child: ChildProcess;
  readonly #facts = new EventEmitter();
  /** Its end, before it was asked for, is an error that whoever waits next is told. */
  readonly #broken: Promise<never>;
  readonly #port: number;
  #progress: LoadProgress = { answered: 0, failed: 0, lost: 0, inFlight: 0 };

  /** @param address `host:port` of IPv4, as in a supervisor's status. */
  constructor(address: string, env: NodeJS.ProcessEnv, plan: Partial<LoadPlan> = {}) {
    const [host = '', port = ''] = address.split(':');
    this.#port = Number(port);
    this.#child = fork(GENERATOR, { env, serialization: 'advanced', execArgv: [] });
    this.#child.on('message', (fact: LoadFact) => {
      if (fact.type === 'load.progressed') this.#progress = fact;
      this.#facts.emit(fact.type, fact);
    });
    this.#broken = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`the load generator ended by itself: ${signal ?? `status ${code}`}`);
    });
    this.#broken.catch(() => undefined);
    this.#order({ type: 'load.start', plan: { ...DEFAULT_PLAN, ...plan, host, port: this.#port } });
  }

  get progress(): LoadProgress {
    return this.#progress;
  }

  /**
   * Kills a worker, and with it the requests that are on their way to it: these count as lost, not as failed.
   *
   * The worker is stopped first, so that it accepts nothing between the look at its connections and its end.
   *
   * @throws {Error} if it is gone.
   */
  async killWorker(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    while (!isStopped(pid)) await pause(LOOK_EVERY_MS);
    const doomed = this.#fact('connections.doomed');
    this.#order({ type: 'connections.doom', ports: portsOf(pid, this.#port) });
    await doomed;
    process.kill(pid, 'SIGKILL');
  }

  /** Sends no more, waits for what is under way, and returns all requests. */
  async stop(): Promise<readonly Sample[]> {
    const ended = this.#fact('load.ended');
    this.#order({ type: 'load.stop' });
    const { samples } = await ended;
    this.#child.disconnect();
    return samples;
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #order(order: LoadOrder): void {
    this.#child.send(order);
  }

  async #fact<Type extends LoadFact['type']>(type: Type): Promise<Extract<LoadFact, { type: Type }>> {
    const [fact] = await Promise.race([once(this.#facts, type), this.#broken]);
    return fact;
  }
}
