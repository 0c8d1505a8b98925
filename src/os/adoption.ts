/**
 * Listening sockets that somebody else has opened, for us to own: one descriptor, or those of socket activation.
 */
import { existsSync, fstatSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import type { BoundListener } from '../../machines/events.js';
import type { InheritedSpec } from '../../machines/policy.js';
import { TanistError } from '../errors.js';
import { FIRST_LISTENER_FD, VARIABLES } from '../protocol/environment.js';
import { makeBlocking } from './descriptors.js';
import { listenOn } from './listening.js';

/** A service manager hands over a few; more is no number it has meant. */
const MOST_LISTENERS = 1_024;

/** The kernel's tables of sockets: those of our network namespace, and of the one that processes start in. */
const TABLES = ['/proc/self/net', '/proc/1/net'];
/** net/tcp_states.h and net/unix/af_unix.c, as the tables show them. */
const TCP_LISTEN = '0A';
const UNIX_ACCEPTS = 0x10000;
const UNIX_STREAM = '0001';

/**
 * Makes inherited sockets ours. They are blocking from then on, as programs of every language expect.
 *
 * @throws {TanistError} `TANIST_LISTEN_INHERITED` for what is no listening stream socket, or not meant for us.
 */
export const adopt = async (spec: InheritedSpec): Promise<readonly BoundListener[]> => {
  if (spec.kind === 'fd') return [await adoptOne(spec.name, spec.descriptor, `fd:${spec.descriptor}`)];
  const names = activatedNames();
  const listeners: BoundListener[] = [];
  for (const [index, name] of names.entries()) {
    listeners.push(await adoptOne(name, FIRST_LISTENER_FD + index, 'systemd'));
  }
  // Whoever comes after us must not take them for its own.
  for (const variable of [VARIABLES.listenFds, VARIABLES.listenFdNames, VARIABLES.listenPid])
    delete process.env[variable];
  return listeners;
};

const refusal = (message: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_LISTEN_INHERITED', message, cause === undefined ? {} : { cause });

const adoptOne = async (name: string, descriptor: number, origin: string): Promise<BoundListener> => {
  const who = `${name}: descriptor ${descriptor}`;
  const inode = socketInode(descriptor, who);
  if (!TABLES.some(existsSync)) return { name, origin, ...(await adoptBlindly(descriptor, who)) };
  const address = listeningAddress(inode);
  if (address === null) {
    throw refusal(`${who} is a socket, but none that listens for connections: expected a TCP or Unix stream`);
  }
  makeBlocking(descriptor);
  return { name, address, descriptor, origin };
};

const socketInode = (descriptor: number, who: string): string => {
  let found: ReturnType<typeof fstatSync>;
  try {
    found = fstatSync(descriptor);
  } catch (cause) {
    throw refusal(`${who} is not open: whoever starts tanist must leave it open`, cause);
  }
  if (!found.isSocket()) throw refusal(`${who} is not a socket: expected one that listens for connections`);
  return String(found.ino);
};

/** Where no table tells, listening once more is the test: it fails for a connection, and for datagrams. */
const adoptBlindly = async (
  descriptor: number,
  who: string,
): Promise<{ descriptor: number; address: string }> => {
  try {
    return await listenOn(descriptor);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refusal(`${who} does not listen for connections: ${reason}`, cause);
  }
};

/** Where a socket listens, in the words of a listener's address; null for one that does not. */
const listeningAddress = (inode: string): string | null => {
  for (const folder of TABLES) {
    const found =
      tcpAddress(rowsOf(`${folder}/tcp`), inode) ??
      tcpAddress(rowsOf(`${folder}/tcp6`), inode) ??
      unixAddress(rowsOf(`${folder}/unix`), inode);
    if (found !== null) return found;
  }
  return null;
};

const rowsOf = (table: string): readonly string[] => {
  try {
    return readFileSync(table, 'utf8').split('\n').slice(1);
  } catch {
    // EACCES for another user's process, ENOENT where the kernel has no IPv6: nothing is found there.
    return [];
  }
};

const tcpAddress = (rows: readonly string[], inode: string): string | null => {
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    if (fields[9] !== inode || state !== TCP_LISTEN) continue;
    const [host = '', port = ''] = local.split(':');
    return `${hostOf(Buffer.from(host, 'hex'))}:${Number.parseInt(port, 16)}`;
  }
  return null;
};

/** The table shows an address as 32-bit words in the order of this machine. */
const hostOf = (words: Buffer): string => {
  const bytes = endianness() === 'LE' ? words.swap32() : words;
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname;
};

const unixAddress = (rows: readonly string[], inode: string): string | null => {
  for (const row of rows) {
    const [, flags = '', type, number, path] = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+) (.*)$/.exec(row) ?? [];
    if (number !== inode) continue;
    const accepts = (Number.parseInt(flags, 16) & UNIX_ACCEPTS) !== 0;
    return accepts && type === UNIX_STREAM ? `unix:${path}` : null;
  }
  return null;
};

/** The names of the sockets that a service manager says it has given to this very process. */
const activatedNames = (): readonly string[] => {
  const { LISTEN_PID: pid, LISTEN_FDS: text, LISTEN_FDNAMES: given } = process.env;
  if (text === undefined || pid === undefined) {
    throw refusal('systemd: LISTEN_FDS and LISTEN_PID are not set, so no socket was passed to this process');
  }
  if (pid !== String(process.pid)) {
    throw refusal(
      `systemd: LISTEN_PID is ${pid}, but this process is ${process.pid}: the sockets are another's (a shell in between must exec)`,
    );
  }
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_LISTENERS) {
    throw refusal(
      `systemd: LISTEN_FDS is ${JSON.stringify(text)}: expected a number from 1 to ${MOST_LISTENERS}`,
    );
  }
  const names = given === undefined || given === '' ? [] : given.split(':');
  if (names.length > 0 && names.length !== count) {
    throw refusal(`systemd: LISTEN_FDNAMES has ${names.length} names for ${count} sockets`);
  }
  return numbered(Array.from({ length: count }, (_, index) => names[index] || 'systemd'));
};

/** One socket unit may have several sockets of one name: `web`, `web-2`, `web-3`. */
const numbered = (names: readonly string[]): readonly string[] => {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
};
