import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog, createSink } from '../../src/log.js';
import { openLogFile } from '../../src/os/log-file.js';

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const systemError = (code: string) => Object.assign(new Error(code), { code });

describe('the sink of the log', () => {
  /** Takes what it is given until `broken` says otherwise. */
  const newDisk = () => {
    const disk = { text: '', broken: null as Error | null, roomBytes: Number.POSITIVE_INFINITY };
    const write = (bytes: Uint8Array): number => {
      if (disk.broken !== null && disk.roomBytes === 0) throw disk.broken;
      const taken = bytes.subarray(0, disk.roomBytes);
      disk.roomBytes -= taken.length;
      disk.text += Buffer.from(taken).toString();
      return taken.length;
    };
    return { disk, write };
  };

  it('never throws: lines that a full disk does not take are counted, and the count is told when it takes one', () => {
    const { disk, write } = newDisk();
    const recovered: number[] = [];
    const sink = createSink(write, (lost) => recovered.push(lost));
    sink.write('one\n');
    Object.assign(disk, { broken: systemError('ENOSPC'), roomBytes: 0 });
    for (let line = 0; line < 1_000; line += 1) sink.write('lost\n');
    expect([disk.text, recovered]).toEqual(['one\n', []]);
    disk.roomBytes = Number.POSITIVE_INFINITY;
    sink.write('two\n');
    expect([disk.text, recovered]).toEqual(['one\ntwo\n', [1_000]]);
  });

  it('begins a new line after one that was cut', () => {
    const { disk, write } = newDisk();
    const sink = createSink(write, () => undefined);
    Object.assign(disk, { broken: systemError('ENOSPC'), roomBytes: 3 });
    sink.write('abcdef\n');
    disk.roomBytes = Number.POSITIVE_INFINITY;
    sink.write('next\n');
    expect(disk.text).toBe('abc\nnext\n');
  });

  it('gives a full pipe some time before it counts a line as lost', () => {
    const { disk, write } = newDisk();
    let tries = 0;
    const sink = createSink(
      (bytes) => {
        tries += 1;
        if (tries < 4) throw systemError('EAGAIN');
        return write(bytes);
      },
      () => undefined,
    );
    sink.write('one\n');
    expect([disk.text, tries]).toEqual(['one\n', 4]);
  });
});

describe('a log file', () => {
  it('loses no line and tears none over 50 rotations and 50 removals, with two who write', () => {
    const directory = newDirectory();
    const path = join(directory, 'x.log');
    const writers = ['a', 'b'].map((name) => ({ name, file: openLogFile(path) }));
    const expected: string[] = [];
    const kept: string[] = [];
    for (let round = 0; round < 100; round += 1) {
      for (const { name, file } of writers) {
        const line = `${name} ${round} ${'x'.repeat(round)}`;
        expected.push(line);
        file.write(Buffer.from(`${line}\n`));
      }
      const moved = join(directory, `x.log.${round}`);
      renameSync(path, moved);
      // Removed at once, as by somebody who cleans up: only what was in it is gone with it.
      if (round % 2 === 0) continue;
      kept.push(readFileSync(moved, 'utf8'));
      rmSync(moved);
    }
    const rotated = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
    const lines = [...rotated, ...kept]
      .join('')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.sort()).toEqual(expected.sort());
  });

  it('is appended to, with mode 0640, and its descriptor is that of the file the name means now', () => {
    const path = join(newDirectory(), 'x.log');
    const file = openLogFile(path);
    file.write(Buffer.from('one\n'));
    openLogFile(path).write(Buffer.from('two\n'));
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o777 & ~0o640).toBe(0);
    const before = file.descriptor();
    expect(file.descriptor()).toBe(before);
    renameSync(path, `${path}.1`);
    const after = file.descriptor();
    expect(statSync(`/proc/self/fd/${after}`).ino).toBe(statSync(path).ino);
  });

  it('whose directory is gone goes on in the file it has, until the directory is back', () => {
    const directory = newDirectory();
    const file = openLogFile(join(directory, 'x.log'));
    renameSync(directory, `${directory}.away`);
    onTestFinished(() => rmSync(`${directory}.away`, { recursive: true, force: true }));
    file.write(Buffer.from('one\n'));
    expect(readFileSync(join(`${directory}.away`, 'x.log'), 'utf8')).toBe('one\n');
    renameSync(`${directory}.away`, directory);
    file.write(Buffer.from('two\n'));
    expect(readFileSync(join(directory, 'x.log'), 'utf8')).toBe('one\ntwo\n');
  });

  it('that cannot be opened, or is none, is refused in words', () => {
    const directory = newDirectory();
    for (const path of [join(directory, 'none/x.log'), directory])
      expect(() => openLogFile(path)).toThrow(
        expect.objectContaining({
          code: 'TANIST_LOG_FILE',
          exitStatus: 2,
          message: expect.stringContaining(path),
        }),
      );
  });

  it('tells how many lines a full disk lost once there is room again', () => {
    const directory = newDirectory();
    const path = join(directory, 'x.log');
    symlinkSync('/dev/full', path);
    const file = openLogFile(path);
    const log = createLog({ level: 'info', format: null, write: file.write });
    for (let line = 0; line < 3; line += 1) log.line('info', 'test', 'lost');
    rmSync(path);
    log.line('info', 'test', 'kept');
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { event: 'test', msg: 'kept' },
      { event: 'log.resumed', level: 'warn', lost: 3 },
    ]);
  });
});
