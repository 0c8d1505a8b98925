/**
 * What V8 has compiled of a bundle, kept in a file beside it, so that a start need not compile it again.
 *
 * It is written when the package is installed, never by a supervisor. It fits one Node: with another, or with other
 * flags, V8 refuses it and compiles as ever. What is not whole, or of another bundle, is not shown to V8 at all: of
 * what it takes for its own it looks at no more than version, flags and lengths.
 */
import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readBytes } from './whole-file.js';

/** A bundle's last characters: the build ends it with a hash of the rest. */
export const IDENTITY_CHARS = 64;
const CHECKSUM_BYTES = 4;
/** What is before the data: the identity of the bundle, and a checksum of the data. */
const HEAD_BYTES = IDENTITY_CHARS + CHECKSUM_BYTES;
/** One word of so many: whatever damages a file damages a sector of it, 512 bytes or more. All of them take 6 ms. */
const STRIDE_WORDS = 32;
/** As java.lang.String.hashCode() does it, by words. */
const FACTOR = 31;

export const cachePathOf = (bundlePath: string): string => bundlePath.replace(/\.js$/, '.cache');

/** Notices what an accident does to a file. Those of Node would have to be loaded first. */
const checksumOf = (data: Uint8Array): number => {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >>> 2);
  let sum = data.length;
  for (let index = 0; index < words.length; index += STRIDE_WORDS)
    sum = (Math.imul(sum, FACTOR) + (words[index] ?? 0)) | 0;
  return sum;
};

const headOf = (identity: string, data: Uint8Array): Buffer => {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(identity, 'latin1');
  head.writeInt32LE(checksumOf(data), IDENTITY_CHARS);
  return head;
};

/**
 * @param identity of the bundle.
 * @returns what V8 may take for its own; undefined where there is nothing, or nothing that belongs to the bundle.
 */
export const readCodeCache = (bundlePath: string, identity: string): Uint8Array | undefined => {
  let descriptor: number;
  try {
    descriptor = openSync(cachePathOf(bundlePath), 'r');
  } catch {
    // Not written, or not for us: it is compiled.
    return undefined;
  }
  try {
    const head = readBytes(descriptor, HEAD_BYTES);
    const data = readBytes(descriptor, Math.max(0, fstatSync(descriptor).size - HEAD_BYTES));
    return headOf(identity, data).equals(head) ? data : undefined;
  } catch {
    // It cannot be read: it is compiled.
    return undefined;
  } finally {
    closeSync(descriptor);
  }
};

/**
 * Replaces the file at once or not at all.
 *
 * @param identity of the bundle.
 * @throws what the file system says.
 */
export const writeCodeCache = (bundlePath: string, identity: string, data: Uint8Array): void => {
  const path = cachePathOf(bundlePath);
  const draft = `${path}.${process.pid}`;
  try {
    const descriptor = openSync(draft, 'w');
    try {
      writeFileSync(descriptor, headOf(identity, data));
      writeFileSync(descriptor, data);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
};
