import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { lockPidFile } from '../../src/os/locks.js';

/**
 * Reads the file so often, and until it has seen two pids, and tells which first lines it has seen.
 *
 * Each time with one read: readFileSync() asks for the size first, and reads no more than that.
 */
const READER = `
  const { openSync, readSync } = require('node:fs');
  const descriptor = openSync(process.argv[1], 'r');
  const buffer = Buffer.alloc(100);
  const seen = new Set();
  for (let reads = 0; reads < 20_000 || seen.size < 2; reads += 1) {
    const content = buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, 100, 0));
    seen.add(content.includes('\\n') ? content.split('\\n')[0] : 'no line: ' + JSON.stringify(content));
  }
  console.log(JSON.stringify([...seen].sort()));
`;

it('S19: a pid is written in place: whoever reads at any moment reads a whole one, never an empty file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'x.pid');
  const attempt = lockPidFile(file, null);
  if (attempt.outcome !== 'acquired') throw new Error('somebody holds the lock');
  attempt.file.writePid(4_194_303);
  const { ino } = statSync(file);
  const reader = spawn(process.execPath, ['-e', READER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void reader.kill('SIGKILL'));
  const output = text(reader.stdout);
  while (reader.exitCode === null) {
    for (let write = 0; write < 100; write += 1) {
      attempt.file.writePid(17);
      attempt.file.writePid(4_194_303);
    }
    await nextTurn();
  }
  expect(JSON.parse(await output)).toEqual(['17', '4194303']);
  expect([statSync(file).ino, readFileSync(file, 'utf8')]).toEqual([ino, '4194303\n']);
  attempt.file.remove(4_194_303);
  expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
}, 60_000);
