import type { ListenOptions, Server } from 'node:net';
import type { Inheritance, InheritedListener } from './inheritance.js';
import { WorkerError } from './worker-error.js';

/** Where to listen: a port on all addresses, a path, or what `server.listen()` takes. */
export type Address = number | string | ListenOptions;

interface Descriptor {
  readonly fd: number;
}

/** Kept long, because every `listen()` sets it anew for all workers; the system cuts it to its own limit. */
export const BACKLOG = 65_535;

/**
 * The inherited listener of that name; without a name, the first.
 *
 * @throws {WorkerError} `TANIST_NO_LISTENER` or `TANIST_UNKNOWN_LISTENER`
 */
export const findListener = (inheritance: Inheritance, name?: string): InheritedListener => {
  const { listeners } = inheritance;
  const found = name === undefined ? listeners[0] : listeners.find((listener) => listener.name === name);
  if (found !== undefined) return found;
  if (listeners.length === 0) throw new WorkerError('TANIST_NO_LISTENER', whyNone(inheritance));
  const names = listeners.map((listener) => `"${listener.name}"`).join(', ');
  throw new WorkerError('TANIST_UNKNOWN_LISTENER', `There is no listener "${name}": there is ${names}.`);
};

/** How a server is to be made to listen: the inherited listener, else the fallback. */
export const chooseAddress = (
  inheritance: Inheritance,
  name: string | undefined,
  fallback: Address | undefined,
): Address | Descriptor =>
  inheritance.listeners.length === 0 && fallback !== undefined
    ? fallback
    : { fd: findListener(inheritance, name).fd };

/** Clients that wait are accepted in the turn of the event loop after this one, and heard in the second. */
const TURNS_FOR_CLIENTS = 2;

/** Calls back when the event loop has turned so many times after this turn. */
const afterTurns = (count: number, callback: () => void): void => {
  setImmediate(() => (count === 0 ? callback() : afterTurns(count - 1, callback)));
};

/** `net.Server.prototype.listen`, or what was there before somebody put his own in its place. */
export type Listen = (this: Server, ...args: unknown[]) => Server;

/**
 * Resolves when the server listens, and whoever waited for that has been accepted and heard; rejects with the system's
 * error.
 *
 * @param listen default: the server's own.
 */
export const listenOn = (
  server: Server,
  address: Address | Descriptor,
  listen: Listen = server.listen as Listen,
): Promise<void> =>
  // Not by once() of node:events: clients wait while that is compiled, 0.4 ms where nothing has used it.
  new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.removeListener('listening', listens);
      reject(error);
    };
    const listens = () => {
      server.removeListener('error', failed);
      afterTurns(TURNS_FOR_CLIENTS, resolve);
    };
    // What is wrong with the address is thrown.
    if (typeof address === 'object') listen.call(server, address, BACKLOG);
    else listen.call(server, address);
    server.once('error', failed);
    server.once('listening', listens);
  });

const whyNone = ({ listenersOfPid, channelFd }: Inheritance): string => {
  if (listenersOfPid !== null)
    return (
      `The inherited listeners are meant for process ${listenersOfPid}, and this is process ${process.pid}. ` +
      'Something between the supervisor and this program, npm or a shell, made a process of its own: give ' +
      'tanist the program itself, as in "tanist run --listen 3000 -- node app.js".'
    );
  const missing =
    channelFd === null
      ? 'This program was started without tanist, so it has inherited no listener.'
      : 'The supervisor has no listener.';
  return (
    `${missing} Start it with "tanist run --listen 3000 -- node app.js", or say where to listen without: ` +
    'serve(server, { fallback: 3000 }).'
  );
};
