import { setImmediate as loopTurn } from 'node:timers/promises';
import { WorkerError } from './worker-error.js';

/** Something that is emptied before the process ends. */
export interface Drainable {
  /** Takes no more work; resolves when what is in hand is done. */
  drain(): Promise<void>;
  /** Ends at once what is still in hand, and says how much that was. */
  cut(): number;
}

/** What a program does last, such as closing its database. */
export type ShutdownHook = () => unknown;

/** What asks a worker to leave, besides the supervisor's own stop signal. SIGHUP keeps its default. */
const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/** How a worker hears that it is to leave. */
export interface Farewell {
  /** What the supervisor sends, `--stop-signal`. */
  readonly stopSignal: NodeJS.Signals;
  /**
   * A second signal cuts the drain short and a third one ends the process: for someone at a terminal. A supervisor
   * repeats a signal without meaning more by it.
   */
  readonly atOnceOnSecond: boolean;
  /** True while leaving on that signal is another's business: the program has a handler of its own. */
  readonly isLeftTo: (signal: NodeJS.Signals) => boolean;
}

/** Of the drain time-out, what is kept for the hooks: a fifth, at most one second. */
const hookTimeMs = (drainTimeoutMs: number): number => Math.min(1_000, drainTimeoutMs / 5);

/** How a worker leaves: empties what it serves, runs its hooks, exits. Begins at most once. */
export class Shutdown {
  readonly #drainTimeoutMs: number;
  readonly #leaving = new AbortController();
  readonly #drainables: Drainable[] = [];
  readonly #hooks: ShutdownHook[] = [];
  #failed = false;

  constructor(drainTimeoutMs: number) {
    this.#drainTimeoutMs = drainTimeoutMs;
  }

  /** Aborted when leaving begins; its reason says why. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  addHook(hook: ShutdownHook): void {
    this.#hooks.push(hook);
  }

  addDrainable(drainable: Drainable): void {
    this.#drainables.push(drainable);
  }

  /** Leaves on the stop signal, SIGTERM, SIGINT and SIGQUIT, and survives SIGUSR2. */
  listenForSignals({ stopSignal, atOnceOnSecond, isLeftTo }: Farewell): void {
    for (const name of new Set([...STOP_SIGNALS, stopSignal])) {
      process.on(name, () => {
        if (isLeftTo(name)) return;
        if (!this.signal.aborted) this.begin(`Asked to leave by ${name}.`);
        else if (atOnceOnSecond && this.#cut() === 0) process.exit(1);
      });
    }
    // It means "reload" to the supervisor; sent to a whole process group it must not kill the workers.
    process.on('SIGUSR2', () => undefined);
  }

  /** Leaves because nobody is left to ask for it: a program with a handler of its own is asked by this process. */
  beginUnasked(cause: WorkerError, { stopSignal, isLeftTo }: Farewell): void {
    if (!isLeftTo(stopSignal)) {
      this.begin(cause);
      return;
    }
    process.kill(process.pid, stopSignal);
    // Nobody sends SIGKILL any more. A program that ends by itself need not wait for this.
    setTimeout(() => this.#giveUp(), this.#drainTimeoutMs).unref();
  }

  /** @param cause an error, or a sentence that says why. */
  begin(cause: WorkerError | string): void {
    if (this.signal.aborted) return;
    const reason = typeof cause === 'string' ? new WorkerError('TANIST_LEAVING', cause) : cause;
    this.#leaving.abort(reason);
    // This timer also keeps the process alive until all is done.
    setTimeout(() => this.#giveUp(), this.#drainTimeoutMs);
    void this.#leave();
  }

  /** Resolves, or once leaving has begun stays pending: whoever waits goes no further, for the process ends. */
  unlessLeaving(): Promise<void> {
    return this.signal.aborted ? new Promise(() => undefined) : Promise.resolve();
  }

  async #leave(): Promise<void> {
    const limit = setTimeout(() => this.#cut(), this.#drainTimeoutMs - hookTimeMs(this.#drainTimeoutMs));
    await Promise.all(this.#drainables.map((drainable) => drainable.drain()));
    clearTimeout(limit);
    // Those who follow the signal, or wait for an answer that will not come, are told before the hooks run.
    await loopTurn();
    await this.#runHooks();
    if (this.#failed) process.exitCode = 1;
    // Without an argument: even `undefined` would replace the exit code that the program has set.
    process.exit();
  }

  /** The last registered first: what was opened last may need what was opened before. */
  async #runHooks(): Promise<void> {
    for (let hook = this.#hooks.pop(); hook !== undefined; hook = this.#hooks.pop()) {
      try {
        await hook();
      } catch (error) {
        this.#failed = true;
        console.error('tanist: an onShutdown hook has failed:', error);
      }
    }
  }

  #cut(): number {
    const count = this.#drainables.reduce((sum, drainable) => sum + drainable.cut(), 0);
    if (count > 0) console.error(`tanist: closed ${count} connection(s) that were still open.`);
    return count;
  }

  #giveUp(): void {
    console.error(`tanist: not done ${this.#drainTimeoutMs} ms after being asked to leave: ending.`);
    process.exit(1);
  }
}
