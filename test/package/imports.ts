/**
 * Every import of a source file, and whether it brings more than types.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** Relative to the package: `src/actors/fork.ts`. */
  readonly from: string;
  /** A package, `node:…`, or a file relative to the package. */
  readonly to: string;
  readonly typesOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:([^;']*?)\s+from\s+)?'([^']+)'/gm;
const DYNAMIC = /\b(?:import|require|createRequire\([^)]*\))\(\s*'([^']+)'/g;

const isTypesOnly = (type: string | undefined, names: string | undefined): boolean => {
  if (type !== undefined) return true;
  const listed = names?.match(/^\{([^}]*)\}$/s)?.[1];
  if (listed === undefined) return false;
  const items = listed.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '').every((item) => item.startsWith('type '));
};

/** `./x.js` as it is written, to `machines/x.ts` as it is stored. */
const resolved = (from: string, specifier: string): string =>
  specifier.startsWith('.') ? normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts') : specifier;

const importsOf = (from: string): readonly Import[] => {
  const text = readFileSync(join(ROOT, from), 'utf8');
  return [
    ...[...text.matchAll(STATEMENT)].map(([, type, names, specifier = '']) => ({
      from,
      to: resolved(from, specifier),
      typesOnly: isTypesOnly(type, names),
    })),
    ...[...text.matchAll(DYNAMIC)].map(([, specifier = '']) => ({
      from,
      to: resolved(from, specifier),
      typesOnly: false,
    })),
  ];
};

/** Every TypeScript file under a folder of the package. */
export const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();

export const importsIn = (folder: string): readonly Import[] => sourcesIn(folder).flatMap(importsOf);
