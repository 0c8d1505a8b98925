import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Drainable } from '../worker/shutdown.js';

/** RFC 6455: a final frame (0x80) that closes (0x8), two bytes of payload, the status 1001: going away. */
const GOING_AWAY = Uint8Array.of(0x88, 2, 0x03, 0xe9);

/** A connection that was quiet for so long is not in the middle of something. */
const QUIET_MS = 1_000;

/** One connection, and what had passed through it when it was last looked at. */
interface Visit {
  readonly socket: Duplex & { bytesRead?: number; bytesWritten?: number };
  bytes: number;
  isTold: boolean;
}

/**
 * Tells clients of WebSockets that this process goes away, so that they connect anew: to the next generation.
 *
 * The close frame goes between two frames of the program's, which writes whole ones; what its library does when the
 * client answers it, closing the connection, is as it is for every client that leaves. A connection is told when it
 * has been quiet for a second, at the latest when all that is open is cut.
 */
export class WebSockets implements Drainable {
  readonly #visits = new Set<Visit>();

  constructor(server: Server) {
    followUpgrades(server, (request, socket) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') return;
      const visit: Visit = { socket, bytes: -1, isTold: false };
      this.#visits.add(visit);
      socket.once('close', () => this.#visits.delete(visit));
    });
  }

  /** Does not wait for the connections: who follows the server does. */
  async drain(): Promise<void> {
    const look = () => {
      for (const visit of this.#visits) {
        const bytes = bytesOf(visit);
        if (bytes === visit.bytes) sayGoodbye(visit);
        visit.bytes = bytes;
      }
    };
    look();
    setInterval(look, QUIET_MS).unref();
  }

  cut(): number {
    for (const visit of this.#visits) sayGoodbye(visit);
    return 0;
  }
}

const bytesOf = ({ socket }: Visit): number => (socket.bytesRead ?? 0) + (socket.bytesWritten ?? 0);

const sayGoodbye = (visit: Visit): void => {
  if (visit.isTold || !visit.socket.writable) return;
  visit.isTold = true;
  visit.socket.write(GOING_AWAY);
};

/**
 * Sees each upgrade that the program takes. A listener alone would make Node upgrade what nobody takes, so it comes
 * with the program's and goes with the last of them.
 */
const followUpgrades = (server: Server, seen: (request: IncomingMessage, socket: Duplex) => void): void => {
  let isFollowing = server.listenerCount('upgrade') > 0;
  if (isFollowing) server.prependListener('upgrade', seen);
  server.on('newListener', (event) => {
    if (event !== 'upgrade' || isFollowing) return;
    isFollowing = true;
    server.prependListener('upgrade', seen);
  });
  server.on('removeListener', (event) => {
    if (event !== 'upgrade' || !isFollowing || server.listenerCount('upgrade') !== 1) return;
    isFollowing = false;
    server.removeListener('upgrade', seen);
  });
};
