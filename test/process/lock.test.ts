import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { isRunning, until } from './harness.js';
import { bystander, GOOD, newWorld, perl } from './workers.js';

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  flockSync(descriptor: number, operation: 'shnb'): void;
};

describe('a second start', () => {
  it('S12–13: of something else exits 5 and names file, pid and name, and the first goes on untouched', async () => {
    const world = newWorld();
    const daemon = world.run(['--listen', '127.0.0.1:0', ...perl(...GOOD)]);
    const before = await daemon.running();
    const inode = statSync(world.path('perl.pid')).ino;
    const second = await world.tanist('run', '--name', 'perl', '--', 'sleep', '1000');
    expect(second.status).toBe(5);
    expect(second.stderr).toContain(
      `error TANIST_LOCK_HELD: already running: perl (pid ${daemon.pid}) holds the lock of ${world.path('perl.pid')}; it runs \`perl `,
    );
    const after = await daemon.running();
    expect(after).toEqual(before);
    expect([statSync(world.path('perl.pid')).ino, readFileSync(world.path('perl.pid'), 'utf8')]).toEqual([
      inode,
      `${daemon.pid}\n`,
    ]);
    expect(existsSync(world.path('perl.sock'))).toBe(true);
  });

  it('S14: at the same moment: exactly one of several runs, and the others are told what they brought about', async () => {
    const world = newWorld();
    const daemons = Array.from({ length: 4 }, () => world.run(perl(...GOOD)));
    const firsts = () =>
      daemons.filter((daemon) => daemon.lines().some(({ event }) => event === 'worker.ready'));
    const one = await until('a worker', () => firsts()[0]);
    const others = daemons.filter((daemon) => daemon !== one);
    for (const daemon of others) {
      expect([await daemon.exit(), daemon.stderr()]).toEqual([
        { code: 0, signal: null },
        expect.stringMatching(/^perl runs already \(pid \d+\): asked it to reload$/m),
      ]);
      expect(daemon.stdout()).toMatch(/^(joined a reload under way: )?promoted: generation [2-4] serves/);
    }
    expect(firsts()).toEqual([one]);
    const status = await one.status(
      'a generation alone',
      ({ state, reload }) => state === 'running' && reload === null,
    );
    expect(status.generation).toBeGreaterThan(1);
    expect(readFileSync(world.path('perl.pid'), 'utf8')).toBe(`${status.pid}\n`);
  });

  it('under another name runs beside the first, and commands then ask for a name', async () => {
    const world = newWorld();
    const [one, two] = ['one', 'two'].map((name) => world.run(['--name', name, ...perl(...GOOD)]));
    await Promise.all([one?.line('worker.ready'), two?.line('worker.ready')]);
    const all = await world.tanist('status', '--json');
    expect(all.status).toBe(0);
    expect(JSON.parse(all.stdout).daemons).toMatchObject([{ name: 'one' }, { name: 'two' }]);
    const stop = await world.tanist('stop');
    expect(stop.status).toBe(2);
    expect(stop.stderr).toContain(
      `TANIST_AMBIGUOUS_TARGET: 2 supervisors could be meant, with the pid files "${world.path('one.pid')}", "${world.path('two.pid')}"`,
    );
    expect((await world.tanist('stop', '--name', 'two')).status).toBe(0);
    expect(await one?.statusNow()).toMatchObject({ name: 'one', state: 'running' });
  });
});

describe('a pid file that is there already', () => {
  it.each(['stop', 'reload', 'status'])(
    'X8, X9: of nobody: %s says not running, and signals nobody',
    async (command) => {
      const world = newWorld();
      const innocent = bystander(world, 'sleep', ['1000']);
      writeFileSync(world.path('perl.pid'), `${innocent.pid}\n`);
      for (const target of [['--name', 'perl'], ['--pid-file', world.path('perl.pid')], []]) {
        const { status, stderr } = await world.tanist(command, ...target);
        expect([status, stderr]).toEqual([3, expect.stringContaining('error TANIST_NOT_RUNNING: ')]);
      }
      expect(isRunning(innocent.pid)).toBe(true);
      expect(readFileSync(world.path('perl.pid'), 'utf8')).toBe(`${innocent.pid}\n`);
    },
  );

  it.each([
    ['a stranger’s pid', (pid: number) => `${pid}\n`],
    ['a longer pid', () => '123456789\n'],
    ['rubbish', () => 'x'.repeat(5_000)],
    ['nothing', () => ''],
  ])('X8: and holds %s is taken over, and nobody is signalled', async (_, content) => {
    const world = newWorld();
    const innocent = bystander(world, 'sleep', ['1000']);
    writeFileSync(world.path('perl.pid'), content(innocent.pid));
    const daemon = world.run(perl(...GOOD));
    await daemon.running();
    expect(readFileSync(world.path('perl.pid'), 'utf8')).toBe(`${daemon.pid}\n`);
    expect((await world.tanist('stop')).status).toBe(0);
    expect(existsSync(world.path('perl.pid'))).toBe(false);
    expect(isRunning(innocent.pid)).toBe(true);
  });

  const KINDS = {
    'a symbolic link': {
      make: (path: string) => {
        writeFileSync(`${path}.target`, 'precious');
        symlinkSync(`${path}.target`, path);
      },
      look: (path: string) => [readlinkSync(path), readFileSync(`${path}.target`, 'utf8')],
    },
    'a symbolic link to nothing': {
      make: (path: string) => symlinkSync(`${path}.target`, path),
      look: (path: string) => [readlinkSync(path), existsSync(`${path}.target`)],
    },
    'a directory': {
      make: (path: string) => mkdirSync(path),
      look: (path: string) => lstatSync(path).isDirectory(),
    },
    'a named pipe': {
      make: (path: string) => void execFileSync('mkfifo', [path]),
      look: (path: string) => lstatSync(path).isFIFO(),
    },
  };

  it.each(Object.entries(KINDS))(
    '%s is refused in words, and nothing is changed',
    async (_, { make, look }) => {
      const world = newWorld();
      const path = world.path('perl.pid');
      make(path);
      const before = [look(path), readdirSync(world.directory)];
      const { status, stderr } = await world.tanist(
        'run',
        '--listen',
        `unix:${world.path('listener')}`,
        ...perl(...GOOD),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^error TANIST_PID_FILE: .*\/perl\.pid is (a symbolic link|a directory|not a regular file)/m,
      );
      expect(stderr).toMatch(/^hint: The pid file must be a regular file or absent/m);
      expect([look(path), readdirSync(world.directory)]).toEqual(before);
    },
  );
});

