/**
 * Listening sockets that this process owns and never accepts on.
 */
import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import type { BoundListener } from '../../machines/events.js';
import type { InheritedSpec, ListenSpec } from '../../machines/policy.js';
import { TanistError } from '../errors.js';
import { descriptorOf, duplicate, makeBlocking } from './descriptors.js';
import { portOwner } from './locks.js';

/**
 * Connections that may wait. The kernel cuts it to net.core.somaxconn; a full queue makes connections to a
 * Unix path fail at once, where TCP only waits, so it is large.
 */
const BACKLOG = 4096;
/** How long a foreign Unix socket may take to accept before it counts as somebody's. */
const CONNECT_TIMEOUT_MS = 1000;

interface Opened {
  readonly descriptor: number;
  readonly address: net.AddressInfo | string | null;
}

/**
 * Binds, listens, duplicates the descriptor and closes the server in one tick: the event loop never polls it,
 * so not one connection is accepted here.
 */
const open = (options: net.ListenOptions & { readonly fd?: number }): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ backlog: BACKLOG, exclusive: true, ...options }, () => {
      try {
        const descriptor = duplicate(descriptorOf(server));
        const address = server.address();
        makeBlocking(descriptor);
        resolve({ descriptor, address });
      } catch (error) {
        reject(error);
      } finally {
        server.close();
      }
    });
  });

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const formatAddress = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Node does not tell the path of a Unix socket that it has not bound itself. */
const UNKNOWN_PATH = 'unix:?';

/** Takes a descriptor over by listening on it once more. The descriptor itself is closed. */
export const listenOn = async (given: number): Promise<{ descriptor: number; address: string }> => {
  const { descriptor, address } = await open({ fd: given });
  const told = typeof address === 'object' && address !== null && 'port' in address ? address : null;
  return { descriptor, address: told === null ? UNKNOWN_PATH : formatAddress(told.address, told.port) };
};

const listenTcp = async (spec: ListenSpec & { kind: 'tcp' }): Promise<BoundListener> => {
  const asked = formatAddress(spec.host, spec.port);
  let opened: Opened;
  try {
    opened = await open({ host: spec.host, port: spec.port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (codeOf(error) === 'EADDRINUSE') {
      const owner = portOwner(spec.port);
      const by = owner === null ? 'by another process' : `by ${owner}`;
      throw new TanistError('TANIST_LISTEN_IN_USE', `${spec.name}: ${asked} is in use ${by}`, {
        cause: error,
      });
    }
    throw new TanistError('TANIST_LISTEN_FAILED', `${spec.name}: cannot listen on ${asked}: ${reason}`, {
      cause: error,
    });
  }
  const bound = opened.address;
  // libuv reports some failures of bind late, and a socket whose bind failed listens on a port of the kernel's choice.
  if (bound === null || typeof bound === 'string' || (spec.port !== 0 && bound.port !== spec.port)) {
    throw new TanistError(
      'TANIST_LISTEN_FAILED',
      `${spec.name}: asked for ${asked}, got ${JSON.stringify(bound)}`,
    );
  }
  return {
    name: spec.name,
    // The host as it was asked for: the system may spell it otherwise, and a successor compares the two.
    address: formatAddress(spec.host, bound.port),
    descriptor: opened.descriptor,
  };
};

export type Occupant = 'nobody' | 'stale' | 'somebody';

/** Who is at the path of a Unix socket; `stale` is a socket that refuses connections. */
export const occupantOf = (path: string): Promise<Occupant> => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return Promise.resolve('nobody');
  if (!found.isSocket()) return Promise.resolve('somebody');
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const settle = (occupant: Occupant) => {
      socket.destroy();
      resolve(occupant);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle('somebody'));
    socket.once('connect', () => settle('somebody'));
    // EAGAIN is a full queue: somebody is there. Only a refusal says that nobody is.
    socket.once('error', (error) => settle(codeOf(error) === 'ECONNREFUSED' ? 'stale' : 'somebody'));
  });
};

/** What is in the way at the path, in words. */
export const occupationOf = (path: string): string =>
  lstatSync(path, { throwIfNoEntry: false })?.isSocket()
    ? 'is a socket in use'
    : 'exists and is not a socket';

const listenPath = async (spec: ListenSpec & { kind: 'unix' }): Promise<BoundListener> => {
  const { name, path } = spec;
  if ((await occupantOf(path)) === 'somebody')
    throw new TanistError('TANIST_LISTEN_IN_USE', `${name}: ${path} ${occupationOf(path)}`);
  const descriptor = await listenUnix(path).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TanistError('TANIST_LISTEN_FAILED', `${name}: cannot listen on unix:${path}: ${reason}`, {
      cause: error,
    });
  });
  const file = fileAt(path);
  return { name, address: `unix:${path}`, descriptor, ...(file === null ? {} : { file }) };
};

/**
 * A listening Unix socket at a path. It is bound under another name and renamed into place, since closing
 * the server unlinks the name that was bound.
 */
export const listenUnix = async (path: string): Promise<number> => {
  const temporary = `${path}.${process.pid}.tmp`;
  removeQuietly(temporary);
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: temporary, backlog: BACKLOG }, () => {
      try {
        const descriptor = duplicate(descriptorOf(server));
        makeBlocking(descriptor);
        renameSync(temporary, path);
        resolve(descriptor);
      } catch (error) {
        reject(error);
      } finally {
        server.close();
      }
    });
  });
};

/** @throws {TanistError} `TANIST_LISTEN_IN_USE` or `TANIST_LISTEN_FAILED`, naming the address. */
export const listen = (spec: Exclude<ListenSpec, InheritedSpec>): Promise<BoundListener> =>
  spec.kind === 'tcp' ? listenTcp(spec) : listenPath(spec);

/** The file a name stands for, as `device:inode`; null when there is none. */
export const fileAt = (path: string): string | null => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
};

/**
 * Removes a name; one that is gone already is what was wanted, and what cannot be removed is left.
 *
 * @param file remove it only while it names this file.
 * @returns why it is still there, or null.
 */
export const removeQuietly = (path: string, file?: string): string | null => {
  try {
    if (file === undefined || fileAt(path) === file) unlinkSync(path);
    return null;
  } catch (error) {
    // A directory that forbids it will say so to whoever binds there next.
    return codeOf(error) === 'ENOENT' ? null : codeOf(error);
  }
};
