import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, test } from 'vitest';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tanist-config-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** The compiled loader in a Node of its own: the test runner's own loader reads modules in another way. */
const PROGRAM = `
  const { loadConfigFile } = await import(process.argv[1]);
  const told = await loadConfigFile(process.argv[2]).then(
    (value) => ({ value }),
    ({ code, exitStatus, message }) => ({ code, exitStatus, message }),
  );
  console.log(JSON.stringify(told));`;
const loader = fileURLToPath(new URL('../../dist/src/os/config-file.js', import.meta.url));

const load = (path: string): Readonly<Record<string, unknown>> => {
  const words = ['--input-type=module', '--eval', PROGRAM, loader, path];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Record<string, unknown>;
};

const problemOf = (path: string): string => {
  const { code, exitStatus, message } = load(path);
  expect({ code, exitStatus }).toEqual({ code: 'TANIST_CONFIG', exitStatus: 2 });
  expect(String(message).startsWith(`${path}: `)).toBe(true);
  return String(message).slice(path.length + 2);
};

it.each([
  ['object.json', '{ "workers": 2 }'],
  ['marked.json', '\ufeff{ "workers": 2 }'],
  ['object.mjs', 'export default { workers: 2 };'],
  ['function.mjs', 'export default () => ({ workers: 2 });'],
  ['async.mjs', 'export default async () => ({ workers: 2 });'],
  ['promise.mjs', 'export default Promise.resolve({ workers: 2 });'],
  ['await.mjs', 'const n = await Promise.resolve(2);\nexport default { workers: n };'],
  ['object.cjs', 'module.exports = { workers: 2 };'],
  ['function.cjs', 'module.exports = async () => ({ workers: 2 });'],
])('%s gives its settings', (name, text) => {
  expect(load(written(name, text))).toEqual({ value: { workers: 2 } });
});

it('a .js file is a module of the kind its package says', () => {
  for (const [type, text] of [
    ['module', 'export default { workers: 2 };'],
    ['commonjs', 'exports.workers = 2;'],
  ] as const) {
    mkdirSync(join(folder, type));
    written(`${type}/package.json`, JSON.stringify({ type }));
    expect(load(written(`${type}/tanist.js`, text))).toEqual({ value: { workers: 2 } });
  }
});

it.each([
  ['wrong.json', '{ "workers": 2, }', /^is not JSON: /],
  ['open.json', '{\n  "workers": 2\n', /^is not JSON: .*line 3.*column 1/],
  ['empty.json', '', /^is not JSON: Unexpected end/],
  ['list.json', '[1]', /^expected an object of settings, not \[1\]$/],
  ['null.json', 'null', /^expected an object of settings, not null$/],
  ['text.mjs', 'export default "x";', /^expected an object of settings, not "x"$/],
  ['nothing.mjs', 'export const workers = 2;', /^expected a default export with the settings$/],
  ['throws.mjs', '\nthrow new Error("no database");', /^Error: no database \(.*\/throws\.mjs:2:7\)$/],
  ['throws.cjs', 'throw new TypeError("no database")', /^TypeError: no database \(.*\/throws\.cjs:1:7\)$/],
  [
    'rejects.mjs',
    'export default async () => {\n  await null;\n  throw new RangeError("too far");\n};',
    /^RangeError: too far \(.*\/rejects\.mjs:3:9\)$/,
  ],
  ['odd.mjs', 'throw { reason: 7 };', /^threw \{"reason":7\}$/],
  ['syntax.mjs', '\n\nexport default { a: 1,, };', /^SyntaxError: .*\(.*\/syntax\.mjs:3\)$/],
  ['syntax.cjs', '\nmodule.exports = { a: ,};', /^SyntaxError: .*\(.*\/syntax\.cjs:2\)$/],
  ['import.mjs', 'import "./nowhere.mjs";', /^Error: Cannot find module '.*nowhere\.mjs'/],
  ['settings.yaml', 'workers: 2', /^expected a file whose name ends in \.json, \.js, \.mjs or \.cjs$/],
])('%s is refused with its own words and place', (name, text, problem) => {
  expect(problemOf(written(name, text))).toMatch(problem);
});

test('what is not there, or no file, is refused', () => {
  expect(problemOf(join(folder, 'missing.json'))).toMatch(/^cannot be read: ENOENT/);
  mkdirSync(join(folder, 'folder.mjs'));
  expect(problemOf(join(folder, 'folder.mjs'))).toBe('is not a regular file');
  expect(problemOf(join(written('file', ''), 'x.json'))).toMatch(/^cannot be read: ENOTDIR/);
});
