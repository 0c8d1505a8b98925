/**
 * What a call of `server.listen()` asks for, in whichever of its many forms.
 */

/** An address of the program's own choice. */
export interface AskedAddress {
  readonly kind: 'address';
  /** 1 to 65535; null with a path. */
  readonly port: number | null;
  /** As it was written; null for all addresses. */
  readonly host: string | null;
  readonly path: string | null;
  readonly callback: (() => void) | null;
  readonly signal: AbortSignal | undefined;
}

export type Asked =
  | AskedAddress
  | { readonly kind: 'descriptor'; readonly fd: number }
  /** A handle, any free port, or what `listen()` will refuse: none of it can be a listener of tanist's. */
  | { readonly kind: 'other' };

const OTHER: Asked = { kind: 'other' };

export const readListenArguments = (args: readonly unknown[]): Asked => {
  const [first, second] = args;
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : null;
  if (typeof first === 'object' && first !== null) return readOptions(first, callback);
  if (typeof first === 'string' && !isNumeric(first)) return addressOf({ path: first }, callback);
  if (typeof first !== 'number' && typeof first !== 'string') return OTHER;
  return addressOf({ port: first, host: typeof second === 'string' ? second : undefined }, callback);
};

const isNumeric = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

interface Options {
  readonly port?: unknown;
  readonly host?: unknown;
  readonly path?: unknown;
  readonly signal?: unknown;
}

const readOptions = (options: object, callback: (() => void) | null): Asked => {
  if ('_handle' in options || 'handle' in options) return OTHER;
  // Node takes a descriptor for more than a port, and a port for more than a path.
  if ('fd' in options && typeof options.fd === 'number' && options.fd >= 0)
    return { kind: 'descriptor', fd: options.fd };
  return addressOf(options, callback);
};

const addressOf = ({ port, host, path, signal }: Options, callback: (() => void) | null): Asked => {
  const common = {
    kind: 'address',
    callback,
    signal: signal instanceof AbortSignal ? signal : undefined,
  } as const;
  if (typeof port === 'number' || typeof port === 'string') {
    const number = Number(port);
    const isPort = Number.isInteger(number) && number > 0 && number < 65_536;
    return isPort
      ? { ...common, port: number, host: typeof host === 'string' && host !== '' ? host : null, path: null }
      : OTHER;
  }
  if (typeof path !== 'string' || path === '' || path.startsWith('\0')) return OTHER;
  return { ...common, port: null, host: null, path };
};
