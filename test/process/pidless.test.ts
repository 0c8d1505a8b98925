/**
 * Daemons without pid file and lock: what is on disk, who can be asked, and what happens when one of two is killed.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../machines/status.js';
import { ended, Generations, MODES, type Mode, NAME, reaped, type Start, who } from './generations.js';
import { type Daemon, isRunning, type LogLine, until } from './harness.js';
import { perl } from './workers.js';

let world: Generations;

beforeEach(() => {
  world = new Generations();
  mkdirSync(temporary());
});

afterEach(() => world.dispose());

/** Where private sockets are while they are needed. */
const temporary = (): string => world.path('tmp');
const runDirectory = (): string => world.path('run');
const control = (): string => world.path('control.sock');
const address = (): string => `unix:${world.path('listener')}`;

/** All that is on disk because a daemon runs. */
const traces = (): string[] => [
  ...(existsSync(runDirectory()) ? ['the run directory'] : []),
  ...readdirSync(temporary()),
  ...readdirSync(world.directory).filter((name) => name.startsWith(NAME) || name.endsWith('.sock')),
];

const start = (mode: Mode, options: readonly string[] = [], more: Start = {}): Daemon =>
  world.start({
    mode,
    listen: false,
    options: [
      ...['--no-pid-file', '--run-dir', runDirectory(), '--listen', address(), '--respawn-delay', '100ms'],
      ...options,
    ],
    env: { TMPDIR: temporary() },
    ...more,
  });

const ready = (daemon: Daemon, generation: number): Promise<LogLine> =>
  daemon.line('worker.ready', (line) => line.generation === generation);

/** The process that is asked to reload by a signal, and the line with its verdict. */
const reloadBySignal = async (
  daemon: Daemon,
  pid: number,
  verdict: 'promoted' | 'refused',
  generation: number,
) => {
  process.kill(pid, 'SIGUSR2');
  return daemon.line(`reload.${verdict}`, (line) => line.generation === generation);
};

const asked = async (command: string, ...words: string[]) => {
  const { status, stdout, stderr } = await world.tanist(command, ...words, '--control', control());
  return { status, stdout, stderr };
};

const askedStatus = async (): Promise<Status> =>
  JSON.parse((await asked('status', '--json')).stdout) as Status;

