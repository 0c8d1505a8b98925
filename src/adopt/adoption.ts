/**
 * An unchanged program as a worker: its `listen()` is what says that it is ready, and waits until it may serve.
 */
import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { ConnectedWorker } from '../worker/connected-worker.js';
import { takeInheritance } from '../worker/inheritance.js';
import type { Listen } from '../worker/listening.js';
import { BACKLOG } from '../worker/listening.js';
import { AdoptedServer, type Opening, type ShownAddress } from './adopted-server.js';
import { ClusterWorkers } from './cluster-workers.js';
import { addressInUse, alreadyListening } from './errors.js';
import { type AskedAddress, readListenArguments } from './listen-arguments.js';
import { hostAndPort, type Listener, matchListener, spelled, UNIX } from './matching.js';
import { hasOwnHandler } from './own-handlers.js';
import type { RawChannel } from './raw-channel.js';
import { warnings } from './warnings.js';
import { WebSockets } from './web-sockets.js';

/** A program that listens on one address after the other waits for the first before it comes to the second. */
const NEXT_LISTEN_MS = 100;
/** A program that listens nowhere is ready when it has lived so long after its main module had run. */
export const ALIVE_MS = 1_000;

export interface AdoptionParts {
  readonly listen: Listen;
  readonly listeners: readonly Listener[];
  readonly channel: RawChannel;
  /** Whether the program has loaded `tanist/worker`: it may say for itself when it is ready. */
  readonly hasMet: () => boolean;
  /** Puts Node's own `listen` back. */
  readonly standAside: () => void;
}

/** A listener, or an address of the program's own, that a server is to serve. */
interface Claim {
  readonly adopted: AdoptedServer;
  /** Null where tanist owns no listener. */
  readonly listener: Listener | null;
  readonly opening: Opening;
}

export class ProgramAdoption {
  readonly #parts: AdoptionParts;
  readonly #servers = new WeakMap<Server, AdoptedServer>();
  readonly #claims = new Set<Claim>();
  /** Their descriptors were closed with the servers that had them, and may be something else by now. */
  readonly #spent = new Set<Listener>();
  #worker: ConnectedWorker | null = null;
  #isAside = false;
  #isServing = false;
  #hasAsked = false;
  #isLeaving = false;
  #hasTold = false;
  #keepAlive: NodeJS.Timeout | undefined;
  #nextListen: NodeJS.Timeout | undefined;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  connect(): ConnectedWorker | null {
    if (this.#worker === null) this.#standAside();
    return this.#worker;
  }

