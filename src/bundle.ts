/**
 * Loads a bundle of this package: one CommonJS file with everything that a role needs, by name from dist/bin.
 *
 * Node reads a file into one block of memory, and glibc's malloc keeps twice the largest block that was ever freed
 * for itself: 1.3 MB of a supervisor that may be idle for months. Read in pieces, it stays below that.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { Module } from 'node:module';
import { fileURLToPath } from 'node:url';

/** glibc takes blocks from 128 KiB on from the system one by one, until the first of them is freed. */
const PIECE_BYTES = 32_768;

/** The build writes nothing but ASCII. */
const textOf = (path: string): string => {
  const descriptor = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let text = '';
    for (let size = -1; size !== 0; ) {
      size = readSync(descriptor, piece, 0, PIECE_BYTES, null);
      text += piece.toString('latin1', 0, size);
    }
    return text;
  } finally {
    closeSync(descriptor);
  }
};

/** What Node's loader calls for every file it has read; undocumented, and what other loaders build upon. */
interface Compiling extends Module {
  _compile(text: string, path: string): void;
}

/** Whoever calls twice gets two: it is for him to keep the first. */
export const loadBundle = <Exports>(name: string, from: string): Exports => {
  const path = fileURLToPath(new URL(name, from));
  // Not vm.compileFunction(): with it import() is experimental, and says so.
  const bundle = new Module(path) as Compiling;
  bundle.filename = path;
  bundle._compile(textOf(path), path);
  return bundle.exports as Exports;
};