describe.each(MODES)('a daemon without pid file, %s', (mode: Mode) => {
  it('S39: is reloaded by SIGUSR2, tells the verdicts in its log, and has nothing on disk at any time', async () => {
    const daemon = start(mode, ['--no-anchor']);
    const first = await ready(daemon, 1);
    expect([first.supervisorPid, traces()]).toEqual([daemon.pid, []]);
    world.release({ version: 'two' });
    await reloadBySignal(daemon, daemon.pid, 'promoted', 2);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await reaped(first.pid ?? 0);
    const { supervisorPid: second } = await ready(daemon, 2);
    expect(await who(address())).toMatchObject({ version: 'two', generation: 2 });
    expect(traces()).toEqual([]);

    world.release({ version: 'three', boot: 'crash' });
    const refused = await reloadBySignal(daemon, second, 'refused', 3);
    expect(refused).toMatchObject({ level: 'error', supervisorPid: second });
    expect(refused.msg).toMatch(/worker-exited/);
    expect(await who(address())).toMatchObject({ version: 'two', generation: 2 });
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
    expect(traces()).toEqual([]);

    process.kill(second, 'SIGTERM');
    await world.empty();
    expect([traces(), existsSync(world.path('listener'))]).toEqual([[], false]);
  });

  it('S39: goes on, its predecessor killed: the private sockets tell, no pid is polled', async () => {
    const gate = world.path('gate');
    const daemon = start(mode);
    const old = await ready(daemon, 1);
    world.release({ version: 'two', gate });
    process.kill(daemon.pid, 'SIGUSR2');
    await world.step('started', 2);
    process.kill(daemon.pid, 'SIGKILL');
    const { supervisorPid: successor } = await daemon.line('predecessor.dead');
    await ended(old.pid ?? 0);
    world.open(gate);
    await world.step('serving', 2);
    await until('an answer of generation 2', async () => (await who(address())).generation === 2);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
    process.kill(successor, 'SIGTERM');
    await world.empty();
    expect(traces()).toEqual([]);
  });

  it('S39: ends a predecessor that hangs after the promotion, when its limits have passed', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const daemon = start(mode, ['--no-anchor', '--drain-timeout', '500ms', '--takeover-timeout', '500ms']);
    await ready(daemon, 1);
    world.release({ version: 'two' });
    process.kill(daemon.pid, 'SIGUSR2');
    await world.step('leaving', 1);
    process.kill(daemon.pid, 'SIGSTOP');
    const hungSince = performance.now();
    await ended(daemon.pid);
    // What of the two limits had not passed already.
    expect(performance.now() - hungSince).toBeGreaterThan(400);
    expect((await daemon.exit()).signal).toBe('SIGKILL');
    await until('an answer of generation 2', async () => (await who(address())).generation === 2);
    const { supervisorPid: second } = await ready(daemon, 2);
    process.kill(second, 'SIGTERM');
    await world.empty();
    expect(traces()).toEqual([]);
  });

  it('is stopped by the signal to its first process, which stays, and whose exit is its own', async () => {
    const daemon = start(mode);
    await ready(daemon, 1);
    for (const generation of [2, 3]) {
      await reloadBySignal(daemon, daemon.pid, 'promoted', generation);
      // Asked before that, it would only join this reload.
      await daemon.manyLines(generation - 1, 'predecessor.gone');
      expect(await who(address())).toMatchObject({ generation });
    }
    process.kill(daemon.pid, 'SIGTERM');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
    expect(traces()).toEqual([]);
  });

  it('has its probe sockets in a directory for this user alone, and only until they have answered', async () => {
    const gate = world.path('gate');
    world.release({ gate });
    const daemon = start(mode, ['--ready', 'http=/health', '--workers', '2']);
    await world.step('started', 1, ({ slot }) => slot === 1);
    await world.step('started', 1, ({ slot }) => slot === 2);
    const [directory = '', ...others] = readdirSync(temporary());
    expect([directory, others]).toEqual([expect.stringMatching(/^tanist-[0-9a-f]{12}$/), []]);
    expect(statSync(`${temporary()}/${directory}`).mode & 0o777).toBe(0o700);
    expect(readdirSync(`${temporary()}/${directory}`)).toHaveLength(2);
    world.open(gate);
    await daemon.manyLines(2, 'worker.ready');
    await until('no directory', () => traces().length === 0);
    process.kill(daemon.pid, 'SIGTERM');
    expect((await daemon.exit()).code).toBe(0);
    expect(traces()).toEqual([]);
  });
});

describe('a second start without pid file', () => {
  it('S39: is kept out by nothing: both run, and each is asked by its own pid', async () => {
    const without = { listen: false, options: ['--no-pid-file'] };
    const [one, two] = [world.start(without), world.start(without)];
    await Promise.all([ready(one, 1), ready(two, 1)]);
    expect(traces()).toEqual([]);
    process.kill(one.pid, 'SIGTERM');
    expect((await one.exit()).code).toBe(0);
    await reloadBySignal(two, two.pid, 'promoted', 2);
    process.kill(two.pid, 'SIGTERM');
    expect((await two.exit()).code).toBe(0);
  });

  it('is found by no command that looks into the run directory', async () => {
    const daemon = start('overlap');
    await ready(daemon, 1);
    for (const command of ['status', 'reload', 'stop']) {
      for (const target of [[], ['--name', NAME]]) {
        const { status, stderr } = await world.tanist(command, ...target);
        expect([status, stderr]).toEqual([3, expect.stringContaining('TANIST_NOT_RUNNING')]);
      }
    }
    expect(isRunning(daemon.pid)).toBe(true);
  });
});

