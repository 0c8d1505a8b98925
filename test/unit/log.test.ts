import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
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

describe('the log of a machine', () => {
  const newLog = () => {
    const written: Record<string, unknown>[] = [];
    const write = (bytes: Uint8Array): number => {
      written.push(JSON.parse(Buffer.from(bytes).toString()));
      return bytes.length;
    };
    return { written, log: createLog({ level: 'info', format: null, write }) };
  };
  const inCharge = { generation: 3, inCharge: true };
  const supervisor = { id: 'supervisor', getSnapshot: () => ({ context: inCharge }) };
  const told = (event: object): InspectionEvent =>
    ({ type: '@xstate.event', actorRef: supervisor, event }) as unknown as InspectionEvent;
  const changed = (value: string, context: object = inCharge): InspectionEvent =>
    ({
      type: '@xstate.snapshot',
      actorRef: supervisor,
      snapshot: { value, context },
    }) as unknown as InspectionEvent;
  const promoted = { type: 'worker.promoted', slot: 1, pid: 101 };

  it('has its lines behind what happens in that turn, and before the next', async () => {
    const { log, written } = newLog();
    log.observe(changed('idle'));
    log.observe(told(promoted));
    log.observe(changed('running'));
    expect(written).toEqual([]);
    await Promise.resolve();
    expect(written).toMatchObject([
      { event: 'worker.promoted', generation: 3, slot: 1, pid: 101, msg: 'a standby, pid 101, fills slot 1' },
      { event: 'state.changed', generation: 3, from: 'idle', to: 'running', msg: 'idle → running' },
    ]);
  });

  it('has its lines first where a generation is not in charge: it may be killed for what it says', () => {
    const { log, written } = newLog();
    log.observe(changed('takeover', { generation: 3, inCharge: false }));
    log.observe(told(promoted));
    expect(written).toMatchObject([{ event: 'worker.promoted' }]);
    log.observe(changed('running'));
    expect(written).toHaveLength(1);
    log.flush();
    expect(written).toMatchObject([{ event: 'worker.promoted' }, { event: 'state.changed' }]);
  });

  it('keeps the order of its lines, with the time of each fact, whoever else writes one', () => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ['Date'] });
    const { log, written } = newLog();
    log.observe(changed('running'));
    log.observe(told(promoted));
    vi.setSystemTime(Date.UTC(2026, 0, 2));
    log.line('info', 'test', 'another one');
    expect(written).toMatchObject([
      { event: 'worker.promoted', time: '2026-01-01T00:00:00.000Z' },
      { event: 'test', time: '2026-01-02T00:00:00.000Z' },
    ]);
  });

  it('writes what is left when the process ends within a turn, once', async () => {
    const { log, written } = newLog();
    log.observe(changed('running'));
    log.observe(told(promoted));
    log.flush();
    expect(written).toHaveLength(1);
    await Promise.resolve();
    log.flush();
    expect(written).toHaveLength(1);
  });

  it('goes on behind a fact that there are no words for', async () => {
    const { log, written } = newLog();
    log.observe(changed('running'));
    // Whose exit it is cannot be said: this context has no workers.
    log.observe(told({ type: 'worker.exited', slot: 1, place: 1, code: 0, signal: null }));
    log.observe(told(promoted));
    await Promise.resolve();
    expect(written).toMatchObject([
      { level: 'error', event: 'log.failed', msg: expect.stringContaining('could not be written') },
      { event: 'worker.promoted' },
    ]);
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
