/**
 * Where the file is that `--adopt` puts before a program.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside the bundled command line; from the compiled module, and from the source. */
const PLACES = ['./adopt-preload.js', '../../bin/adopt-preload.js', '../../dist/bin/adopt-preload.js'];

/** @throws {Error} when the package is not complete. */
export const adoptPreloadPath = (): string => {
  const found = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (found === undefined) throw new Error('the package lacks adopt-preload.js');
  return found;
};
