import { Server, Socket } from 'node:net';
import { Connections, isHttpServer } from './connections.js';
import type { Inheritance } from './inheritance.js';
import { LastWork } from './last-work.js';
import { type Address, chooseAddress, findListener, type Listen, listenOn } from './listening.js';
import { Probe } from './probe.js';
import { type Drainable, type Farewell, Shutdown, type ShutdownHook } from './shutdown.js';
import { SupervisorChannel } from './supervisor-channel.js';
import { warmUp } from './warm-up.js';
import type { ServeOptions, Worker } from './worker.js';
import { WorkerError } from './worker-error.js';

const DEFAULT_GRACE_MS = 1_000;
const MAX_GRACE_MS = 86_400_000;
/** One of them may be late by as much as two without being missed. */
const BEATS_PER_WATCHDOG = 3;

interface Place {
  readonly server: Server;
  readonly address: Parameters<typeof listenOn>[1];
}

type NamedServers = Readonly<Record<string, Server>>;
type NamedAddresses = Readonly<Record<string, Address>>;

/** The worker's side, from what it inherited. Listens for signals from the beginning. */
export class ConnectedWorker implements Worker {
  readonly supervised: boolean;
  readonly isSupervisor = false;
  readonly channelFd: number | null;
  /** How soon a pong must come. Milliseconds. */
  readonly pingTimeoutMs: number;
  readonly generation: number;
  readonly slot: number;
  readonly #inheritance: Inheritance;
  readonly #shutdown: Shutdown;
  readonly #channel: SupervisorChannel | null;
  readonly #served: Server[] = [];
  readonly #onAdmitted: (() => void)[] = [];
  #probe: Promise<void> | undefined;
  #heart: NodeJS.Timeout | undefined;
  /** Somebody has looked at `signal`: he may know when to come to an end. */
  #isSignalKnown = false;
  /** Calls of `readyToTakeOver` without an answer. */
  #waiting = 0;

  /** @param isLeftTo says when leaving on a signal is the program's own business; default: never. */
  constructor(inheritance: Inheritance, isLeftTo: Farewell['isLeftTo'] = () => false) {
    const { channelFd, generation, slot, pingTimeoutMs, drainTimeoutMs, stopSignal } = inheritance;
    this.#inheritance = inheritance;
    this.supervised = channelFd !== null;
    this.channelFd = channelFd;
    this.pingTimeoutMs = pingTimeoutMs;
    this.generation = generation;
    this.slot = slot;
    this.#shutdown = new Shutdown(drainTimeoutMs);
    const farewell = { stopSignal, atOnceOnSecond: !this.supervised, isLeftTo };
    this.#shutdown.listenForSignals(farewell);
    this.#channel =
      channelFd === null
        ? null
        : new SupervisorChannel(
            new Socket({ fd: channelFd, readable: true, writable: true }),
            pingTimeoutMs,
            (gone) => this.#shutdown.beginUnasked(gone, farewell),
          );
  }

  get signal(): AbortSignal {
    this.#isSignalKnown = true;
    return this.#shutdown.signal;
  }

