import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Generations } from './generations.js';
import { type Daemon, fixture, type LogLine, type World } from './harness.js';
import { give, newWorld, perl } from './workers.js';

const WATCH = ['--watchdog', '300ms'] as const;
const SECRET = 's3cr3t-in-the-environment';

const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');

/** The folder that the log line of a kill names. */
const folderOf = ({ evidence }: LogLine): string => {
  if (typeof evidence !== 'string') throw new Error('the log line names no folder');
  return evidence;
};

const killed = (daemon: Daemon): Promise<LogLine> => daemon.line('worker.killing');

/** The first kill before which the program itself could tell something: on a busy machine a second may be too short. */
const reported = (daemon: Daemon): Promise<LogLine> =>
  daemon.line('worker.killing', (line) => existsSync(join(folderOf(line), 'report.json')));

/** A watched worker of Node's that runs a loop without end from the moment the file exists. */
const spinning = async (world: World): Promise<Daemon> => {
  const file = world.path('hang');
  const daemon = world.run([...WATCH, '--listen', '127.0.0.1:0', '--', fixture('spins.mjs')], {
    env: { FILE: file, SECRET },
  });
  await daemon.running();
  give(file);
  return daemon;
};

describe('what explains why a worker is killed', () => {
  it('tells in which line of which function a worker of Node’s runs a loop without end', async () => {
    const world = newWorld();
    const daemon = await spinning(world);
    const killing = await reported(daemon);
    const folder = folderOf(killing);
    expect(dirname(folder)).toBe(world.path('spins-evidence'));
    expect(basename(folder)).toMatch(new RegExp(`^\\d{8}T\\d{6}\\.\\d{3}Z-1-${killing.pid}$`));
    expect(killing.msg).toContain(
      `it has been silent for 0.3 s after it had pinged; what explains it is in ${folder}`,
    );
    expect(read(folder, 'stack.txt')).toMatch(/^spinForEver \(file:.*\/spins\.mjs:8:\d+\)\n.*spins\.mjs:14:/);
    const report = JSON.parse(read(folder, 'report.json'));
    expect(report.header.processId).toBe(killing.pid);
    expect(JSON.stringify(report.javascriptStack)).toContain('spinForEver');
    expect(JSON.parse(read(folder, 'about.json'))).toMatchObject({
      pid: killing.pid,
      slot: 1,
      generation: 1,
      cause: 'it has been silent for 0.3 s after it had pinged',
    });
    expect(read(folder, 'status.txt')).toContain(`Pid:\t${killing.pid}\n`);
    expect(read(folder, 'threads.txt')).toMatch(new RegExp(`^thread ${killing.pid} \\(.*\\): [A-Za-z] `));
    expect(read(folder, 'descriptors.txt')).toMatch(/^3 -> socket:/m);
    expect(read(folder, 'limits.txt')).toContain('Max open files');
    expect(read(folder, 'command.txt')).toContain(fixture('spins.mjs'));
    // It is for whoever runs the service, and the environment is not for him to find by chance.
    expect((statSync(dirname(folder)).mode & 0o777).toString(8)).toBe('700');
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    for (const name of readdirSync(folder)) {
      expect((statSync(join(folder, name)).mode & 0o777).toString(8)).toBe('600');
      expect(read(folder, name)).not.toContain(SECRET);
    }
    // The other one takes its place, and hangs as well.
    await daemon.manyLines(2, 'worker.spawned');
  });

  it('is there of a worker that ignores the stop signal while it drains, and the stop does not wait for more', async () => {
    const world = newWorld();
    const daemon = world.run([
      ...['--drain-timeout', '200ms'],
      ...perl('ignore TERM', 'say takeover', 'hear', 'hang'),
    ]);
    await daemon.running();
    process.kill(daemon.pid, 'SIGTERM');
    const killing = await killed(daemon);
    const folder = folderOf(killing);
    expect(read(folder, 'about.json')).toContain('it did not leave within the drain timeout');
    expect(read(folder, 'status.txt')).toContain('Name:\tperl');
    // What is asked of a worker that is no program of Node's is asked of the kernel alone.
    expect(readdirSync(folder)).not.toContain('stack.txt');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    // It is kept when everything else is gone.
    expect(read(folder, 'threads.txt')).toContain('waits in: ');
  });

  it('is there of a worker that hangs before it is ready', async () => {
    const world = newWorld();
    const daemon = world.run(['--start-timeout', '200ms', '--respawn-delay', '100ms', ...perl('hang')]);
    const folder = folderOf(await killed(daemon));
    expect(read(folder, 'about.json')).toContain('it did not get ready in time');
    expect((await daemon.line('worker.failed')).reason).toBe('start-timeout');
  });

  it('is there of a new version that hangs while it starts, and the verdict is what it was', async () => {
    const world = new Generations();
    try {
      const { daemon } = await world.started({ options: ['--start-timeout', '2s'] });
      world.release({ version: 'broken', boot: 'hang' });
      const { verdict } = await world.reload();
      expect(verdict).toMatchObject({ outcome: 'refused', reason: 'start-timeout', generation: 2 });
      const [name = ''] = readdirSync(world.path('service-evidence'));
      const { pid } = await world.step('started', 2);
      expect(name).toMatch(new RegExp(`-1-${pid}$`));
      expect(read(world.path(`service-evidence/${name}`), 'about.json')).toContain('"generation": 2');
      await daemon.settled(1);
    } finally {
      await world.dispose();
    }
  });

  it('is not collected when the worker is killed because a second stop was asked for', async () => {
    const world = newWorld();
    const daemon = world.run(perl('ignore TERM', 'say takeover', 'hear', 'hang'));
    await daemon.running();
    process.kill(daemon.pid, 'SIGTERM');
    await daemon.line('worker.draining');
    process.kill(daemon.pid, 'SIGTERM');
    expect(await killed(daemon)).not.toHaveProperty('evidence');
    expect((await daemon.exit()).code).toBe(0);
  });

  it('is kept of the last ten: older ones go, and what is not ours stays', async () => {
    const world = newWorld();
    const directory = world.path('perl-evidence');
    mkdirSync(directory, { mode: 0o700 });
    const old = Array.from({ length: 10 }, (_, index) => `20200101T00000${index}.000Z-1-${index + 100}`);
    for (const name of old) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'about.json'), '{}');
    }
    writeFileSync(join(directory, 'notes of the operator'), 'precious');
    const daemon = world.run([
      '--start-timeout',
      '100ms',
      '--respawn-delay',
      '1h',
      '--respawn',
      'fixed',
      ...perl('hang'),
    ]);
    const folder = folderOf(await killed(daemon));
    expect(readdirSync(directory).sort()).toEqual(
      [...old.slice(1), basename(folder), 'notes of the operator'].sort(),
    );
  });

  const UNWRITABLE = {
    'is a file': (path: string) => writeFileSync(path, 'precious'),
    'is a symbolic link': (path: string) => {
      mkdirSync(`${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
    'may be written by others': (path: string) => {
      mkdirSync(path);
      chmodSync(path, 0o777);
    },
  };

  it.each(Object.entries(UNWRITABLE))(
    'that cannot be written, since the directory %s, is a line in the log, and the worker is killed',
    async (_, make) => {
      const world = newWorld();
      make(world.path('perl-evidence'));
      const daemon = world.run(['--start-timeout', '100ms', '--respawn-delay', '50ms', ...perl('hang')]);
      const failed = await daemon.line('evidence.failed');
      expect(failed.level).toBe('warn');
      expect(failed.msg).toMatch(
        /^what explains the kill could not be written: .*\/perl-evidence is not (a directory|ours alone to write)$/,
      );
      expect(await killed(daemon)).not.toHaveProperty('evidence');
      await daemon.line('worker.exited', ({ signal }) => signal === 'SIGKILL');
      await daemon.manyLines(2, 'worker.spawned');
    },
  );
});

describe('the reporter inside a worker of Node’s', () => {
  it('says that no JavaScript runs where the event loop waits', async () => {
    const world = newWorld();
    const daemon = world.run([...WATCH, '--', fixture('falls-silent.mjs')]);
    const folder = folderOf(await reported(daemon));
    expect(read(folder, 'stack.txt')).toMatch(/^No JavaScript runs/);
    expect(JSON.parse(read(folder, 'report.json')).libuv).toEqual(expect.any(Array));
  });

  it('is asked on a socket that only a watched worker has', async () => {
    const world = newWorld();
    const socketsOf = async (name: string, options: readonly string[]): Promise<number> => {
      const daemon = world.run(['--name', name, ...options, '--', fixture('falls-silent.mjs')]);
      return read(folderOf(await killed(daemon)), 'descriptors.txt').match(/-> socket:/g)?.length ?? 0;
    };
    const unwatched = await socketsOf('unwatched', ['--start-timeout', '500ms']);
    expect(await socketsOf('watched', WATCH)).toBe(unwatched + 1);
  });
});
