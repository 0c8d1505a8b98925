/**
 * The reference of the public entries: whoever exports something says what it is.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from './imports.js';

const HERE = join(ROOT, 'scripts/api');
/** Most of it is the compiler's; a machine that does other things as well takes three times as long. */
const LIMIT_MS = 180_000;

const typedoc = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/typedoc/bin/typedoc', '--emit', 'none', ...words],
    { cwd: HERE, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  return { status, said: stdout + stderr };
};

describe('the reference', () => {
  it('has every entry of the package', () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Readonly<Record<string, string | { readonly types: string }>>;
    };
    const sources = Object.values(exports).flatMap((entry) =>
      typeof entry === 'string' ? [] : [entry.types.replace('./dist/', '../../').replace('.d.ts', '.ts')],
    );
    const { entryPoints } = JSON.parse(readFileSync(join(HERE, 'typedoc.json'), 'utf8')) as {
      entryPoints: readonly string[];
    };
    expect([...entryPoints].toSorted()).toEqual(sources.toSorted());
  });

  it(
    'has words for every symbol, and its links lead somewhere',
    () => {
      const { status, said } = typedoc();
      expect(said).not.toContain('[warning]');
      expect(said).not.toContain('[error]');
      expect(status, said).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'is refused where one has none',
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'tanist-api-'));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      writeFileSync(join(directory, 'wrong.ts'), 'export const unexplained = 1;\n');
      writeFileSync(join(directory, 'tsconfig.json'), '{ "files": ["wrong.ts"] }');
      const options = { entryPoints: ['wrong.ts'], tsconfig: 'tsconfig.json', plugin: [] };
      const file = join(directory, 'typedoc.json');
      writeFileSync(file, JSON.stringify({ extends: [join(HERE, 'typedoc.json')], ...options }));
      const { status, said } = typedoc('--options', file);
      expect(said).toMatch(/unexplained .* does not have any documentation/);
      expect(status).not.toBe(0);
    },
    LIMIT_MS,
  );
});
