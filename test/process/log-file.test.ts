import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRunning, type LogLine, until } from './harness.js';
import { GOOD, newWorld, perl } from './workers.js';

const linesIn = (path: string): LogLine[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

describe('--log-file', () => {
  it('gets the lines of every generation, JSON throughout, and standard error none', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    writeFileSync(log, `${JSON.stringify({ event: 'earlier' })}\n`);
    const daemon = world.run(['--log-file', 'x.log', ...perl('shell echo words >&2', ...GOOD)], {
      log,
      cwd: world.directory,
    });
    await daemon.running();
    for (const generation of [2, 3]) {
      expect((await world.tanist('reload')).status).toBe(0);
      await daemon.settled(generation);
    }
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    const lines = linesIn(log);
    expect(lines[0]?.event).toBe('earlier');
    const ready = lines.filter(({ event }) => event === 'worker.ready');
    expect(ready.map(({ generation }) => generation)).toEqual([1, 2, 3]);
    expect(new Set(ready.map(({ supervisorPid }) => supervisorPid)).size).toBe(3);
    // What workers print stays what it was.
    expect(daemon.stderr()).toBe('words\n'.repeat(3));
  });

  it('is made with mode 0640', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    await world.run(['--log-file', log, ...perl(...GOOD)], { log }).running();
    expect(statSync(log).mode & 0o777).toBe(0o640);
  });

  it('that is rotated 50 times while workers die loses no line', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    const respawn = ['--respawn', 'fixed', '--respawn-delay', '0ms'];
    const daemon = world.run(['--log-file', log, ...respawn, ...perl(...GOOD)], { log });
    const dead: number[] = [];
    for (let rotation = 1; rotation <= 50; rotation += 1) {
      const { workers } = await daemon.status(
        'another worker',
        ({ state, workers: [worker] }) => state === 'running' && worker?.respawns === rotation - 1,
      );
      const pid = workers[0]?.pid ?? 0;
      dead.push(pid);
      renameSync(log, `${log}.${rotation}`);
      process.kill(pid, 'SIGKILL');
    }
    await daemon.status(
      'the last worker',
      ({ state, workers: [worker] }) => state === 'running' && worker?.respawns === 50,
    );
    const all = readdirSync(world.directory)
      .filter((name) => name.startsWith('x.log'))
      .flatMap((name) => linesIn(world.path(name)));
    const pidsOf = (event: string) => all.filter((line) => line.event === event).map(({ pid }) => pid);
    expect(pidsOf('worker.exited').sort()).toEqual(dead.sort());
    expect(pidsOf('worker.spawned')).toHaveLength(51);
    expect(pidsOf('worker.ready')).toHaveLength(51);
    // Each rotated file has what was written while the name was its own.
    expect(readdirSync(world.directory).filter((name) => name.startsWith('x.log.'))).toHaveLength(50);
  });

  it('that is removed is there again with the next line', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    const daemon = world.run(['--log-file', log, ...perl(...GOOD)], { log });
    const { workers } = await daemon.running();
    rmSync(log);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.line('worker.exited', ({ pid }) => pid === workers[0]?.pid);
    expect(linesIn(log)[0]?.event).toBe('worker.exited');
  });

  it('on a full disk stops nothing, and tells how many lines were lost', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    symlinkSync('/dev/full', log);
    const daemon = world.run(['--log-file', log, ...perl(...GOOD)]);
    const { workers } = await daemon.running();
    rmSync(log);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.status('another worker', ({ workers: [worker] }) => worker?.respawns === 1);
    expect(linesIn(log)).toContainEqual(
      expect.objectContaining({ event: 'log.resumed', lost: expect.any(Number) }),
    );
    expect((await world.tanist('stop')).status).toBe(0);
  });

  it.each([
    ['whose directory is missing', 'none/x.log', /ENOENT.*none\/x\.log/],
    ['whose directory is a file', 'file/x.log', /ENOTDIR.*file\/x\.log/],
    ['that is a directory', 'directory', /EISDIR.*directory/],
  ])('%s is refused before anything is started', async (_, name, message) => {
    const world = newWorld();
    writeFileSync(world.path('file'), '');
    const run = world.path('run');
    if (name === 'directory') symlinkSync(world.directory, world.path(name));
    const { status, stderr } = await world.tanist(
      ...['run', '--run-dir', run, '--log-file', world.path(name), ...perl(...GOOD)],
    );
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error TANIST_LOG_FILE: the log file cannot be opened: /);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^hint: Make its directory/m);
    expect(existsSync(run)).toBe(false);
  });

  it('that a new generation cannot open refuses the reload, and the old one goes on', async () => {
    const world = newWorld();
    const log = world.path('logs');
    symlinkSync(world.path('x.log'), log);
    const daemon = world.run(['--log-file', log, ...perl(...GOOD)], { log: world.path('x.log') });
    const { workers } = await daemon.running();
    rmSync(log);
    symlinkSync(world.path('none/x.log'), log);
    const { status, stdout } = await world.tanist('reload', '--json');
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'refused',
      reason: 'config-invalid',
      detail: expect.stringContaining('the log file cannot be opened'),
    });
    expect((await daemon.settled(1)).workers[0]?.pid).toBe(workers[0]?.pid);
  });

  it('says why the supervisor gave up, as standard error does', async () => {
    const world = newWorld();
    const log = world.path('x.log');
    const limit = ['--respawn-limit', '1/10s', '--respawn-delay', '0ms'];
    const daemon = world.run(['--log-file', log, ...limit, ...perl('exit 3')], { log });
    expect((await daemon.exit()).code).toBe(6);
    expect(daemon.stderr()).toMatch(/^error TANIST_RESPAWN_LIMIT: /);
    expect(linesIn(log).at(-1)).toMatchObject({
      level: 'fatal',
      event: 'supervisor.failed',
      code: 'TANIST_RESPAWN_LIMIT',
    });
  });
});

describe('S10: --no-warn', () => {
  it('silences warnings, and no errors', async () => {
    const world = newWorld();
    const daemon = world.run(['--no-warn', ...perl('say nonsense', ...GOOD)]);
    await daemon.running();
    const [worker] = (await daemon.running()).workers;
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await daemon.status('another worker', ({ workers: [next] }) => next?.respawns === 1);
    expect(daemon.stderr()).toBe('');
    expect(isRunning(daemon.pid)).toBe(true);
    const failing = world.run([
      '--name',
      'other',
      '--no-warn',
      '--respawn-limit',
      '0/10s',
      ...perl('exit 3'),
    ]);
    expect((await failing.exit()).code).toBe(6);
    expect(failing.stderr()).toMatch(/^error TANIST_RESPAWN_LIMIT: /m);
  });

  it('silences nothing without it: the same daemon warns', async () => {
    const world = newWorld();
    const daemon = world.run(perl('say nonsense', ...GOOD));
    expect((await daemon.line('line.rejected')).level).toBe('warn');
    await until('the worker', () => daemon.lines().some(({ event }) => event === 'worker.ready'));
  });
});