  /** Every `listen()` of the program comes here. */
  listen(server: Server, args: readonly unknown[]): Server {
    const original = { listen: this.#parts.listen, args };
    const asked = readListenArguments(args);
    const isOurs = (fd: number) => this.#parts.listeners.some((listener) => listener.fd === fd);
    // The program knows the protocol: it is no business of ours.
    if (asked.kind === 'descriptor' && isOurs(asked.fd)) this.#standAside();
    if (this.#isAside || asked.kind !== 'address') return this.#pass(server, original);
    if (this.#servers.get(server)?.isHeld) throw alreadyListening();
    if (server.listening) return this.#pass(server, original);
    if (this.#parts.listeners.length === 0) return this.#listenAlone(server, asked, original);
    return this.#listenOnInherited(server, asked, original);
  }

  /** Says in `tanist status` what is waited for, if anything is. Called once the program has had some time. */
  tellWaiting(): void {
    const missing = this.#unclaimed();
    if (this.#isAside || this.#hasAsked || missing.length === 0) return;
    const text = `waits for the program to listen on ${missing.map(shown).join(' and ')}`;
    if (this.#worker === null) {
      this.#parts.channel.status(text);
      return;
    }
    this.#worker.status(text);
    this.#hasTold = true;
  }

  /** There is nothing to listen on, and the program does not speak for itself. */
  get mayBeReadyWithoutListening(): boolean {
    const { listeners, hasMet, channel } = this.#parts;
    const isOver = this.#isAside || this.#hasAsked;
    return !isOver && listeners.length === 0 && !hasMet() && !channel.isUsedByProgram();
  }

  /** The main module has run for a while and nothing of it listens. */
  readyWithoutListening(): void {
    if (!this.mayBeReadyWithoutListening) return;
    this.#connected();
    this.#takeOver();
  }

  #pass(server: Server, { listen, args }: Opening): Server {
    return listen.apply(server, [...args]);
  }

  #standAside(): void {
    if (this.#isAside) return;
    this.#isAside = true;
    this.#parts.channel.clearStatus();
    this.#parts.standAside();
  }

  #listenOnInherited(server: Server, asked: AskedAddress, original: Opening): Server {
    const match = matchListener(asked, this.#parts.listeners);
    if (match === null) {
      warnings.notAdopted(asked, this.#parts.listeners);
      return this.#pass(server, original);
    }
    const { listener, isWider } = match;
    if (this.#spent.has(listener)) warnings.closedBefore(listener);
    // As it would be without tanist: one address is one server's.
    if (this.#spent.has(listener) || [...this.#claims].some((claim) => claim.listener === listener)) {
      process.nextTick(() => server.emit('error', addressInUse(asked)));
      return server;
    }
    if (isWider) warnings.wider(asked, listener);
    const path = listener.address.startsWith(UNIX) ? listener.address.slice(UNIX.length) : null;
    if (path !== null && !existsSync(path)) warnings.pathGone(path);
    const options =
      asked.signal === undefined ? { fd: listener.fd } : { fd: listener.fd, signal: asked.signal };
    const opening = { listen: this.#parts.listen, args: [options, BACKLOG] };
    return this.#claim(server, asked, listener, opening, asked.path ?? addressInfo(listener.address));
  }

  /** tanist owns no listener: the program opens its own, when it may serve. */
  #listenAlone(server: Server, asked: AskedAddress, original: Opening): Server {
    warnings.ownAddress(asked);
    const args = asked.callback === null ? original.args : original.args.slice(0, -1);
    const address = asked.path ?? addressInfo(spelled({ ...asked, host: asked.host ?? '::' }));
    return this.#claim(server, asked, null, { ...original, args }, address);
  }

  #claim(
    server: Server,
    asked: AskedAddress,
    listener: Listener | null,
    opening: Opening,
    address: ShownAddress,
  ): Server {
    const adopted = this.#adopt(server, address);
    const claim = { adopted, listener, opening };
    this.#claims.add(claim);
    server.once('close', () => this.#release(claim));
    if (asked.callback !== null) server.once('listening', asked.callback);
    if (this.#isServing) adopted.open(opening);
    else this.#await();
    return server;
  }

  #release(claim: Claim): void {
    this.#claims.delete(claim);
    if (claim.listener !== null && !claim.adopted.wasCancelled) this.#spent.add(claim.listener);
  }

  #adopt(server: Server, address: ShownAddress): AdoptedServer {
    const known = this.#servers.get(server);
    if (known !== undefined) {
      known.hold();
      return known;
    }
    const worker = this.#connected();
    worker.addDrainable(new WebSockets(server));
    if (ClusterWorkers.areServedBy(server)) {
      warnings.cluster();
      worker.addDrainable(new ClusterWorkers());
    }
    const adopted = new AdoptedServer(server, address, worker.follow(server), () => this.#isLeaving);
    this.#servers.set(server, adopted);
    return adopted;
  }

  #connected(): ConnectedWorker {
    this.#parts.channel.clearStatus();
    this.#worker ??= new ConnectedWorker(takeInheritance(process.env, process.pid), (signal) => {
      this.#isLeaving = true;
      return hasOwnHandler(signal);
    });
    return this.#worker;
  }

  #unclaimed(): readonly Listener[] {
    const claimed = new Set([...this.#claims].map(({ listener }) => listener));
    return this.#parts.listeners.filter((listener) => !claimed.has(listener));
  }

  /** A server that is held back is no reason for Node to go on: this is. */
  #await(): void {
    this.#keepAlive ??= setInterval(() => undefined, 2 ** 30);
    clearTimeout(this.#nextListen);
    if (this.#unclaimed().length === 0) {
      this.#takeOver();
      return;
    }
    this.tellWaiting();
    this.#nextListen = setTimeout(() => {
      for (const { adopted } of this.#claims) adopted.tell();
    }, NEXT_LISTEN_MS);
  }

  async #takeOver(): Promise<void> {
    if (this.#hasAsked || this.#worker === null) return;
    this.#hasAsked = true;
    if (this.#hasTold) this.#worker.status('');
    await this.#worker.prepare(this.#parts.listen);
    // Without its supervisor it leaves: whatever is held back stays so.
    const mayServe = await this.#worker.readyToTakeOver().then(
      () => true,
      () => false,
    );
    if (!mayServe) return;
    this.#isServing = true;
    clearInterval(this.#keepAlive);
    for (const { adopted, opening } of this.#claims) if (adopted.isHeld) adopted.open(opening);
  }
}

const shown = ({ name, address }: Listener): string => `${address} (${name})`;

const addressInfo = (address: string): ShownAddress => {
  const { host = '', port = 0 } = hostAndPort(address) ?? {};
  return { address: host, family: host.includes(':') ? 'IPv6' : 'IPv4', port };
};
