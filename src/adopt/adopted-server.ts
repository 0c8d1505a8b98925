import { type AddressInfo, Server } from 'node:net';
import type { Connections } from '../worker/connections.js';
import { isHttpServer } from '../worker/connections.js';
import type { Listen } from '../worker/listening.js';

/** Node's own `listen`, whatever was put in its place, and what it is called with. */
export interface Opening {
  readonly listen: Listen;
  readonly args: readonly unknown[];
}

/** What `server.address()` says. */
export type ShownAddress = AddressInfo | string;

/**
 * A server whose `listen()` is held back, and which is emptied gently when it closes.
 *
 * Until it is opened it looks as if it listened, as it would right after a `listen()` on a port: `address()` and
 * `listening` say so, a second `listen()` is an error, `close()` takes it back. Only the event comes later.
 */
export class AdoptedServer {
  readonly server: Server;
  readonly #address: ShownAddress;
  readonly #connections: Connections;
  readonly #isLeaving: () => boolean;
  #state: 'held' | 'open' | 'cancelled' = 'held';
  #isTold = false;

  /** @param isLeaving says whether this process has been asked to leave. */
  constructor(server: Server, address: ShownAddress, connections: Connections, isLeaving: () => boolean) {
    this.server = server;
    this.#address = address;
    this.#connections = connections;
    this.#isLeaving = isLeaving;
    this.#shadow();
  }

  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** It was closed before it was opened. */
  get wasCancelled(): boolean {
    return this.#state === 'cancelled';
  }

  /** It is to listen again, after it was closed. */
  hold(): void {
    this.#state = 'held';
    this.#isTold = false;
  }

  /** Says `listening` before anything is accepted: the program waits for that before it goes on. */
  tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    process.nextTick(() => {
      if (this.isHeld) this.server.emit('listening');
    });
  }

  /** Accepts connections from now on. */
  open({ listen, args }: Opening): void {
    this.#state = 'open';
    if (this.#isTold) this.#swallowListening();
    listen.apply(this.server, [...args]);
  }

  /** Node's properties stay beneath: they answer whenever they know better. */
  #shadow(): void {
    const { server } = this;
    const [address, close] = [server.address, server.close];
    // Node knows no path of a server that it was given by descriptor.
    define(server, 'address', () => address.call(server) ?? (server.listening ? this.#address : null));
    define(server, 'close', (callback?: (error?: Error) => void) => {
      if (this.isHeld) this.#cancel(callback);
      else if (this.#state === 'open' && isHttpServer(server)) this.#connections.close(callback);
      else close.call(server, callback);
      return server;
    });
    Object.defineProperty(server, 'listening', {
      configurable: true,
      get: () => this.isHeld || Reflect.get(Server.prototype, 'listening', server),
    });
    if (isHttpServer(server)) this.#keepIdleConnections(server);
  }

  /** Programs close idle connections right after `close()`: asked to leave, that is when clients use them again. */
  #keepIdleConnections(server: Server & { closeIdleConnections(): void }): void {
    const { closeIdleConnections } = server;
    define(server, 'closeIdleConnections', () => {
      if (!this.#isLeaving()) closeIdleConnections.call(server);
    });
  }

  #cancel(callback: ((error?: Error) => void) | undefined): void {
    this.#state = 'cancelled';
    if (typeof callback === 'function') this.server.once('close', callback);
    Server.prototype.close.call(this.server);
  }

  #swallowListening(): void {
    const { server } = this;
    const emit: (event: string, ...args: unknown[]) => boolean = server.emit;
    define(server, 'emit', (event: string, ...args: unknown[]) => {
      if (event !== 'listening') return emit.call(server, event, ...args);
      define(server, 'emit', emit);
      return true;
    });
  }
}

const define = (server: Server, key: string, value: unknown): void => {
  Object.defineProperty(server, key, { configurable: true, writable: true, value });
};
