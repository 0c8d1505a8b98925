/**
 * Descriptors: duplicate, mark, sweep, and make two that are connected.
 */
import { closeSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import net from 'node:net';
import { fsExt } from './fs-ext.js';

// fcntl(2) commands that fs-ext has no name for. From <fcntl.h> of each system.
const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = process.platform === 'darwin' ? 0x4 : 0o4000;
const FD_CLOEXEC = 1;
/** Duplicates start here, above what a child expects at fixed numbers. */
const FIRST_DUPLICATE = 10;

/** A duplicate that no child inherits by accident. */
export const duplicate = (descriptor: number): number =>
  fsExt().fcntlSync(descriptor, F_DUPFD_CLOEXEC, FIRST_DUPLICATE);

/** The description is shared: do this once, before anybody else has it. */
export const makeBlocking = (descriptor: number): void => {
  const flags = fsExt().fcntlSync(descriptor, F_GETFL, 0);
  fsExt().fcntlSync(descriptor, F_SETFL, flags & ~O_NONBLOCK);
};

/**
 * The descriptor of a socket or server. Node has no public name for it; the private one is as old as Node,
 * and its absence is an error here rather than a guess.
 */
export const descriptorOf = (socket: net.Socket | net.Server): number => {
  const handle: unknown = Reflect.get(socket, '_handle');
  const descriptor: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : null;
  if (typeof descriptor !== 'number' || descriptor < 0)
    throw new Error('this Node does not tell a socket’s descriptor');
  return descriptor;
};

const descriptorDirectory = process.platform === 'darwin' ? '/dev/fd' : '/proc/self/fd';

/**
 * Marks every descriptor above the standard streams close-on-exec: whoever started us may have left some
 * open, and Node marks only those that follow each other from 0 on.
 */
export const sweepDescriptors = (): void => {
  for (const name of readdirSync(descriptorDirectory)) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      fsExt().fcntlSync(descriptor, 'setfd', FD_CLOEXEC);
    } catch {
      // The directory's own descriptor was in the list and is closed by now.
    }
  }
};

/** Closes a descriptor; one that is closed already is what was wanted. */
export const closeQuietly = (descriptor: number): void => {
  try {
    closeSync(descriptor);
  } catch {
    // EBADF: somebody closed it before.
  }
};

const listening = (server: net.Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });

/** Both ends of one connection to the server; they are added to `sockets` as soon as they exist. */
const connectTo = (server: net.Server, path: string, sockets: net.Socket[]): Promise<void> =>
  new Promise((resolve, reject) => {
    let missing = 2;
    const found = () => {
      missing -= 1;
      if (missing === 0) resolve();
    };
    server.once('error', reject);
    server.once('connection', (peer) => {
      sockets.push(peer);
      found();
    });
    const client = net.connect({ path }, found);
    sockets.push(client);
    client.once('error', reject);
    // Where no descriptor is left libuv accepts by closing at once, and no server hears of it.
    client.once('close', () => reject(new Error('the connection was closed: are there descriptors left?')));
  });

/** Directories in which two ends are being made; a process that exits meanwhile takes them along. */
const rooms = new Set<string>();
const removeRoom = (room: string): void => rmSync(room, { recursive: true, force: true });
const removeRooms = (): void => rooms.forEach(removeRoom);

const enterRoom = (directory: string): string => {
  const room = mkdtempSync(`${directory}/.tanist-`);
  if (rooms.size === 0) process.on('exit', removeRooms);
  rooms.add(room);
  return room;
};

const leaveRoom = (room: string): void => {
  removeRoom(room);
  rooms.delete(room);
  if (rooms.size === 0) process.off('exit', removeRooms);
};

/**
 * Two connected stream sockets in one process.
 *
 * Node has no socketpair(2) for itself: a listener in a private directory is connected to once and removed.
 * Rejects when the system gives no more; nothing stays open then.
 */
export const socketPair = async (directory: string): Promise<readonly [number, number]> => {
  const room = enterRoom(directory);
  const path = `${room}/s`;
  const server = net.createServer({ pauseOnConnect: true });
  const sockets: net.Socket[] = [];
  const pair: number[] = [];
  try {
    await listening(server, path);
    await connectTo(server, path, sockets);
    for (const socket of sockets) pair.push(duplicate(descriptorOf(socket)));
    return [pair[0] ?? -1, pair[1] ?? -1];
  } catch (error) {
    for (const descriptor of pair) closeQuietly(descriptor);
    throw error;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    leaveRoom(room);
  }
};

/** The reading end of a closed stream that holds one byte. */
export const makeToken = async (directory: string): Promise<number> => {
  const [write, read] = await socketPair(directory);
  writeSync(write, 'T');
  closeSync(write);
  return read;
};

/** The kernel gives the byte once: to everybody else the stream has ended. */
export const takeToken = (descriptor: number): boolean =>
  readSync(descriptor, Buffer.alloc(1), 0, 1, null) === 1;
