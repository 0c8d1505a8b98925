import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTail, type Tail } from '../../src/cli/log-tail.js';

let directory = '';
let path = '';
let tails: Tail[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-'));
  path = join(directory, 'web.log');
});
afterEach(() => {
  for (const tail of tails) tail.close();
  tails = [];
  rmSync(directory, { recursive: true });
});

const tailOf = (count: number): Tail => {
  const tail = openTail(path, count);
  tails.push(tail);
  return tail;
};

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);

describe('the end of a log', () => {
  it.each([
    ['', 3, []],
    ['one\n', 3, ['one']],
    ['one\ntwo\nthree\nfour\n', 3, ['two', 'three', 'four']],
    ['one\ntwo\n', 0, []],
    ['one\n\n\ntwo\n', 3, ['', '', 'two']],
  ])('of %j is at most %i whole lines', (text, count, lines) => {
    writeFileSync(path, text);
    expect(tailOf(count).look()).toEqual({ lines, turn: 'none' });
  });

  it('is found in a file of many chunks, whatever stands where two of them meet', () => {
    const filler = `${'ä'.repeat(50_000)}\n`;
    writeFileSync(path, `${filler}first\n${filler}${filler}`);
    expect(tailOf(3).look().lines).toEqual(['first', filler.trim(), filler.trim()]);
    expect(tailOf(100).look().lines).toHaveLength(4);
  });
});

describe('what is appended', () => {
  it('is told in whole lines, a letter that was cut included', () => {
    writeFileSync(path, 'old\n');
    const tail = tailOf(0);
    expect(tail.look().lines).toEqual([]);
    const bytes = Buffer.from('grün\n');
    appendFileSync(path, bytes.subarray(0, 3));
    expect(tail.look().lines).toEqual([]);
    appendFileSync(path, bytes.subarray(3));
    expect(tail.look().lines).toEqual(['grün']);
    expect(tail.look().lines).toEqual([]);
  });

  it('is told of the old file to its end, then of the new one from its beginning', () => {
    writeFileSync(path, 'old\n');
    const tail = tailOf(1);
    expect(tail.look().lines).toEqual(['old']);
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, 'last words\n');
    expect(tail.look()).toEqual({ lines: ['last words'], turn: 'none' });
    appendFileSync(`${path}.1`, 'very last words\n');
    writeFileSync(path, 'first\nsecond\n');
    expect(tail.look()).toEqual({ lines: ['very last words', 'first', 'second'], turn: 'replaced' });
    appendFileSync(path, 'third\n');
    expect(tail.look()).toEqual({ lines: ['third'], turn: 'none' });
  });

  it('begins anew in a file that was cut off', () => {
    writeFileSync(
      path,
      numbered(1, 20)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const tail = tailOf(1);
    expect(tail.look().lines).toEqual(['line 20']);
    truncateSync(path);
    appendFileSync(path, 'anew\n');
    expect(tail.look()).toEqual({ lines: ['anew'], turn: 'truncated' });
  });

  it('without an end is told in pieces, not kept', () => {
    writeFileSync(path, '');
    const tail = tailOf(0);
    appendFileSync(path, 'x'.repeat(3_000_000));
    const told = tail.look().lines;
    expect(told.length).toBeGreaterThan(1);
    appendFileSync(path, '\n');
    expect([...told, ...tail.look().lines].join('')).toBe('x'.repeat(3_000_000));
  });
});
