/**
 * The control socket's server: HTTP/1.1 on a Unix path, for one user.
 */
import { linkSync, renameSync } from 'node:fs';
import http from 'node:http';
import type { Socket } from 'node:net';
import type { ControlRequest, ControlServer } from './env.js';
import { gatheredStream } from './gathered-stream.js';
import { fileAt, occupantOf, occupationOf, removeQuietly } from './listening.js';

/** A client must have sent its head, and its whole request, within these times. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks for clients that do not: not often, an idle supervisor should sleep. */
const CHECK_INTERVAL_MS = 5_000;
const MAX_HEADER_BYTES = 8_192;
const MAX_BODY_BYTES = 65_536;
/**
 * Clients at once; operators are few, and each costs memory. One more takes the place of the one that has been there
 * longest without having asked for anything, so that the silent ones keep nobody out.
 */
const MAX_CONNECTIONS = 128;
/** For everybody but its owner a socket without the right to write cannot be connected to. */
const OTHERS_MASK = 0o177;

const send = (response: http.ServerResponse, status: number, body: unknown, last: boolean): void => {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: 'close',
    ...(last ? { 'content-length': Buffer.byteLength(text) } : {}),
  });
  if (last) response.end(text);
  else response.write(text);
};

const asControlRequest = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  held: Map<http.ServerResponse, () => void>,
): ControlRequest => {
  const url = new URL(request.url ?? '/', 'http://control');
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    respond: (status, body) => {
      if (!response.headersSent && !response.destroyed) send(response, status, body, true);
    },
    respondText: (contentType, text) => {
      if (response.headersSent || response.destroyed) return;
      const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(text) };
      response.writeHead(200, { ...headers, connection: 'close' });
      response.end(text);
    },
    stream: (contentType, onClose) => {
      if (response.headersSent || response.destroyed) {
        onClose();
        return { write: () => 0, abort: () => undefined };
      }
      const stream = gatheredStream(response);
      held.set(response, stream.end);
      response.once('close', () => {
        held.delete(response);
        onClose();
      });
      const headers = { 'content-type': contentType, 'cache-control': 'no-store', connection: 'close' };
      response.writeHead(200, headers);
      return stream;
    },
    hold: (status, body) => {
      if (response.headersSent || response.destroyed) return;
      held.set(response, () => response.end());
      response.once('close', () => held.delete(response));
      send(response, status, body, false);
    },
  };
};

const reply = (response: http.ServerResponse, status: number, message: string, hint: string): void =>
  send(response, status, { error: { code: 'TANIST_CONTROL_PROTOCOL', message, hint } }, true);

/** File systems without hard links: what was seen a moment ago has to do. */
const UNLINKABLE: readonly string[] = ['EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK'];

/**
 * Gives a socket its name, if nobody has it but a socket that refuses connections.
 *
 * Two that start at the same time are told apart by link(2), which never replaces a name.
 */
const takeName = async (temporary: string, path: string): Promise<void> => {
  const seen = fileAt(path);
  const occupant = await occupantOf(path);
  if (occupant === 'somebody') throw new Error(`${path} ${occupationOf(path)}`);
  if (occupant === 'stale' && seen !== null) removeQuietly(path, seen);
  try {
    linkSync(temporary, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EEXIST') throw new Error(`${path} ${occupationOf(path)}`);
    if (!UNLINKABLE.includes(code)) throw error;
    renameSync(temporary, path);
  }
};

/** Two servers of one process may be about to have the same path: their temporary names are different. */
let claims = 0;

/** At most as long as `overlong()` leaves room for. */
const temporaryNameOf = (path: string): string => {
  claims = (claims + 1) % 100;
  return `${path}.${process.pid}-${claims}.tmp`;
};

/** Everybody who is connected, in the order in which they came. */
class Clients {
  readonly #all = new Set<Socket>();
  /** Those of whom no whole request has come yet. */
  readonly #silent = new Set<Socket>();

  add(socket: Socket): void {
    this.#all.add(socket);
    this.#silent.add(socket);
    socket.once('close', () => this.#forget(socket));
    if (this.#all.size <= MAX_CONNECTIONS) return;
    const [oldest = socket] = this.#silent;
    // It closes a moment later; its place is free from now on.
    this.#forget(oldest);
    oldest.destroy();
  }

  asked(socket: Socket): void {
    this.#silent.delete(socket);
  }

  #forget(socket: Socket): void {
    this.#all.delete(socket);
    this.#silent.delete(socket);
  }
}

export const createControlServer = (handler: (request: ControlRequest) => void): ControlServer => {
  /** Answers whose body ends when this supervisor does. */
  const held = new Map<http.ServerResponse, () => void>();
  const clients = new Clients();
  const listen = (request: http.IncomingMessage, response: http.ServerResponse) => {
    let size = 0;
    request.on('error', () => {
      // The client went away in the middle of its request: nobody is left to be told.
    });
    response.on('error', () => {
      // The same, in the middle of the answer.
    });
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) return;
      if (!response.headersSent)
        reply(response, 413, `the body is longer than ${MAX_BODY_BYTES} bytes`, 'Send none.');
      request.destroy();
    });
    request.on('end', () => {
      if (size > MAX_BODY_BYTES) return;
      clients.asked(request.socket);
      try {
        handler(asControlRequest(request, response, held));
      } catch (error) {
        // URL() is the one thing that can throw here: a path that is none.
        if (!response.headersSent)
          reply(response, 400, `bad request: ${String(error)}`, 'Ask for a path of the contract.');
      }
    });
  };
  const make = (): http.Server => {
    const server = http.createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      },
      listen,
    );
    server.on('connection', (socket) => clients.add(socket));
    server.on('clientError', (error, socket) => {
      if (socket.writable && !('code' in error && error.code === 'ECONNRESET')) {
        socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      } else socket.destroy();
    });
    return server;
  };
  const servers = new Set<http.Server>();
  let owned: { path: string; file: string } | null = null;

  const isOurs = (path: string): boolean =>
    owned !== null && owned.path === path && fileAt(path) === owned.file;

  return {
    async claim(path, first) {
      if (isOurs(path)) return;
      const temporary = temporaryNameOf(path);
      removeQuietly(temporary);
      const server = make();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // It is bound before listen() returns: at no moment can anybody else connect.
        const before = process.umask(OTHERS_MASK);
        try {
          server.listen({ path: temporary }, resolve);
        } finally {
          process.umask(before);
        }
      });
      try {
        if (first) await takeName(temporary, path);
        else renameSync(temporary, path);
      } catch (error) {
        server.close();
        throw error;
      } finally {
        removeQuietly(temporary);
      }
      owned = { path, file: fileAt(path) ?? '' };
      // Whoever is connected to an earlier listener of ours keeps waiting for his answer there.
      for (const earlier of servers) earlier.close();
      servers.add(server);
      server.once('close', () => servers.delete(server));
    },
    remove() {
      if (owned !== null && isOurs(owned.path)) removeQuietly(owned.path);
    },
    close() {
      for (const end of held.values()) end();
      for (const server of servers) server.close();
    },
    abandon() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
};
