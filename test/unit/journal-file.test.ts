import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { TanistError } from '../../src/errors.js';
import { openJournalFile } from '../../src/os/journal-file.js';
import { readJournal } from '../../src/os/journal-reader.js';

const newPath = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-journal-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'journal');
};

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (thrown) {
    return (thrown as TanistError).code;
  }
  return undefined;
};

const textOf = (path: string): string => readFileSync(path, 'utf8');
const line = (seq: number): string => `{"seq":${seq},"rest":"${'x'.repeat(80)}"}\n`;

it('is made for its owner alone, and appended to', () => {
  const path = newPath();
  const file = openJournalFile(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(file.append(line(1))).toBe(true);
  expect(openJournalFile(path).append(line(2))).toBe(true);
  expect(textOf(path)).toBe(line(1) + line(2));
});

it('knows the highest number in it, wherever that is', () => {
  const path = newPath();
  expect(openJournalFile(path).lastSeq).toBe(0);
  const many = Array.from({ length: 9_000 }, (_, index) => line(index + 1));
  writeFileSync(path, [line(2_000_017), ...many].join(''));
  expect(openJournalFile(path).lastSeq).toBe(2_000_017);
  writeFileSync(path, [...many, line(3_000_001)].join(''));
  expect(openJournalFile(path).lastSeq).toBe(3_000_001);
});

it('begins a new line behind one that was cut off', () => {
  const path = newPath();
  writeFileSync(path, `${line(1)}{"seq":2,"re`);
  openJournalFile(path).append(line(3));
  expect(textOf(path)).toBe(`${line(1)}{"seq":2,"re\n${line(3)}`);
});

it('is read, and counted on, where a killed supervisor left a piece that another one wrote behind', () => {
  const path = newPath();
  const entry = (seq: number) =>
    `{"seq":${seq},"time":"2026-01-01T00:00:00.000Z","generation":1,"pid":1,"actor":"supervisor","event":{"type":"x"},"from":null,"to":"idle","effects":[]}\n`;
  writeFileSync(path, `${entry(1)}${entry(2).slice(0, 50)}${entry(9)}`);
  expect([...readJournal(path)].map(({ number, entry }) => [number, entry?.seq])).toEqual([
    [1, 1],
    [2, undefined],
    [2, 9],
  ]);
  expect(openJournalFile(path).lastSeq).toBe(9);
});

it('is rotated above its limit, and only where that may be', () => {
  const path = newPath();
  const file = openJournalFile(path, 150);
  file.append(line(1));
  expect(file.turn(true)).toBeNull();
  file.append(line(2));
  expect(file.turn(false)).toBeNull();
  expect(file.turn(true)).toBe('rotated');
  file.append(line(3));
  expect([textOf(`${path}.1`), textOf(path)]).toEqual([line(1) + line(2), line(3)]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('is not rotated again and again because of what it has to begin with', () => {
  const path = newPath();
  const file = openJournalFile(path, 150);
  file.append(line(1).repeat(4));
  expect(file.turn(true)).toBe('rotated');
  file.append(line(2).repeat(4));
  file.headed();
  file.append(line(3).repeat(4));
  expect(file.turn(true)).toBeNull();
  file.append(line(4));
  expect(file.turn(true)).toBe('rotated');
});

it('follows its name when somebody moves the file away, and stays with it where the name leads nowhere', () => {
  const path = newPath();
  const file = openJournalFile(path);
  file.append(line(1));
  renameSync(path, `${path}.old`);
  expect(file.turn(false)).toBe('reopened');
  file.append(line(2));
  expect([textOf(`${path}.old`), textOf(path)]).toEqual([line(1), line(2)]);
  renameSync(path, `${path}.old`);
  mkdirSync(path);
  expect(file.turn(true)).toBeNull();
  expect(file.append(line(3))).toBe(true);
  expect(textOf(`${path}.old`)).toBe(line(2) + line(3));
});

it('refuses what is no file, or cannot be made', () => {
  expect(codeOf(() => openJournalFile('/dev/null'))).toBe('TANIST_JOURNAL_FILE');
  expect(codeOf(() => openJournalFile(join(newPath(), 'in', 'nowhere')))).toBe('TANIST_JOURNAL_FILE');
});

it('is read line by line; what cannot be is told with line and column', () => {
  const path = newPath();
  const read = () => [...readJournal(path)];
  writeFileSync(path, '');
  expect(read()).toEqual([]);
  writeFileSync(path, '{"seq":1,"ti');
  expect(read()).toEqual([{ number: 1, entry: null }]);
  writeFileSync(path, '\n{"seq":oops}\n');
  expect(read).toThrow(/journal, line 2, column 8: no JSON/);
  writeFileSync(path, `${'x'.repeat(3_000_000)}\n`);
  expect(read).toThrow(/line 1, column 1: no JSON/);
  expect(() => [...readJournal(tmpdir())]).toThrow(/cannot be read/);
  expect(() => [...readJournal(`${path}.gone`)]).toThrow(/ENOENT/);
});