describe.each(MODES)('a control socket elsewhere, without pid file, %s', (mode: Mode) => {
  it('is where every command finds the daemon, in every generation', async () => {
    const daemon = start(mode, ['--control', control()]);
    await ready(daemon, 1);
    expect(statSync(control()).mode & 0o777).toBe(0o600);
    expect(traces()).toEqual(['control.sock']);
    expect(await askedStatus()).toMatchObject({ name: NAME, generation: 1, pidFile: null });
    world.release({ version: 'two' });
    expect(await asked('reload')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^promoted: generation 2 serves/),
    });
    // Until the old worker has left, it may be given a connection as well.
    await daemon.settled(2);
    expect(await who(address())).toMatchObject({ version: 'two' });
    world.release({ boot: 'crash' });
    expect(await asked('reload')).toMatchObject({
      status: 4,
      stdout: expect.stringMatching(/^refused \(worker-exited\)/),
    });
    world.release({ version: 'four' });
    expect(await asked('scale', '2')).toMatchObject({ status: 0 });
    expect((await askedStatus()).workers).toHaveLength(2);
    expect(await asked('stop')).toEqual({ status: 0, stdout: `stopped ${NAME}\n`, stderr: '' });
    await world.empty();
    expect(traces()).toEqual([]);
    expect(await asked('stop')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`nothing is running at the control socket "${control()}"`),
    });
  });

  it('is not taken from who answers there: a second start ends, and the first goes on', async () => {
    const daemon = start(mode, ['--control', control()]);
    await ready(daemon, 1);
    const before = await daemon.running();
    const { ino } = statSync(control());
    const { status, stderr } = await world.tanist(
      'run',
      '--no-pid-file',
      '--control',
      control(),
      ...perl('say takeover', 'rest'),
    );
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^error TANIST_CONTROL_FAILED: .*control\.sock is a socket in use$/m),
    ]);
    expect([statSync(control()).ino, await daemon.running()]).toEqual([ino, before]);
    expect(traces()).toEqual(['control.sock']);
  });

  it('is taken from who was killed, and has left it', async () => {
    const killed = start(mode, ['--control', control()]);
    await ready(killed, 1);
    process.kill(killed.pid, 'SIGKILL');
    await world.empty();
    expect(traces()).toEqual(['control.sock']);
    expect(await asked('status')).toMatchObject({ status: 3 });
    const next = start(mode, ['--control', control()]);
    expect((await next.running()).pid).toBe(next.pid);
    expect((await asked('stop')).status).toBe(0);
    expect(traces()).toEqual([]);
  });
});

describe('what is at the path of a control socket', () => {
  const KINDS = {
    'a file': (path: string) => writeFileSync(path, 'precious'),
    'a directory': (path: string) => mkdirSync(path),
    'a symbolic link to a file': (path: string) => {
      writeFileSync(world.path('precious'), 'precious');
      symlinkSync(world.path('precious'), path);
    },
  };

  it.each(Object.entries(KINDS))('is refused and left alone if it is %s', async (_, make) => {
    make(control());
    const before = [statSync(control()).ino, readdirSync(world.directory).sort()];
    for (const how of [['--no-pid-file'], []]) {
      const words = ['run', ...how, '--control', control(), ...perl('say takeover', 'rest')];
      const { status, stderr } = await world.tanist(...words);
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^error TANIST_CONTROL_FAILED: .*control\.sock exists and is not a socket$/m),
      ]);
      expect(stderr).toMatch(/^hint: .*--control/m);
    }
    expect([statSync(control()).ino, readdirSync(world.directory).sort()]).toEqual(before);
  });

  it('is not looked for where there is no directory', async () => {
    const words = ['--no-pid-file', '--control', world.path('none/c.sock'), ...perl('say takeover', 'rest')];
    const { status, stderr } = await world.tanist('run', ...words);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`the directory of the control socket, ${world.path('none')}, does not exist`),
    ]);
    expect(existsSync(world.path('none'))).toBe(false);
  });
});

