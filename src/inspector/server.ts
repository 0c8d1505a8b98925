/**
 * The inspector's HTTP server: the page, the stream it lives on, and, where that was asked for, three orders.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  cookieIn,
  cookieName,
  isOwnHost,
  isOwnOrigin,
  isSameSecret,
  newToken,
  SAFE_HEADERS,
} from './access.js';
import { readAssets } from './assets.js';
import type { Audience } from './audience.js';
import type { DaemonAnswer } from './daemon.js';
import type { Order } from './orders.js';

export interface ServerOptions {
  /** A literal address, `127.0.0.1` or `::1`. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly audience: Audience;
  /** Null: orders are answered 403. */
  readonly obey: ((order: Order, pid: number) => Promise<DaemonAnswer>) | null;
}

export interface PageServer {
  readonly port: number;
  readonly token: string;
  close(): Promise<void>;
}

const LIMITS = {
  headerBytes: 8_192,
  headersMs: 5_000,
  requestMs: 10_000,
  connections: 64,
} as const;
/** No other page can set it without being allowed to, and it is not. */
const ORDER_HEADER = 'x-tanist-inspector';
const ORDERS: Readonly<Record<string, Order>> = {
  '/control/reload': 'reload',
  '/control/stop': 'stop',
  '/control/kill': 'kill',
};

const say = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${text}\n`);
};

const NO_TOKEN =
  'This page needs the address that "tanist inspect" has printed, with its token. Copy it from there as a whole.';

/** A number from a query; 0 for none. */
const numberIn = (url: URL, name: string): number => {
  const text = url.searchParams.get(name) ?? '';
  return /^\d{1,12}$/.test(text) ? Number(text) : 0;
};

/** @throws an error of the system if the address cannot be listened on. */
export const openServer = async ({ host, port, audience, obey }: ServerOptions): Promise<PageServer> => {
  const assets = readAssets();
  const [token, session] = [newToken(), newToken()];
  let bound = { host, port };

  const isKnown = (request: IncomingMessage): boolean => {
    const cookie = cookieIn(request, cookieName(bound.port));
    return cookie !== null && isSameSecret(cookie, session);
  };

  const answerOrder = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (!isOwnOrigin(request.headers.origin, bound)) return say(response, 403, 'From another origin.');
    if (request.headers[ORDER_HEADER] !== 'order') return say(response, 403, 'Not from this page.');
    const order = ORDERS[url.pathname];
    if (order === undefined) return say(response, 404, 'There is no such order.');
    if (obey === null) return say(response, 403, 'Orders need "tanist inspect --inspect-control".');
    const { status, body } = await obey(order, numberIn(url, 'pid'));
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(body);
  };

  const answerGet = (request: IncomingMessage, response: ServerResponse, url: URL): void => {
    if (url.pathname === '/stream') {
      const last = request.headers['last-event-id'];
      const after = typeof last === 'string' && /^\d{1,12}$/.test(last) ? Number(last) : 0;
      if (!audience.admit(response, after)) say(response, 503, 'Too many look on already.');
      return;
    }
    const asset = assets.get(url.pathname);
    if (asset === undefined) return say(response, 404, 'There is nothing here.');
    response.writeHead(200, {
      'content-type': asset.contentType,
      'content-length': asset.content.length,
    });
    response.end(request.method === 'HEAD' ? undefined : asset.content);
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
    if (!isOwnHost(request.headers.host, bound)) return say(response, 421, 'This is not my address.');
    const { origin } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, bound))
      return say(response, 403, 'From another origin.');
    const url = new URL(request.url ?? '/', 'http://inspector');
    const given = url.searchParams.get('token');
    const isGet = request.method === 'GET' || request.method === 'HEAD';
    if (given !== null && isGet && url.pathname === '/') {
      if (!isSameSecret(given, token)) return say(response, 403, NO_TOKEN);
      // A cookie of the browser's session. Its name has the port: cookies do not know ports.
      const cookie = `${cookieName(bound.port)}=${session}; Path=/; HttpOnly; SameSite=Strict`;
      response.setHeader('set-cookie', cookie);
    } else if (!isKnown(request)) return say(response, 403, NO_TOKEN);
    if (isGet) return answerGet(request, response, url);
    if (request.method === 'POST') return void answerOrder(request, response, url);
    return say(response, 405, 'GET or POST.');
  };

  const server = http.createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      requestTimeout: LIMITS.requestMs,
    },
    (request, response) => {
      // Whoever goes away in the middle is gone.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
      try {
        if (length !== '0' || encoding !== undefined) {
          for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
          return say(response, 413, 'No request here has a body.');
        }
        answer(request, response);
      } catch {
        // URL() is the one thing that can throw here: a path that is none.
        if (!response.headersSent) say(response, 400, 'Not a path.');
      }
    },
  );
  server.maxConnections = LIMITS.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  bound = { host, port: (server.address() as { readonly port: number }).port };
  return {
    port: bound.port,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
