/**
 * Which of tanist's listeners a program means by an address.
 */
import { realpathSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import type { AskedAddress } from './listen-arguments.js';

/** A listener that this process has inherited. */
export interface Listener {
  readonly name: string;
  readonly fd: number;
  /** As bound: `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`. */
  readonly address: string;
}

export interface Match {
  readonly listener: Listener;
  /** It can be reached from where the program did not mean to be reached from. */
  readonly isWider: boolean;
}

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export const UNIX = 'unix:';

/** Null for a Unix listener. */
export const hostAndPort = (address: string): HostAndPort | null => {
  const [, host, port] = /^(.*):(\d+)$/.exec(address.startsWith(UNIX) ? '' : address) ?? [];
  return host === undefined ? null : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
};

const isEverywhere = (host: string): boolean => /^(0\.0\.0\.0|[0:]+)$/.test(host);

const isLoopback = (host: string): boolean => {
  if (host === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
};

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [isIP(one), isIP(other)];
  if (a === 0 || a !== b) return one === other;
  const list = new BlockList();
  const family = a === 4 ? 'ipv4' : 'ipv6';
  list.addAddress(one, family);
  return list.check(other, family);
};

/** How well a listener fits: 3 exactly, 2 narrower than was asked or the same loopback, 1 wider; 0 not at all. */
const fitOf = (host: string | null, listening: string): number => {
  if (host === null || isEverywhere(host)) return isEverywhere(listening) ? 3 : 2;
  if (isSame(host, listening)) return 3;
  if (isEverywhere(listening)) return 1;
  return isLoopback(host) && isLoopback(listening) ? 2 : 0;
};

/** A path as the file system has it: its directory may be reached through a symbolic link. */
const physical = (path: string): string => {
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    // A directory that does not exist holds no socket: the path as it is will match nothing.
    return absolute;
  }
};

/**
 * The listener that fits best; null for none.
 *
 * The port must be the same. A program that listens everywhere gets what tanist has of it, be it one address;
 * `localhost`, 127.0.0.1 and ::1 mean the same. One that asks for a certain address gets a listener on all
 * addresses, too: the operator has said where the service is to be reached. Names are not looked up.
 */
export const matchListener = (asked: AskedAddress, listeners: readonly Listener[]): Match | null => {
  if (asked.path !== null) {
    const wanted = physical(asked.path);
    const found = listeners.find(
      ({ address }) => address.startsWith(UNIX) && physical(address.slice(UNIX.length)) === wanted,
    );
    return found === undefined ? null : { listener: found, isWider: false };
  }
  const fits = listeners.flatMap((listener) => {
    const listening = hostAndPort(listener.address);
    if (listening === null || listening.port !== asked.port) return [];
    const fit = fitOf(asked.host, listening.host);
    return fit === 0 ? [] : [{ listener, fit }];
  });
  const best = fits.toSorted((one, other) => other.fit - one.fit)[0];
  return best === undefined ? null : { listener: best.listener, isWider: best.fit === 1 };
};

/** An address in the words of `--listen`. */
export const spelled = ({ port, host, path }: AskedAddress): string => {
  if (path !== null) return `${UNIX}${resolve(path)}`;
  if (host === null) return String(port);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};
