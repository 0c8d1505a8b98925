import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXCEPTIONS, NUMBERS, namesIn, numbersOf, PARTIAL } from '../behaviour.js';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

const held = new Map<string, string[]>();
for (const file of readdirSync(TESTS, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.test.ts')) continue;
  for (const name of namesIn(readFileSync(join(TESTS, file), 'utf8')))
    for (const number of numbersOf(name)) held.set(number, [...(held.get(number) ?? []), `${file}: ${name}`]);
}

describe('the numbers of the reference behaviour', () => {
  it('are all there, each once', () => {
    expect(NUMBERS).toHaveLength(41 + 20 + 2);
    expect(new Set(NUMBERS).size).toBe(NUMBERS.length);
    expect(
      NUMBERS.filter((number) => ['S1', 'S41', 'X1', 'X20', 'X22', 'X23'].includes(number)),
    ).toHaveLength(6);
  });

  it('are each in the name of a test, but for those that have a reason', () => {
    const missing = NUMBERS.filter((number) => !held.has(number) && !(number in EXCEPTIONS));
    expect(missing).toEqual([]);
  });

  it('are excepted only where no test has come, and partly held only where one has', () => {
    expect(Object.keys(EXCEPTIONS).filter((number) => held.has(number))).toEqual([]);
    expect(Object.keys(PARTIAL).filter((number) => !held.has(number))).toEqual([]);
    for (const reason of Object.values({ ...EXCEPTIONS, ...PARTIAL }))
      expect(reason.length).toBeGreaterThan(20);
  });

  it('are not invented: a test carries no number that is not in the table', () => {
    expect([...held.keys()].filter((number) => !NUMBERS.includes(number))).toEqual([]);
  });
});

describe('a name', () => {
  it.each([
    ['S14: a second start', ['S14']],
    ['X17, X3: both', ['X17', 'X3']],
    ['S12–13: a range', ['S12', 'S13']],
    ['S29, X11: stays', ['S29', 'X11']],
    ['says S14: in the middle', []],
    ['S14 without a colon', []],
  ])('%j carries %j', (name, numbers) => {
    expect(numbersOf(name)).toEqual(numbers);
  });

  it('is found behind every way to begin a test, and nowhere else', () => {
    // Not at the beginning of a line: these are no tests of this file.
    const source = [
      "it('S1: one', () => {",
      '  test(`S2: two`, async () => {',
      "describe('S3: three', () => {",
      "it.skipIf(process.getuid?.() !== 0)('S4: four', () => {",
      "it.each([[1, 'a']])('S5: it’s %s', () => {",
      "it.each(Object.entries(KINDS))(\n  'S6: six',",
      "it('S7: isn\\'t cut', () => {",
      "expect(it).toBe('X1: no');",
      "// it('X2: a comment', …)",
    ].join('\n');
    expect(namesIn(source).map((name) => numbersOf(name)[0])).toEqual([
      'S1',
      'S2',
      'S3',
      'S4',
      'S5',
      'S6',
      'S7',
    ]);
  });
});
