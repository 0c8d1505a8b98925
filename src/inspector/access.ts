/**
 * Who may ask: the token, the cookie it is changed for, the Host and the Origin of a request.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const TOKEN_BYTES = 32;

export const newToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In the same time, wherever they differ and however long they are. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(digest(one), digest(other));

/** `[::1]` and `127.0.0.1` are literals of an address: no name leads to them, so no name can lead astray. */
const isLiteral = (host: string): boolean => /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\])$/.test(host);

const isAnywhere = (host: string): boolean => ['0.0.0.0', '::'].includes(host);

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const addressText = (host: string, port: number): string => `${inUrl(host)}:${port}`;

/** Whether a Host header names the address that is listened on. A name that was made to lead here does not. */
export const isOwnHost = (header: string | undefined, bound: { host: string; port: number }): boolean => {
  const [, host = '', port = '80'] = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(header ?? '') ?? [];
  if (Number(port) !== bound.port) return false;
  if (host.toLowerCase() === 'localhost') return true;
  return isAnywhere(bound.host) ? isLiteral(host) : host.toLowerCase() === inUrl(bound.host);
};

/** Whether an Origin is this page itself. */
export const isOwnOrigin = (header: string | undefined, bound: { host: string; port: number }): boolean =>
  header?.startsWith('http://') === true && isOwnHost(header.slice('http://'.length), bound);

export const cookieName = (port: number): string => `tanist_inspector_${port}`;

export const cookieIn = (request: IncomingMessage, name: string): string | null => {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
};

/** What every answer says to the browser: load nothing from elsewhere, keep nothing, be in no other page. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};
