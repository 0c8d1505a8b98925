/**
 * The files of the page, read once: the server hands out these and nothing else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly contentType: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

/** By path; the page itself is `/`. The build puts them beside this module. */
export const readAssets = (): ReadonlyMap<string, Asset> => {
  const directory = fileURLToPath(new URL('./page/', import.meta.url));
  return new Map(
    readdirSync(directory).flatMap((name) => {
      const contentType = TYPES[extname(name)];
      if (contentType === undefined) return [];
      const path = name === 'index.html' ? '/' : `/${name}`;
      return [[path, { contentType, content: readFileSync(`${directory}${name}`) }] as const];
    }),
  );
};