describe('a control socket elsewhere, with a pid file', () => {
  const options = ['--control', 'elsewhere.sock'];

  it('leaves the lock what it was, and is what the commands have to be told', async () => {
    const daemon = world.start({ options, mode: 'exclusive', cwd: world.directory });
    await ready(daemon, 1);
    const path = world.path('elsewhere.sock');
    expect(world.remains().sort()).toEqual([`${NAME}.pid`, `${NAME}.workers`]);
    const at = (command: string, ...words: string[]) => world.tanist(command, ...words, '--control', path);
    expect(JSON.parse((await at('status', '--json')).stdout)).toMatchObject({ pidFile: world.pidFile });
    expect((await at('reload')).status).toBe(0);
    await daemon.settled(2);
    const again = world.start({ options, mode: 'exclusive', cwd: world.directory });
    expect([(await again.exit()).code, again.stdout()]).toEqual([
      0,
      expect.stringMatching(/promoted: generation 3/),
    ]);
    expect((await world.tanist('run', '--name', NAME, '--', 'true')).status).toBe(5);
    expect((await at('stop')).status).toBe(0);
    // The anchor ends a moment after the lock is free.
    await world.empty();
    expect([world.remains(), existsSync(path)]).toEqual([[], false]);
  });

  it('is suspected by who asks at the usual place', async () => {
    const daemon = world.start({ options, cwd: world.directory });
    await ready(daemon, 1);
    const { status, stderr } = await world.tanist('status', '--name', NAME);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^error TANIST_CONTROL_FAILED: the lock of /),
    ]);
    expect(stderr).toMatch(/^hint: Was it started with --control PATH\? Then ask with the same option\.$/m);
  });

  it('cannot be changed by a reload', async () => {
    const config = world.path('config.json');
    writeFileSync(config, JSON.stringify({ control: control() }));
    const daemon = world.start({ options: ['--config', config] });
    await ready(daemon, 1);
    writeFileSync(config, JSON.stringify({ control: world.path('other.sock') }));
    expect(await asked('reload')).toMatchObject({
      status: 4,
      stdout: expect.stringMatching(/^refused \(incompatible\): control is ".*other\.sock" here/),
    });
    expect(await who((await askedStatus()).listeners[0]?.address ?? '')).toMatchObject({ generation: 1 });
  });
});

describe('a daemon without pid file that is detached', () => {
  it('S17: returns when it is ready, logs where it would with one, and is stopped at its control socket', async () => {
    const words = ['--no-pid-file', '--daemonize', '--run-dir', runDirectory(), '--control', control()];
    const { status, stdout } = await world.tanist(
      'run',
      ...words,
      '--name',
      'x',
      ...perl('say takeover', 'rest'),
    );
    const { pid } = await askedStatus();
    expect([status, stdout]).toEqual([0, `x runs: pid ${pid}, log ${runDirectory()}/x.log\n`]);
    expect(readdirSync(runDirectory())).toEqual(['x.log']);
    expect((await asked('logs')).stdout).toMatch(/ready/);
    expect((await asked('stop')).status).toBe(0);
    await world.empty();
    expect(existsSync(control())).toBe(false);
    expect(readFileSync(`${runDirectory()}/x.log`, 'utf8')).toContain('"event"');
  });
});

describe('a command line that is wrong about the place', () => {
  it.each([
    [
      ['run', '--no-pid-file', '--pid-file', 'x.pid', '--', 'true'],
      '--no-pid-file and --pid-file "x.pid": expected only one of them',
    ],
    [['run', '--control', '', '--', 'true'], '--control "": expected the path of a file'],
    [['stop', '--control', '/c', '--name', 'x'], '--name "x" and --control "/c": expected only one of them'],
    [['status', '--control', `/${'c'.repeat(100)}`], 'expected a socket path of at most'],
    [
      ['restart', '--no-pid-file', '--', 'true'],
      '--no-pid-file without --control: expected either a pid file or a control socket to find what runs',
    ],
  ])('is told so: %j', async (words, message) => {
    const { status, stderr } = await world.tanist(...words);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
