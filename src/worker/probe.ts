import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { isHttpServer } from './connections.js';
import type { Drainable } from './shutdown.js';

/**
 * Answers the supervisor's questions on the private probe socket with the program's own request handler,
 * while the shared listener may still be another generation's to serve.
 *
 * Requests, not connections, are passed on: so a server that speaks HTTPS can be asked in plain HTTP.
 */
export class Probe implements Drainable {
  readonly #server: HttpServer;

  /** @param served all servers; the first that speaks HTTP/1 is asked. */
  constructor(served: readonly Server[]) {
    this.#server = createServer((request, response) => {
      const asked = served.find(isHttpServer);
      if (asked?.emit('request', request, response) !== true) response.writeHead(503).end();
    });
  }

  async open(fd: number): Promise<void> {
    this.#server.listen({ fd });
    await once(this.#server, 'listening');
  }

  /** Nobody asks a worker that leaves. */
  async drain(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  cut(): number {
    return 0;
  }
}
