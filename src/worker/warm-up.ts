import { createServer } from 'node:http';
import { createConnection, Server } from 'node:net';
import { Duplex } from 'node:stream';

/** Requests that are sent: the third finds all code loaded, later ones change nothing that can be measured. */
const ROUNDS = 3;
/** One that takes longer helps nobody: the program goes on. */
const LIMIT_MS = 250;

const REQUEST = 'GET / HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n';

/** Two streams in memory: what is written to one is read from the other. */
const streamPair = (): readonly [Duplex, Duplex] => {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => {
        other().push(chunk);
        done();
      },
      final: (done) => {
        other().push(null);
        done();
      },
    });
  const client: Duplex = end(() => server);
  const server: Duplex = end(() => client);
  return [client, server];
};

/** `net.Server.prototype.listen`, or what was there before somebody put his own in its place. */
export type Listen = (this: Server, ...args: unknown[]) => Server;

/**
 * A socket under a name that is no file and no port, and that only this process knows: Linux has such names.
 *
 * @returns null where there is none; the server listens to nothing then.
 */
const openApart = (server: Server, listen: Listen): Promise<string | null> =>
  new Promise((resolve) => {
    if (process.platform !== 'linux') return resolve(null);
    const path = `\0tanist-warm-up-${process.pid}-${Math.random().toString(36).slice(2)}`;
    const done = (result: string | null) => {
      clearTimeout(limit);
      resolve(result);
    };
    const limit = setTimeout(() => {
      done(null);
      server.close();
    }, LIMIT_MS);
    server.once('error', () => done(null));
    listen.call(server, { path, exclusive: true }, () => done(path));
  });

/**
 * Lets Node load and compile its HTTP server before anybody waits for it.
 *
 * The first request of a fresh process takes 7 ms of Node's own, and those behind it wait as long (Node 20); the
 * first `listen()` as much again, when the machine is busy. It is spent here, before the worker is ready, on a server
 * that is thrown away; the program's own handler is not called. It listens for these few requests on a socket that
 * nobody else knows, or is given streams in memory where that cannot be had: then the way through the kernel stays cold.
 *
 * Never fails: what goes wrong, or takes longer than a quarter of a second, only leaves the first request slow.
 */
export const warmUpHttp = async (listen: Listen = Server.prototype.listen as Listen): Promise<void> => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end('warm');
  });
  const path = await openApart(server, listen);
  for (let round = 0; round < ROUNDS; round += 1)
    await askOnce(path === null ? inMemory(server) : createConnection(path));
  if (path !== null) server.close();
};

/** A connection to a server that listens to nothing. */
const inMemory = (server: Server): Duplex => {
  const [client, peer] = streamPair();
  peer.on('error', () => client.destroy());
  client.once('close', () => peer.destroy());
  server.emit('connection', peer);
  return client;
};

const askOnce = (client: Duplex): Promise<void> =>
  new Promise((resolve) => {
    const limit = setTimeout(finish, LIMIT_MS);
    function finish(): void {
      clearTimeout(limit);
      client.destroy();
      resolve();
    }
    client.on('data', () => undefined);
    client.once('end', finish);
    client.once('error', finish);
    client.once('close', finish);
    client.write(REQUEST);
  });
