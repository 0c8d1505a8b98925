import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, Server } from 'node:net';
import { Duplex } from 'node:stream';
import { PONG } from '../protocol/channel.js';
import { Connections } from './connections.js';
import { type Listen, listenOn } from './listening.js';
import { type ChannelStream, SupervisorChannel } from './supervisor-channel.js';

/** Requests that are sent: the third finds all code loaded, later ones change nothing that can be measured. */
const ROUNDS = 3;
/** One that takes longer helps nobody: the program goes on. */
const LIMIT_MS = 250;

const REQUEST = 'GET /?say=warm HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n';

const nothing = (): void => undefined;

/** Two streams in memory: what is written to one is read from the other. */
const streamPair = (): readonly [ChannelStream, ChannelStream] => {
  const end = (other: () => Duplex): ChannelStream =>
    Object.assign(
      new Duplex({
        read: nothing,
        write: (chunk, _encoding, done) => {
          other().push(chunk);
          done();
        },
        final: (done) => {
          other().push(null);
          done();
        },
      }),
      { ref: nothing, unref: nothing },
    );
  const client: ChannelStream = end(() => server);
  const server: ChannelStream = end(() => client);
  return [client, server];
};

/**
 * A socket under a name that is no file and no port, and that only this process knows: Linux has such names.
 *
 * @returns null where there is none; the server listens to nothing then.
 */
const openApart = async (server: Server, listen: Listen): Promise<string | null> => {
  if (process.platform !== 'linux') return null;
  const path = `\0tanist-warm-up-${process.pid}-${Math.random().toString(36).slice(2)}`;
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(new Error(`it does not listen within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    await Promise.race([listenOn(server, { path, exclusive: true }, listen), late]);
    return path;
  } catch {
    // It does without.
    server.close();
    return null;
  } finally {
    clearTimeout(limit);
  }
};

/** Does what nearly every handler does: takes the address apart, answers. */
const httpServer = (): Server =>
  createHttpServer(({ url = '/' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://warm-up');
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end(searchParams.get('say') ?? pathname);
  });

/** Hears an answer as a worker hears `ok`, from nobody. */
const rehearseChannel = async (): Promise<void> => {
  const [near, far] = streamPair();
  far.once('data', () => far.write(`${PONG}\n`));
  // Answered in memory; if it ever were not, the ping's own limit ends it.
  await new SupervisorChannel(near, LIMIT_MS, nothing).ping().catch(nothing);
};

/**
 * Lets Node load and compile all that lies between `ok` and the first answer, before anybody waits for it: hearing a
 * word, listening, accepting, and with `http` Node's HTTP server.
 *
 * The first request of a fresh process takes 7 ms of Node's own, and those behind it wait as long (Node 20); the
 * first `listen()` as much again, when the machine is busy; this library's own part 2 ms. It is spent here, before the
 * worker is ready, on a server that is thrown away; the program's own handler is not called. It listens for these few
 * requests on a socket that nobody else knows, or is given streams in memory where that cannot be had: then the way
 * through the kernel stays cold.
 *
 * Never fails: what goes wrong, or takes longer than a quarter of a second, only leaves the first request slow.
 */
export const warmUp = async (
  http: boolean,
  listen: Listen = Server.prototype.listen as Listen,
): Promise<void> => {
  await rehearseChannel();
  const server = http ? httpServer() : createServer((socket) => socket.end('warm'));
  new Connections(server, 0);
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
