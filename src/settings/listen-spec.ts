/**
 * Listening addresses as people write them:
 * `8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`, `fd:3`, each with an optional `name=` in front, or `systemd`.
 */
import { resolve } from 'node:path';
import type { ListenSpec } from '../../machines/policy.js';
import { type Mistake, type Reading, wrongValue } from './mistake.js';
import { overlong } from './unix-path.js';

export interface ListenContext {
  /** Relative Unix paths start here. */
  readonly cwd: string;
  readonly platform: string;
}

type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly descriptor: number };

const FORMS =
  '8080, 127.0.0.1:8080, [::1]:8080, unix:/path or fd:3, with or without name= in front, or systemd';
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** Up to the first `=`, unless something of an address comes before it: a path may contain one. */
const NAMED = /^([^=:/[\]]*)=(.*)$/s;
const SYSTEMD = 'systemd';
/** 0 to 2 are the standard streams; the system allows a process a million descriptors or so. */
const DESCRIPTOR = /^([3-9]|[1-9]\d{1,6})$/;
const ALL_IPV4 = '0.0.0.0';

/** Reads all addresses of one supervisor; unnamed ones are `listen0`, `listen1`, … by position. */
export const readListeners = (
  option: string,
  raws: readonly unknown[],
  context: ListenContext,
): { readonly listen: readonly ListenSpec[]; readonly mistakes: readonly Mistake[] } => {
  const listen: ListenSpec[] = [];
  const mistakes: Mistake[] = [];
  raws.forEach((raw, position) => {
    if (typeof raw !== 'string') {
      mistakes.push(wrongValue(option, raw, `a string: ${FORMS}`));
      return;
    }
    const { name, rest } = splitName(raw, position);
    const reading = readSpec(raw, name, rest, context);
    if ('expected' in reading) mistakes.push(wrongValue(option, raw, reading.expected));
    else {
      const clash = clashWith(listen, reading.value);
      if (clash !== null) mistakes.push(wrongValue(option, raw, clash));
      listen.push(reading.value);
    }
  });
  return { listen, mistakes };
};

const splitName = (raw: string, position: number): { name: string; rest: string } => {
  const [, name, rest] = NAMED.exec(raw) ?? [];
  return name === undefined || rest === undefined ? { name: `listen${position}`, rest: raw } : { name, rest };
};

const readSpec = (whole: string, name: string, rest: string, context: ListenContext): Reading<ListenSpec> => {
  if (whole === SYSTEMD) return { value: { name: SYSTEMD, kind: 'systemd' } };
  if (rest === SYSTEMD) return { expected: 'systemd without a name: the socket units give the names' };
  if (!NAME.test(name)) {
    return { expected: 'a name of 1 to 64 letters, digits, dots, dashes and underscores before the "="' };
  }
  const address = readAddress(rest, context);
  return 'expected' in address ? address : { value: { name, ...address.value } };
};

const readAddress = (text: string, context: ListenContext): Reading<Address> => {
  if (text.startsWith('unix:')) return readPath(text.slice('unix:'.length), context);
  if (text.startsWith('fd:')) return readDescriptor(text.slice('fd:'.length));
  if (/^\d+$/.test(text)) return withPort(ALL_IPV4, text);
  const [, host, port] = /^(.*):([^:\]]*)$/s.exec(text) ?? [];
  if (host === undefined || port === undefined) return { expected: FORMS };
  const literal = readHost(host);
  return 'expected' in literal ? literal : withPort(literal.value, port);
};

/** An address of this machine alone, or one that is spelled out: `8080`, `127.0.0.1:0`, `[::1]:8080`. */
export const readLoopbackAddress = (raw: unknown): Reading<{ host: string; port: number }> => {
  const [, host, port] = /^(?:(.*):)?([^:\]]*)$/s.exec(String(raw)) ?? [];
  if (port === undefined) return { expected: 'an address such as 127.0.0.1:0, [::1]:8080 or 8080' };
  const literal = readHost(host ?? '127.0.0.1');
  if ('expected' in literal) return literal;
  const address = withPort(literal.value, port);
  if ('expected' in address || address.value.kind !== 'tcp') return { expected: 'a port from 0 to 65535' };
  return { value: { host: literal.value, port: address.value.port } };
};

const readPath = (path: string, context: ListenContext): Reading<Address> => {
  if (path === '' || path.endsWith('/') || path.includes('\0')) {
    return { expected: 'the path of a socket after "unix:"' };
  }
  const absolute = resolve(context.cwd, path);
  const tooLong = overlong(absolute, context.platform);
  return tooLong === null ? { value: { kind: 'unix', path: absolute } } : { expected: tooLong };
};

const readDescriptor = (number: string): Reading<Address> =>
  DESCRIPTOR.test(number)
    ? { value: { kind: 'fd', descriptor: Number(number) } }
    : { expected: 'the number of a descriptor from 3 on after "fd:"' };

const withPort = (host: string, port: string): Reading<Address> =>
  /^\d{1,5}$/.test(port) && Number(port) <= 65_535
    ? { value: { kind: 'tcp', host, port: Number(port) } }
    : { expected: 'a port from 0 to 65535' };

/** Only literals: a host name may mean several addresses, and others tomorrow. */
const readHost = (host: string): Reading<string> => {
  if (isIpv4(host)) return { value: host };
  const inner = /^\[([0-9a-fA-F:.]+)\]$/.exec(host)?.[1];
  const ipv6 = inner === undefined ? null : canonicalIpv6(inner);
  if (ipv6 !== null) return { value: ipv6 };
  if (canonicalIpv6(host) !== null) return { expected: `brackets around an IPv6 address: [${host}]:port` };
  return { expected: 'an IP address before the port, such as 127.0.0.1 or [::1], not a host name' };
};

const isIpv4 = (host: string): boolean => {
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};

/** One spelling for one address, so that duplicates are seen. */
const canonicalIpv6 = (text: string): string | null => {
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return null;
  const url = `http://[${text}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
};

const clashWith = (others: readonly ListenSpec[], spec: ListenSpec): string | null => {
  if (others.some((other) => other.name === spec.name)) {
    return `a name that is not taken: ${spec.name} is another listener's`;
  }
  const same = others.find((other) => sameAddress(other, spec));
  return same === undefined ? null : `an address that is not taken: it is that of ${same.name}`;
};

const sameAddress = (one: ListenSpec, other: ListenSpec): boolean => {
  if (one.kind === 'fd') return other.kind === 'fd' && one.descriptor === other.descriptor;
  if (one.kind === 'systemd') return other.kind === 'systemd';
  if (one.kind === 'unix') return other.kind === 'unix' && one.path === other.path;
  // Port 0 is a different free port each time.
  return other.kind === 'tcp' && one.port !== 0 && one.port === other.port && one.host === other.host;
};