  async serve(
    served: Server | NamedServers,
    { fallback, graceMs = DEFAULT_GRACE_MS }: ServeOptions<Address | NamedAddresses> = {},
  ): Promise<void> {
    checkGrace(graceMs);
    const places = this.#placesOf(served, fallback);
    for (const { server } of places) this.follow(server, graceMs);
    await this.prepare();
    // Without its supervisor the worker leaves: this promise must not fail the program before its hooks ran.
    await this.readyToTakeOver().catch(() => this.#shutdown.unlessLeaving());
    await Promise.all(places.map(({ server, address }) => listenOn(server, address)));
  }

  /** Answers the probe with the handler of that server, and drains its connections when this worker leaves. */
  follow(server: Server, graceMs: number = DEFAULT_GRACE_MS): Connections {
    const connections = new Connections(server, graceMs);
    this.#shutdown.addDrainable(connections);
    this.#served.push(server);
    return connections;
  }

  /** Empties that, too, before the process ends. */
  addDrainable(drainable: Drainable): void {
    this.#shutdown.addDrainable(drainable);
  }

  /** What comes before `takeover`: the probe can be asked, and the way from `ok` to the first answer is warm. */
  async prepare(listen?: Listen): Promise<void> {
    await this.#openProbe();
    if (this.supervised && this.#served.length > 0) await warmUp(this.#served.some(isHttpServer), listen);
  }

  async readyToTakeOver(): Promise<void> {
    this.#waiting += 1;
    try {
      const gone = this.#channel?.gone;
      if (gone !== undefined) throw gone;
      await this.#shutdown.unlessLeaving();
      this.#showLife();
      await this.#channel?.takeover();
      await this.#shutdown.unlessLeaving();
    } finally {
      this.#waiting -= 1;
    }
    for (const admitted of this.#onAdmitted.splice(0)) admitted();
  }

  /**
   * With a watchdog this process shows that its event loop turns, at once and three times within it. Not before it
   * asks for takeover: its start may take as long as the start timeout allows.
   */
  #showLife(): void {
    const { watchdogMs } = this.#inheritance;
    const channel = this.#channel;
    if (watchdogMs === null || channel === null || this.#heart !== undefined) return;
    this.#heart = setInterval(() => channel.beat(), watchdogMs / BEATS_PER_WATCHDOG).unref();
    channel.beat();
  }

  async ping(): Promise<void> {
    await this.#channel?.ping();
  }

  status(text: string): void {
    this.#channel?.status(text);
  }

  shutdown(): void {
    if (this.#channel === null) process.kill(process.pid, 'SIGKILL');
    else this.#channel.shutdown();
  }

  onShutdown(hook: ShutdownHook): void {
    this.#shutdown.addHook(hook);
  }

  listener(name?: string): number {
    return findListener(this.#inheritance, name).fd;
  }

  /** Why the worker leaves; null while it does not. For tanist itself: unlike `signal` it says nothing about who asks. */
  get leavingFor(): unknown {
    const { aborted, reason } = this.#shutdown.signal;
    return aborted ? reason : null;
  }

  /** Leaves as at a stop signal. For tanist itself. */
  leave(why: string): void {
    this.#shutdown.begin(why);
  }

  /** Calls back once, when the worker may serve. For tanist itself. */
  onAdmitted(callback: () => void): void {
    this.#onAdmitted.push(callback);
  }

  /**
   * Waits for the program's main function when the worker leaves, if it can know: it has looked at `signal`, and is
   * not one that waits to take over, to which nobody will answer. For tanist itself.
   */
  finishFirst(finished: Promise<unknown>): void {
    this.#shutdown.addDrainable(new LastWork(finished, () => this.#isSignalKnown && this.#waiting === 0));
  }

  #placesOf(served: Server | NamedServers, fallback: Address | NamedAddresses | undefined): Place[] {
    const named: [string | undefined, Server, Address | undefined][] =
      served instanceof Server
        ? [[undefined, served, fallback as Address | undefined]]
        : Object.entries(served).map(([name, server]) => [
            name,
            server,
            (fallback as NamedAddresses | undefined)?.[name],
          ]);
    return named.map(([name, server, address]) => {
      checkServer(server);
      return { server, address: chooseAddress(this.#inheritance, name, address) };
    });
  }

  async #openProbe(): Promise<void> {
    const { probeFd } = this.#inheritance;
    if (probeFd === null || this.#probe !== undefined) return this.#probe;
    const probe = new Probe(this.#served);
    this.#shutdown.addDrainable(probe);
    this.#probe = probe.open(probeFd);
    return this.#probe;
  }
}

const checkServer = (server: Server): void => {
  if (!(server instanceof Server))
    throw new WorkerError('TANIST_USAGE', 'serve() takes a server, or an object of servers by name.');
  if (server.listening)
    throw new WorkerError('TANIST_USAGE', 'serve() makes the server listen itself: do not call listen().');
};

const checkGrace = (graceMs: number): void => {
  if (graceMs >= 0 && graceMs <= MAX_GRACE_MS) return;
  throw new WorkerError('TANIST_USAGE', `graceMs must be 0 to ${MAX_GRACE_MS}, not ${graceMs}.`);
};
