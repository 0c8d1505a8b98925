import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
} from 'node:fs';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { TICKER } from './daemons.js';
import { isRunning, type LogLine, tanistScript, until, type World } from './harness.js';
import { GOOD, newWorld, perl, type Report, SERVING } from './workers.js';

/** `tanist run --daemonize` with its log where the default has it. */
const daemonize = (world: World, ...args: string[]) =>
  world.run(['--daemonize', '--name', 'x', ...args], { log: world.path('x.log') });

/** proc(5): state, parent, process group, session, terminal. */
const statOf = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [state, ppid, pgrp, session, terminal] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state,
    ppid: Number(ppid),
    pgrp: Number(pgrp),
    session: Number(session),
    terminal: Number(terminal),
  };
};

const reportsIn = (world: World): Report[] =>
  readFileSync(world.path('x.log'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, text] = /^\d+ report (.*)$/.exec(line) ?? [];
      return text === undefined ? [] : [JSON.parse(text) as Report];
    });

const jsonLines = (world: World): LogLine[] =>
  readFileSync(world.path('x.log'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);

describe('--daemonize', () => {
  it('S17: returns 0 when every worker is ready, and leaves a daemon in a session of its own', async () => {
    const world = newWorld();
    const gate = world.path('gate');
    const starter = daemonize(world, '--workers', '2', ...perl(`await ${gate}-SLOT`, ...GOOD));
    await starter.manyLines(2, 'worker.spawned');
    closeSync(openSync(`${gate}-1`, 'w'));
    await starter.line('worker.ready');
    expect(isRunning(starter.pid)).toBe(true);
    closeSync(openSync(`${gate}-2`, 'w'));
    expect(await starter.exit()).toEqual({ code: 0, signal: null });
    const status = await starter.running();
    expect(starter.stdout()).toBe(`x runs: pid ${status.pid}, log ${world.path('x.log')}\n`);
    expect(starter.stderr()).toBe('');
    expect(status.pid).not.toBe(starter.pid);
    expect(statOf(status.pid)).toMatchObject({ pgrp: status.pid, session: status.pid, terminal: 0 });
    const links = [0, 1, 2].map((fd) => readlinkSync(`/proc/${status.pid}/fd/${fd}`));
    expect(links).toEqual(['/dev/null', world.path('x.log'), world.path('x.log')]);
    expect(readFileSync(world.path('x.pid'), 'utf8')).toBe(`${status.pid}\n`);
  });

  it('S11: a successor does not detach again, takes no lock, and serves on', async () => {
    const world = newWorld();
    const starter = daemonize(world, '--listen', '127.0.0.1:0', ...perl('report', ...SERVING));
    await starter.exit();
    for (const generation of [2, 3]) {
      expect((await world.tanist('reload')).status).toBe(0);
      const { pid } = await starter.settled(generation);
      expect(statOf(pid).session).toBe(pid);
      expect(readlinkSync(`/proc/${pid}/fd/2`)).toBe(world.path('x.log'));
    }
    const reports = reportsIn(world);
    expect(reports).toHaveLength(3);
    for (const { env } of reports) {
      expect(Object.keys(env).filter((key) => /STARTER_FD|HANDOVER/.test(key))).toEqual([]);
    }
    // Nothing of the private socket reaches a worker: listener, channel, life pipe.
    for (const { fds } of reports) expect(Object.keys(fds)).toHaveLength(6);
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    expect(readdirSync(world.directory).filter((name) => name.startsWith('x.'))).toEqual(['x.log']);
  });

  it('X20: what is warned and written after detaching is in the log file, also after a rotation', async () => {
    const world = newWorld();
    const starter = daemonize(world, ...perl('shell echo words >&2', 'say nonsense', ...GOOD));
    await starter.exit();
    await starter.line('line.rejected');
    expect(starter.log()).toMatch(/^words$/m);
    renameSync(world.path('x.log'), world.path('x.log.1'));
    const [worker] = (await starter.running()).workers;
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await starter.line('worker.ready');
    expect(starter.log()).toMatch(/^words$/m);
    expect(starter.lines().some(({ event }) => event === 'worker.exited')).toBe(true);
  });

  it('SIGHUP is a reload, whatever standard input was', async () => {
    const world = newWorld();
    const starter = daemonize(world, ...perl(...GOOD));
    await starter.exit();
    process.kill((await starter.running()).pid, 'SIGHUP');
    await starter.settled(2);
  });

  it('a second start of the same is a reload, with its verdict', async () => {
    const world = newWorld();
    await daemonize(world, ...perl(...GOOD)).exit();
    const second = await world.tanist('run', '--daemonize', '--name', 'x', ...perl(...GOOD));
    expect([second.status, second.stdout]).toEqual([0, expect.stringMatching(/^promoted: generation 2 /)]);
    const other = await world.tanist('run', '--daemonize', '--name', 'x', ...perl('hang'));
    expect([other.status, other.stderr]).toEqual([5, expect.stringMatching(/^error TANIST_LOCK_HELD: /)]);
  });
});

describe('a daemonized start that fails leaves nothing, and says why:', () => {
  const FAILURES: Readonly<Record<string, readonly [number, readonly string[], RegExp]>> = {
    'a worker that exits, with its last words': [
      1,
      perl('shell echo boom >&2', 'exit 3'),
      /^error TANIST_WORKER_FAILED: worker 1 \(pid \d+\) exited with status 3 before it was ready\n {2}what was written:\n {2}boom\n/,
    ],
    'a worker that is silent': [
      1,
      ['--start-timeout', '200ms', ...perl('hang')],
      /^error TANIST_WORKER_FAILED: worker 1 \(pid \d+\) did not say takeover within 200 ms/,
    ],
    'an address of another machine': [
      1,
      ['--listen', '192.0.2.1:8080', ...perl(...GOOD)],
      /^error TANIST_LISTEN_FAILED: listen0: cannot listen on 192\.0\.2\.1:8080/,
    ],
    'a command that is not there': [
      2,
      ['--', 'no-such-program-here'],
      /^error TANIST_COMMAND_NOT_FOUND: no-such-program-here is not in PATH/,
    ],
    'mistakes in the options': [
      2,
      ['--workers', 'x', ...perl(...GOOD)],
      /^error TANIST_USAGE: --workers "x"/,
    ],
    'a log file that cannot be opened': [
      2,
      ['--log-file', '/no/such/directory/x.log', ...perl(...GOOD)],
      /^error TANIST_LOG_FILE: /,
    ],
  };

  it.each(Object.entries(FAILURES))('S17: %s', async (_, [expected, args, message]) => {
    const world = newWorld();
    const { status, stdout, stderr } = await world.tanist('run', '--daemonize', '--name', 'x', ...args);
    expect([status, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^hint: /m);
    expect(world.processes()).toEqual([]);
    // Its log says why, and so does the evidence of a worker that had to be killed.
    const told = ['x.log', 'x-evidence'];
    expect(readdirSync(world.directory).filter((name) => !told.includes(name))).toEqual([]);
  });

  it('a port in use, by whom', async () => {
    const world = newWorld();
    const server = net.createServer().listen(0, '127.0.0.1');
    await until('the port', () => server.listening);
    const { port } = server.address() as net.AddressInfo;
    const listen = ['--listen', `127.0.0.1:${port}`];
    const { status, stderr } = await world.tanist('run', '--daemonize', ...listen, ...perl(...GOOD));
    server.close();
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`127.0.0.1:${port} is in use by pid ${process.pid}`),
    ]);
    expect(world.processes()).toEqual([]);
  });

  it('one worker of several, and the others are ended before the command returns', async () => {
    const world = newWorld();
    const gate = world.path('gate');
    closeSync(openSync(`${gate}-1`, 'w'));
    const starter = daemonize(
      world,
      '--workers',
      '2',
      ...perl(`await ${gate}-SLOT`, `unless ${gate}-2 0`, ...GOOD),
    );
    expect((await starter.exit()).code).toBe(1);
    expect(world.processes()).toEqual([]);
    expect(starter.stderr()).toMatch(/TANIST_WORKER_FAILED: worker 1 \(pid \d+\) exited with status 0/);
    expect(jsonLines(world).filter(({ event }) => event === 'worker.spawned')).toHaveLength(2);
  });

  it('the daemon killed with SIGKILL', async () => {
    const world = newWorld();
    const starter = daemonize(world, ...perl('rest'));
    const { supervisorPid } = await starter.line('worker.spawned');
    process.kill(supervisorPid, 'SIGKILL');
    expect((await starter.exit()).code).toBe(1);
    expect(starter.stderr()).toMatch(
      `error TANIST_START_FAILED: the daemon (pid ${supervisorPid}) was ended by SIGKILL before every worker was ready`,
    );
    await world.empty();
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s to the command that waits stops what it started',
    async (signal) => {
      const world = newWorld();
      const starter = daemonize(world, ...perl('rest'));
      await starter.line('worker.spawned');
      process.kill(starter.pid, signal);
      expect((await starter.exit()).code).toBe(1);
      expect(starter.stderr()).toMatch(/^error TANIST_START_ABORTED: interrupted/);
      expect(world.processes()).toEqual([]);
      expect(existsSync(world.path('x.pid'))).toBe(false);
    },
  );

  it('the command that waits killed with SIGKILL: nobody would know what became of it', async () => {
    const world = newWorld();
    const starter = daemonize(world, ...perl('rest'));
    await starter.line('worker.spawned');
    process.kill(starter.pid, 'SIGKILL');
    await starter.line('supervisor.failed', ({ code }) => code === 'TANIST_START_ABORTED');
    await world.empty();
  });

  it('somebody else stopped it meanwhile', async () => {
    const world = newWorld();
    const starter = daemonize(world, ...perl('rest'));
    await starter.line('worker.spawned');
    expect((await world.tanist('stop', '--name', 'x')).status).toBe(0);
    expect((await starter.exit()).code).toBe(1);
    expect(starter.stderr()).toMatch(
      /TANIST_START_ABORTED: the daemon was stopped before every worker was ready/,
    );
  });
});

