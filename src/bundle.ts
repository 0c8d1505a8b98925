/**
 * Loads a bundle of this package: one CommonJS file with everything that a role needs, by name from dist/bin.
 *
 * Node reads a file into one block of memory, and glibc's malloc keeps twice the largest block that was ever freed
 * for itself: 1.3 MB of a supervisor that may be idle for months. Read in pieces, it stays below that.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { IDENTITY_CHARS, readCodeCache } from './code-cache.js';

/** glibc takes blocks from 128 KiB on from the system one by one, until the first of them is freed. */
const PIECE_BYTES = 32_768;

interface Source {
  readonly text: string;
  readonly identity: string;
}

/** The build writes nothing but ASCII. */
const sourceOf = (path: string): Source => {
  const descriptor = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let [text, identity] = ['', ''];
    for (let size = -1; size !== 0; ) {
      size = readSync(descriptor, piece, 0, PIECE_BYTES, null);
      const more = piece.toString('latin1', 0, size);
      text += more;
      identity = (identity + more).slice(-IDENTITY_CHARS);
    }
    return { text, identity };
  } finally {
    closeSync(descriptor);
  }
};

/** As Node's loader wraps a file; line numbers stay. */
const wrapped = (text: string): string =>
  `(function (exports, require, module, __filename, __dirname) {${text}\n})`;

export interface Bundle<Exports> {
  readonly path: string;
  /** For its code cache. */
  readonly identity: string;
  readonly exports: Exports;
  /** Knows what V8 has compiled of it by now. */
  readonly script: Script;
}

/** Whoever calls twice gets two: it is for him to keep the first. */
export const openBundle = <Exports>(name: string, from: string): Bundle<Exports> => {
  const path = fileURLToPath(new URL(name, from));
  const { text, identity } = sourceOf(path);
  const script = new Script(wrapped(text), {
    filename: path,
    cachedData: readCodeCache(path, identity),
  });
  const module = { exports: {} as Exports };
  script
    .runInThisContext()
    .call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  return { path, identity, exports: module.exports, script };
};

/** Only what it exports. */
export const loadBundle = <Exports>(name: string, from: string): Exports =>
  openBundle<Exports>(name, from).exports;
