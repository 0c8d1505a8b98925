import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Generations, workerPid } from './generations.js';
import { get, isRunning, until } from './harness.js';
import { Client, GOOD, give, newWorld, perl, type Report, reported, SERVING } from './workers.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe('a directory that somebody else could write to', () => {
  const DIRECTORIES = {
    'a symbolic link': {
      make: (path: string) => {
        mkdirSync(`${path}.real`, { mode: 0o700 });
        symlinkSync(`${path}.real`, path);
      },
      says: /TANIST_RUN_DIR: .*\/run is a symbolic link, a directory was expected\nhint: Name the directory itself/,
    },
    'writable by its group': {
      make: (path: string) => {
        mkdirSync(path);
        chmodSync(path, 0o770);
      },
      says: /TANIST_RUN_DIR: .*\/run may be written by others, its mode is 770\nhint: .*chmod go-w .*\/run/,
    },
    'writable by everybody': {
      make: (path: string) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      says: /TANIST_RUN_DIR: .*\/run may be written by others, its mode is 777/,
    },
    ...(isRoot
      ? {
          'of another user': {
            make: (path: string) => {
              mkdirSync(path, { mode: 0o700 });
              chownSync(path, NOBODY, NOBODY);
            },
            says: /TANIST_RUN_DIR: .*\/run belongs to user 65534, 0 was expected\nhint: Name a directory of your own/,
          },
        }
      : {}),
  };

  it.each(Object.entries(DIRECTORIES))(
    'is refused in words, and nothing is put there: %s',
    async (_, { make, says }) => {
      const world = newWorld();
      const path = world.path('run');
      make(path);
      for (const where of [
        ['--run-dir', path],
        ['--pid-file', join(path, 'web.pid')],
      ]) {
        const { status, stderr } = await world.tanist('run', ...where, ...perl(...GOOD));
        expect([status, stderr]).toEqual([1, expect.stringMatching(says)]);
      }
      expect(readdirSync(path)).toEqual([]);
      expect(world.processes()).toEqual([]);
    },
  );

  it('is not one that others may only read', async () => {
    const world = newWorld();
    const path = world.path('run');
    mkdirSync(path);
    chmodSync(path, 0o755);
    const daemon = world.run(['--run-dir', path, ...perl(...GOOD)]);
    await daemon.line('worker.ready');
    expect(lstatSync(join(path, 'perl.sock')).mode & 0o777).toBe(0o600);
  });
});

describe('a pid file that is not to be trusted', () => {
  const FILES = {
    'a hard link to something else': {
      make: (path: string) => {
        writeFileSync(`${path}.other`, 'precious');
        linkSync(`${path}.other`, path);
      },
      says: /is one of 2 hard links to a file/,
    },
    'writable by others': {
      make: (path: string) => {
        writeFileSync(path, 'precious');
        chmodSync(path, 0o666);
      },
      says: /may be written by others, its mode is 666/,
    },
    ...(isRoot
      ? {
          'of another user': {
            make: (path: string) => {
              writeFileSync(path, 'precious');
              chownSync(path, NOBODY, NOBODY);
            },
            says: /belongs to user 65534, 0 was expected/,
          },
        }
      : {}),
  };

  it.each(Object.entries(FILES))('is refused in words, and not written to: %s', async (_, { make, says }) => {
    const world = newWorld();
    const path = world.path('perl.pid');
    make(path);
    const { status, stderr } = await world.tanist('run', ...perl(...GOOD));
    expect([status, stderr]).toEqual([1, expect.stringMatching(says)]);
    expect(stderr).toMatch(
      /^error TANIST_PID_FILE: .*\/perl\.pid .*\nhint: The pid file must be a regular file or absent, yours,/m,
    );
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});

describe('the control socket', () => {
  it('is answered while many more silent clients than it admits are connected: the oldest make room', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...GOOD));
    await daemon.running();
    const path = world.path('perl.sock');
    const silent = Array.from(
      { length: 300 },
      (_, index) => new Client(path, index % 2 === 0 ? '' : 'GET /sta'),
    );
    onTestFinished(() => {
      for (const { socket } of silent) socket.destroy();
    });
    await until('all silent clients', () => silent.every(({ socket, ended }) => ended || !socket.connecting));
    const answer = await get(`unix:${path}`, '/healthz');
    expect(answer.status).toBe(200);
    await until('the end of the oldest', () => silent.slice(0, 100).every(({ ended }) => ended));
    // They had to go because others came, not because their time was over: the last ones are still there.
    expect(silent.slice(-50).filter(({ ended }) => ended)).toEqual([]);
  });

  it('lets whoever waits for a verdict wait, however many silent clients come after him', async () => {
    const world = new Generations();
    onTestFinished(() => world.dispose());
    const { daemon } = await world.started();
    const gate = world.path('gate');
    world.release({ version: 'two', gate });
    const reload = world.reload();
    await world.step('started', 2);
    const silent = Array.from({ length: 300 }, () => new Client(world.controlPath, ''));
    onTestFinished(() => {
      for (const { socket } of silent) socket.destroy();
    });
    await until('the end of the oldest', () => silent.slice(0, 100).every(({ ended }) => ended));
    world.open(gate);
    expect((await reload).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    await daemon.settled(2);
  });
});

