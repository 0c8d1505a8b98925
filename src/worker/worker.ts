import type { Server } from 'node:net';
import type { Address } from './listening.js';
import type { ShutdownHook } from './shutdown.js';

/** How a worker serves. */
export interface ServeOptions<Fallback = Address> {
  /**
   * Where to listen when no listener was inherited: without tanist, or under `tanist run` without `--listen`.
   *
   * A port, a path, or what `server.listen()` takes; one for each name when several servers are served.
   * Default: none, and `serve` then fails with `TANIST_NO_LISTENER`.
   */
  readonly fallback?: Fallback | undefined;
  /**
   * How long a keep-alive connection may be idle, once the worker leaves, before it is closed. Until then its
   * client may send one more request. Longer than the clients' pauses means that none is lost.
   *
   * Milliseconds, 0 to 86_400_000. Default 1_000.
   */
  readonly graceMs?: number | undefined;
}

/**
 * This process, as its supervisor sees it.
 *
 * It leaves, once, when it gets SIGTERM, SIGINT or SIGQUIT, and when its supervisor is gone: `signal` is
 * aborted, the servers of `serve` are drained, the hooks of `onShutdown` run, and the process exits with
 * `process.exitCode`, 0 unless the program has set it, or 1 if a hook failed. What is still open shortly
 * before the drain time-out (`TANIST_DRAIN_TIMEOUT_MS`, 30 s without tanist) is closed, and a worker that is
 * not done at the time-out exits with 1.
 *
 * The channel alone does not keep a process alive: one that serves is kept by its servers, and one that has
 * nothing left to do ends by itself. SIGUSR2 is ignored.
 */
export interface Worker {
  /** False when the program runs without tanist; everything below then works alone. */
  readonly supervised: boolean;
  /** False: this is the worker. For code that both roles of a program run. */
  readonly isSupervisor: false;
  /**
   * The descriptor of the channel to the supervisor; null without tanist. To be named in messages and looked at, not
   * to be read, written or closed: the worker does that.
   */
  readonly channelFd: number | null;
  /** Of the supervisor, counted from 1; 0 without tanist. */
  readonly generation: number;
  /** Which of the supervisor's places this worker fills; its replacement has the same. 0 without tanist. */
  readonly slot: number;
  /** Aborted when the worker begins to leave; the reason says why. */
  readonly signal: AbortSignal;

  /**
   * Says that the worker is ready, waits until it may serve, then listens: one server on the first inherited
   * listener, several each on the listener of its name.
   *
   * Until then no connection is accepted; they wait in the listener's queue. With `--ready http` the private
   * probe is answered by the first HTTP server from the beginning. When the worker leaves before it may
   * serve, the promise stays pending: the process is about to end.
   *
   * The way to the first answer is rehearsed before the worker is ready, Node's HTTP server with it, so that its
   * first clients need not wait for code that is compiled; the program's handler is not called for that. Who
   * waits already when it listens is heard before the promise resolves, two turns of the event loop later.
   *
   * For servers of HTTP and HTTPS no request is lost at the end, see `graceMs`. Plain TCP connections and
   * WebSockets are left to the program, which learns from `signal`, until shortly before the drain time-out.
   *
   * @throws {WorkerError} `TANIST_NO_LISTENER`, `TANIST_UNKNOWN_LISTENER` or `TANIST_USAGE`, before anything
   * is said to the supervisor; or the system's error if listening fails.
   */
  serve(server: Server, options?: ServeOptions): Promise<void>;
  /** The same with several servers, each on the listener of its name; the worker is ready when all of them are. */
  serve<Name extends string>(
    servers: Readonly<Record<Name, Server>>,
    options?: ServeOptions<Readonly<Partial<Record<Name, Address>>>>,
  ): Promise<void>;

  /**
   * Says that the worker is ready; resolves when it may serve. `serve` does this itself.
   *
   * That may take long: a successor waits for its generation, a standby for its promotion. Said once, however
   * often it is called. Without tanist it resolves at once. Once the worker has been asked to leave it stays
   * pending.
   *
   * @throws {WorkerError} `TANIST_SUPERVISOR_GONE` if the supervisor ends meanwhile or has ended; the worker then
   * leaves.
   */
  readyToTakeOver(): Promise<void>;

  /**
   * Asks whether the supervisor is there. A worker that has asked once is watched (`--watchdog`): it must go
   * on asking. With a watchdog a worker that may serve does that by itself, three times within it. Without
   * tanist it resolves at once.
   *
   * @throws {WorkerError} `TANIST_SUPERVISOR_GONE` after `TANIST_PING_TIMEOUT_MS` without an answer, or at
   * once when the channel has ended; the worker then leaves already.
   */
  ping(): Promise<void>;

  /**
   * Shows a text in `tanist status`.
   *
   * Line breaks become spaces; what is beyond 4088 bytes of UTF-8 is left out. When the supervisor reads
   * slowly, only the last of several texts is sent.
   */
  status(text: string): void;

  /** Asks the supervisor for SIGKILL: nothing is drained, no hook runs. Without tanist it does that itself. */
  shutdown(): void;

  /**
   * Runs a function when the worker leaves, after its servers are drained.
   *
   * Hooks run one after the other, the last registered first. One that fails is reported on standard error
   * and makes the exit status 1; the others still run.
   */
  onShutdown(hook: ShutdownHook): void;

  /**
   * The descriptor of an inherited listener; without a name, of the first.
   *
   * For servers that `serve` does not know. Listen on it only after `readyToTakeOver`.
   *
   * @throws {WorkerError} `TANIST_NO_LISTENER` or `TANIST_UNKNOWN_LISTENER`
   */
  listener(name?: string): number;
}