describe('a daemon', () => {
  it('is started again as it was started by a restart without a command, from wherever', async () => {
    const world = newWorld();
    const starter = world.run(
      ['--daemonize', '--name', 'x', '--log-file', 'x.log', ...perl('report', ...GOOD)],
      {
        log: world.path('x.log'),
        cwd: world.directory,
      },
    );
    await starter.exit();
    const before = await starter.running();
    const again = await world.tanist('restart');
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^x runs: pid \d+, log /)]);
    const after = await starter.running();
    expect(after.origin).toEqual(before.origin);
    expect(after.pid).not.toBe(before.pid);
    expect(reportsIn(world).map(({ cwd }) => cwd)).toEqual([world.directory, world.directory]);
    expect((await world.tanist('reload')).status).toBe(0);
  });

  it('of defineDaemon detaches in the same way', async () => {
    const world = newWorld();
    const start = (...words: string[]) =>
      spawnSync(process.execPath, [TICKER, '--daemonize', ...words], { env: world.env, encoding: 'utf8' });
    const { status, stdout } = start();
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^ticker runs: pid \d+, log .*\/ticker\.log\n$/),
    ]);
    const running = JSON.parse((await world.tanist('status', '--json')).stdout);
    expect(running).toMatchObject({ name: 'ticker', state: 'running', generation: 1 });
    expect(start()).toMatchObject({ status: 0, stdout: expect.stringContaining('promoted: generation 2') });
    expect(start('--every', 'x')).toMatchObject({ status: 2 });
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  });

  it('inherits nothing that whoever started it left open', async () => {
    const world = newWorld();
    const left = openSync(world.path('left'), 'w');
    const words = ['run', '--daemonize', '--name', 'x', ...perl(...GOOD)];
    const starter = spawn(process.execPath, [tanistScript, ...words], {
      env: world.env,
      stdio: ['ignore', 'ignore', 'ignore', left, 'ignore', left],
    });
    closeSync(left);
    await until('its end', () => starter.exitCode !== null);
    expect(starter.exitCode).toBe(0);
    const pid = Number(readFileSync(world.path('x.pid'), 'utf8'));
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        // Closed since it was listed.
        return '';
      }
    });
    expect(links).not.toContain(world.path('left'));
  });
});
