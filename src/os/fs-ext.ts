/**
 * fs-ext, loaded where the first lock is taken: it is compiled at install, and a machine without a compiler
 * must be told so in words.
 */
import { createRequire } from 'node:module';
import { TanistError } from '../errors.js';

export interface FsExt {
  flockSync(descriptor: number, flags: 'ex' | 'exnb' | 'sh' | 'shnb' | 'un'): void;
  fcntlSync(descriptor: number, command: number | string, argument?: number): number;
}

let loaded: FsExt | null = null;

/** @throws {TanistError} `TANIST_FS_EXT_MISSING` when the addon was not built for this Node. */
export const fsExt = (): FsExt => {
  if (loaded !== null) return loaded;
  try {
    loaded = createRequire(import.meta.url)('fs-ext') as FsExt;
    return loaded;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new TanistError(
      'TANIST_FS_EXT_MISSING',
      `fs-ext is not built for Node ${process.versions.node}: ${reason}`,
      { cause: error },
    );
  }
};

/** True for the error flock gives when somebody else holds the lock. */
export const isLockHeld = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EWOULDBLOCK');
