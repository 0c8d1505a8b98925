import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import { Server, type Socket } from 'node:net';
import type { Drainable } from './shutdown.js';

/** One connection that speaks HTTP/1. */
interface Conversation {
  readonly socket: Socket;
  /** Begun and not yet sent, in the order of the requests. */
  readonly responses: Set<ServerResponse>;
  /** `socket.bytesRead` when it last became idle. More than that is the beginning of another request. */
  idleAtBytes: number;
  grace: NodeJS.Timeout | undefined;
}

export const isHttpServer = (server: Server): server is HttpServer | HttpsServer =>
  server instanceof HttpServer || isHttpsServer(server);

/** Only a program that has a server of TLS has paid for Node's part of it already. */
const isHttpsServer = (server: Server): boolean =>
  'addContext' in server && server instanceof process.getBuiltinModule('node:https').Server;

/** Events that come with a response. A listener for the rarer ones changes what Node does, so they need one. */
const RESPONSE_EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const;

/**
 * Follows the connections of a server, so that it can be emptied without losing a request.
 *
 * Node's own `close()` of an HTTP server closes idle connections in the very moment in which clients may be
 * sending their next request. This drain accepts no more connections, says `Connection: close` with every
 * response from then on, and closes a connection only when it was idle for `graceMs`, counted from the begin
 * of the drain or from its last response, whichever came later. Connections that were upgraded (WebSocket)
 * and those of plain TCP servers are left to the program until they are cut; HTTP/2 sessions are told to go.
 */
export class Connections implements Drainable {
  readonly #server: Server;
  readonly #graceMs: number;
  readonly #sockets = new Set<Socket>();
  readonly #conversations = new Map<Socket, Conversation>();
  readonly #sessions = new Set<Http2Session>();
  #draining = false;

  constructor(server: Server, graceMs: number) {
    this.#server = server;
    this.#graceMs = graceMs;
    server.on('connection', (socket) => remember(this.#sockets, socket));
    // A server that was closed may listen again.
    server.on('listening', () => {
      this.#draining = false;
    });
    server.on('session', (session: Http2Session) => remember(this.#sessions, session));
    if (isHttpServer(server)) this.#followHttp(server);
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      // Also called, with an error, for a server that never listened: it has nothing to drain.
      this.close(() => resolve());
    });
  }

  /** Begins the drain in the place of the server's own `close()`; calls back as that does. */
  close(callback?: (error?: Error) => void): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
    for (const conversation of this.#conversations.values()) this.#beginDrain(conversation);
    Server.prototype.close.call(this.#server, callback);
  }

  cut(): number {
    const count = this.#sockets.size;
    for (const socket of this.#sockets) socket.destroy();
    return count;
  }

  #followHttp(server: HttpServer | HttpsServer): void {
    server.on('connection', (socket: Socket) => this.#conversationOn(socket));
    // The encrypted connection beneath is only ever idle as long as its client has said nothing at all.
    server.on('secureConnection', (socket: Socket) => this.#conversationOn(socket));
    for (const event of RESPONSE_EVENTS) {
      if (event !== 'request' && server.listenerCount(event) === 0) continue;
      server.prependListener(event, (_request: IncomingMessage, response: ServerResponse) => {
        this.#begun(response);
      });
    }
  }

  #conversationOn(socket: Socket): Conversation {
    const known = this.#conversations.get(socket);
    if (known !== undefined) return known;
    const conversation: Conversation = {
      socket,
      responses: new Set(),
      idleAtBytes: socket.bytesRead,
      grace: undefined,
    };
    this.#conversations.set(socket, conversation);
    socket.once('close', () => {
      clearTimeout(conversation.grace);
      this.#conversations.delete(socket);
    });
    // Accepted just before the drain began, and seen only now.
    if (this.#draining) this.#beginDrain(conversation);
    return conversation;
  }

  #begun(response: ServerResponse): void {
    const { socket } = response.req;
    const conversation = this.#conversationOn(socket);
    clearTimeout(conversation.grace);
    conversation.responses.add(response);
    if (this.#draining) sayClose(conversation);
    response.once('close', () => {
      conversation.responses.delete(response);
      conversation.idleAtBytes = socket.bytesRead;
      if (this.#draining && !socket.destroyed) this.#beginDrain(conversation);
    });
  }

  #beginDrain(conversation: Conversation): void {
    clearTimeout(conversation.grace);
    sayClose(conversation);
    conversation.grace = setTimeout(() => {
      // A busy process reads late: what has arrived by now is read before the connection is called idle.
      setImmediate(() => closeIfIdle(conversation));
    }, this.#graceMs);
  }
}

/** Says it with the last response only: the others would end the connection before those that follow. */
const sayClose = ({ responses }: Conversation): void => {
  const open = [...responses].filter((response) => !response.headersSent);
  const last = [...responses].at(-1);
  for (const response of open) response.setHeader('Connection', response === last ? 'close' : 'keep-alive');
};

const closeIfIdle = ({ socket, responses, idleAtBytes }: Conversation): void => {
  if (responses.size === 0 && socket.bytesRead === idleAtBytes) socket.destroy();
};

interface Closing {
  once(event: 'close', listener: () => void): unknown;
}

const remember = <One extends Closing>(all: Set<One>, one: One): void => {
  all.add(one);
  one.once('close', () => all.delete(one));
};