describe('the files of a daemon', () => {
  it('S19: its pid is there as long as its lock is held, and gone before the lock is free', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...GOOD));
    await daemon.running();
    const path = world.path('perl.pid');
    const descriptor = openSync(path, 'r');
    const pids = new Set<string>();
    const leftAtRelease = new Promise<boolean>((resolve) => {
      const look = () => {
        try {
          flockSync(descriptor, 'shnb');
          resolve(existsSync(path));
        } catch {
          // Held: whoever reads the file now wants to know whom to ask.
          try {
            pids.add(readFileSync(path, 'utf8'));
          } catch {
            // It is gone, and the lock not free yet.
          }
          setImmediate(look);
        }
      };
      look();
    });
    expect((await world.tanist('reload')).status).toBe(0);
    const { pid } = await daemon.settled(2);
    expect((await world.tanist('stop')).status).toBe(0);
    expect(await leftAtRelease).toBe(false);
    closeSync(descriptor);
    expect([...pids]).toEqual([`${daemon.pid}\n`, `${pid}\n`]);
  });

  it('are its user’s alone, but for the pid', async () => {
    const world = newWorld();
    const directory = world.path('deep/er');
    const daemon = world.run(['--run-dir', directory, ...perl(...GOOD)]);
    await daemon.line('worker.ready');
    const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);
    expect(mode(directory)).toBe('700');
    expect(mode(`${directory}/perl.pid`)).toBe('644');
    expect(mode(`${directory}/perl.sock`)).toBe('600');
    expect(readdirSync(directory).sort()).toEqual(['perl.pid', 'perl.sock', 'perl.workers']);
    expect((await world.tanist('stop', '--run-dir', directory)).status).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that are somebody else’s by now are left to him at the stop', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...GOOD));
    await daemon.running();
    for (const name of ['perl.pid', 'perl.sock']) {
      renameSync(world.path(name), world.path(`${name}.away`));
      writeFileSync(world.path(name), 'precious');
    }
    process.kill(daemon.pid, 'SIGTERM');
    expect((await daemon.exit()).code).toBe(0);
    for (const name of ['perl.pid', 'perl.sock'])
      expect(readFileSync(world.path(name), 'utf8')).toBe('precious');
  });
});

describe('when nothing runs', () => {
  it.each(['status', 'stop', 'reload'])('%s exits 3 and says so, as JSON too', async (command) => {
    const world = newWorld();
    const text = await world.tanist(command);
    expect([text.status, text.stdout]).toEqual([3, '']);
    expect(text.stderr).toBe(
      `error TANIST_NOT_RUNNING: nothing is running in "${world.directory}"\nhint: Start it with "tanist run", or check --name, --pid-file, --control and --run-dir.\n`,
    );
    const named = await world.tanist(command, '--json', '--name', 'web');
    expect([named.status, named.stderr]).toEqual([3, '']);
    expect(JSON.parse(named.stdout)).toEqual({
      error: {
        code: 'TANIST_NOT_RUNNING',
        message: `web is not running (pid file "${world.path('web.pid')}")`,
        hint: expect.any(String),
      },
    });
    expect(readdirSync(world.directory)).toEqual([]);
  });
});

describe('a command line that is wrong', () => {
  const WRONG = {
    'has no command': [[], /<command> is missing: expected a program to supervise/],
    'names a program that is not in PATH': [
      ['--', 'no-such-program-here'],
      /no-such-program-here is not in PATH/,
    ],
    'names a script that is not there': [['./no-such.mjs'], /no-such\.mjs does not exist or cannot be read/],
    'names a file that is not executable': [
      ['--', './package.json'],
      /package\.json is not an executable file/,
    ],
    'has several mistakes': [
      ['--workers', 'none', '--listen', 'nowhere', '--drain-timeout', '30'],
      /^error TANIST_USAGE: 4 mistakes\n {2}/,
    ],
  } as const;

  it.each(Object.entries(WRONG))(
    'because it %s exits 2 before anything is started',
    async (_, [args, message]) => {
      const world = newWorld();
      const directory = world.path('run');
      const { status, stderr, stdout } = await world.tanist('run', '--run-dir', directory, ...args);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^hint: /m);
      expect(existsSync(directory)).toBe(false);
    },
  );

  it('because the run directory cannot be made exits 1', async () => {
    const world = newWorld();
    writeFileSync(world.path('file'), '');
    const { status, stderr } = await world.tanist(
      'run',
      '--run-dir',
      world.path('file/run'),
      ...perl(...GOOD),
    );
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^error TANIST_RUN_DIR: the run directory cannot be made: /),
    ]);
  });
});
