/**
 * Where the file is that makes a worker able to tell what it does when it hangs.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside the bundled command line; from the compiled module, and from the source. */
const PLACES = [
  './reporter-preload.js',
  '../../bin/reporter-preload.js',
  '../../dist/bin/reporter-preload.js',
];

/** @throws {Error} when the package is not complete. */
export const reporterPreloadPath = (): string => {
  const found = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (found === undefined) throw new Error('the package lacks reporter-preload.js');
  return found;
};
