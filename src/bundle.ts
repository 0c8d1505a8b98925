/**
 * Loads a bundle of this package: one CommonJS file with everything that a role needs, by name from dist/bin.
 *
 * The build has put it into a function already, as Node's loader does with what it loads: nothing is left to be
 * copied here.
 */
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { IDENTITY_CHARS, readCodeCache } from './code-cache.js';
import { readBytes } from './whole-file.js';

/** The build writes nothing but ASCII. */
const sourceOf = (path: string): string => {
  const descriptor = openSync(path, 'r');
  try {
    return readBytes(descriptor).toString('latin1');
  } finally {
    closeSync(descriptor);
  }
};

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
  const source = sourceOf(path);
  const identity = source.slice(-IDENTITY_CHARS);
  const script = new Script(source, { filename: path, cachedData: readCodeCache(path, identity) });
  const module = { exports: {} as Exports };
  script
    .runInThisContext()
    .call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  return { path, identity, exports: module.exports, script };
};

/** Only what it exports. */
export const loadBundle = <Exports>(name: string, from: string): Exports =>
  openBundle<Exports>(name, from).exports;
