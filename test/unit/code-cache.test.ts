import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle.js';
import { cachePathOf, IDENTITY_CHARS, readCodeCache, writeCodeCache } from '../../src/code-cache.js';

const room = mkdtempSync(join(tmpdir(), 'tanist-cache-'));
/** V8 remembers what it has compiled by text and path: every bundle is another one. */
let path = '';
let count = 0;
const from = pathToFileURL(join(room, 'entry.js')).href;
const IDENTITY = 'a'.repeat(IDENTITY_CHARS);
const DATA = Uint8Array.from({ length: 10_001 }, (_, index) => index % 251);

const write = (answer: number, identity = IDENTITY): void => {
  count += 1;
  path = join(room, `bundle-${count}.js`);
  writeFileSync(path, `(function (exports) { exports.answer = () => ${answer};\n})\n//${identity}`);
};

beforeEach(() => write(42));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const open = () => openBundle<{ answer(): number }>(basename(path), from);

/** As an installation does it when something of the bundle has run. Beside another one now. */
const keepFor = (answer: number, identity?: string): void => {
  const bundle = open();
  bundle.exports.answer();
  const data = bundle.script.createCachedData();
  write(answer, identity);
  writeCodeCache(path, bundle.identity, data);
};

describe('what V8 has compiled of a bundle', () => {
  it('is kept beside it, and comes back as it was', () => {
    writeCodeCache(path, IDENTITY, DATA);
    expect(readdirSync(room)).toEqual(['bundle-1.cache', 'bundle-1.js']);
    expect([...(readCodeCache(path, IDENTITY) ?? [])]).toEqual([...DATA]);
  });

  it('is taken by V8, which compiles where there is none', () => {
    expect(open().script.cachedDataRejected).toBeUndefined();
    keepFor(42);
    const { exports, script } = open();
    expect([script.cachedDataRejected, exports.answer()]).toEqual([false, 42]);
  });

  it('is not taken for another bundle of the same length', () => {
    keepFor(23, 'b'.repeat(IDENTITY_CHARS));
    const { exports, script } = open();
    expect([script.cachedDataRejected, exports.answer()]).toEqual([undefined, 23]);
  });

  it('is refused by V8 where it is not its own', () => {
    writeCodeCache(path, IDENTITY, DATA);
    const { exports, script } = open();
    expect([script.cachedDataRejected, exports.answer()]).toEqual([true, 42]);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['is empty', () => Buffer.alloc(0)],
    ['ends early', (bytes) => bytes.subarray(0, -1)],
    ['ends within its head', (bytes) => bytes.subarray(0, IDENTITY_CHARS + 2)],
    ['has a sector of zeros', (bytes) => bytes.fill(0, 4_096, 4_608)],
    ['is longer', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
  ])('is not shown to V8 where the file %s', (_, damage) => {
    writeCodeCache(path, IDENTITY, DATA);
    writeFileSync(cachePathOf(path), damage(readFileSync(cachePathOf(path))));
    expect(readCodeCache(path, IDENTITY)).toBeUndefined();
  });

  it('leaves what was there, and nothing else, where it cannot be written', () => {
    mkdirSync(cachePathOf(path));
    expect(() => writeCodeCache(path, IDENTITY, DATA)).toThrow(/EISDIR|ENOTEMPTY/);
    expect(readdirSync(room).filter((name) => name.startsWith(basename(cachePathOf(path))))).toEqual([
      basename(cachePathOf(path)),
    ]);
    expect(readCodeCache(path, IDENTITY)).toBeUndefined();
    expect(() => writeCodeCache(join(room, 'none', 'bundle.js'), IDENTITY, DATA)).toThrow('ENOENT');
  });
});
