/**
 * Errors in Node's own words: programs test for their codes.
 */
import { constants } from 'node:os';
import type { AskedAddress } from './listen-arguments.js';

/** What `listen()` throws when it is called again. */
export const alreadyListening = (): Error =>
  Object.assign(new Error('Listen method has been called more than once without closing.'), {
    code: 'ERR_SERVER_ALREADY_LISTEN',
  });

/** What a server emits whose address another one has. */
export const addressInUse = ({ host, port, path }: AskedAddress): Error => {
  const address = path ?? host ?? '::';
  const place = port === null ? {} : { port };
  return Object.assign(
    new Error(`listen EADDRINUSE: address already in use ${address}${port === null ? '' : `:${port}`}`),
    { code: 'EADDRINUSE', errno: -constants.errno.EADDRINUSE, syscall: 'listen', address, ...place },
  );
};
