import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { loadBundle } from '../../src/bundle.js';

const room = mkdtempSync(join(tmpdir(), 'tanist-bundle-'));
const here = pathToFileURL(join(room, 'entry.js')).href;
const BLOCK = 32_768;

afterEach(() => rmSync(room, { recursive: true, force: true }));

describe('a bundle', () => {
  it('is loaded whole, whatever its length, and knows what is beside it', () => {
    writeFileSync(join(room, 'beside.js'), 'module.exports = "beside";');
    for (const length of [0, 1, BLOCK, 5 * BLOCK - 1]) {
      const code =
        'exports.file = __filename; exports.beside = require("./beside.js"); exports.end = () => "end";';
      const wrapped = `(function (exports, require, module, __filename, __dirname) {${code}\n})`;
      writeFileSync(join(room, 'bundle.js'), `/*${'x'.repeat(length)}*/${wrapped}`);
      const bundle = loadBundle<{ file: string; beside: string; end(): string }>('./bundle.js', here);
      expect(bundle).toMatchObject({ file: join(room, 'bundle.js'), beside: 'beside' });
      expect(bundle.end()).toBe('end');
    }
  });

  it('that is not there is an error with its path', () => {
    expect(() => loadBundle('./none.js', here)).toThrow(join(room, 'none.js'));
  });
});