describe('a secret of the environment', () => {
  it('is in no log line, no status and no file that tanist writes, whatever happens', async () => {
    const world = new Generations();
    onTestFinished(() => world.dispose());
    const [inherited, fromFile] = ['s3cr3t-inherited-91', 's3cr3t-from-file-92'];
    const envFile = world.path('secrets.env');
    writeFileSync(envFile, `DATABASE_PASSWORD=${fromFile}\n`);
    const { daemon, status } = await world.started({
      options: ['--workers', '2', '--log-level', 'debug', '--env-file', envFile, '--respawn-delay', '50ms'],
      env: { API_TOKEN: inherited },
    });
    const environment = readFileSync(`/proc/${workerPid(status)}/environ`, 'utf8');
    expect(environment).toContain(inherited);
    expect(environment).toContain(fromFile);
    process.kill(workerPid(status), 'SIGKILL');
    await daemon.manyLines(3, 'worker.ready');
    world.release({ version: 'broken', boot: 'crash' });
    expect((await world.reload()).verdict.outcome).toBe('refused');
    writeFileSync(envFile, `PASSWORD=\n${fromFile}-and-its-second-line\n=${fromFile}\nA="x"${fromFile}\n`);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'refused', reason: 'config-invalid' });
    writeFileSync(envFile, `DATABASE_PASSWORD=${fromFile}\n`);
    world.release({});
    expect((await world.reload()).verdict.outcome).toBe('promoted');
    const said = [
      JSON.stringify(await daemon.settled(4)),
      (await world.tanist('status')).stdout,
      daemon.stderr(),
      ...readdirSync(world.directory, { withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'secrets.env')
        .map(({ name }) => readFileSync(world.path(name), 'utf8')),
    ].join('\n');
    expect(said).toContain('config-invalid');
    for (const secret of [inherited, fromFile]) expect(said).not.toContain(secret);
  });
});

describe('a worker that is started while a reload is under way', () => {
  it('has the descriptors of every other worker, and none of the hand-over', async () => {
    const world = newWorld();
    const go = world.path('go');
    const command = perl('report', ...SERVING);
    const daemon = world.run(['--listen', '127.0.0.1:0', '--respawn-delay', '50ms', ...command]);
    const { workers, pid } = await daemon.running();
    const links = ({ fds }: Report) =>
      Object.entries(fds).map(([fd, { listening, family }]) => [fd, listening, family]);
    const before = await reported(daemon, workers[0]?.pid ?? 0);
    // The successor is held up in its start: its sockets are open all the time.
    give(go);
    process.kill(pid, 'SIGUSR2');
    const { pid: successor = 0 } = await daemon.line('reload.started');
    process.kill(successor, 'SIGSTOP');
    process.kill(before.pid, 'SIGKILL');
    const [, next] = await daemon.manyLines(2, 'worker.spawned', ({ generation }) => generation === 1);
    const after = await reported(daemon, next?.pid ?? 0);
    expect(isRunning(successor)).toBe(true);
    expect(links(after)).toEqual(links(before));
    process.kill(successor, 'SIGCONT');
    await daemon.settled(2);
  });
});
