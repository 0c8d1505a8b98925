import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { type CommandLineSettings, resolveSettings, type SupervisorOptions } from '../../src/config.js';
import { TanistError } from '../../src/errors.js';
import { formatDuration } from '../../src/settings/duration.js';
import type { SettingsContext } from '../../src/settings/run-directory.js';

const CONTEXT: SettingsContext = {
  env: { HOME: '/home/ann' },
  cwd: '/srv/app',
  uid: 1000,
  platform: 'linux',
  accounts: null,
};

/** `{ '--workers': '2' }` as if it had been written before `server.js`. */
const written = (flags: Readonly<Record<string, string | string[]>>): CommandLineSettings => ({
  commandLine: new Map(Object.entries(flags).map(([flag, value]) => [flag, [value].flat()])),
  command: 'server.js',
  args: [],
});

const settings = (
  flags: Readonly<Record<string, string | string[]>>,
  context: Partial<SettingsContext> = {},
) => resolveSettings(written(flags), { ...CONTEXT, ...context }).settings;

const errorOf = (run: () => unknown): TanistError => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof TanistError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
};

const refusal = (
  flags: Readonly<Record<string, string | string[]>>,
  context: Partial<SettingsContext> = {},
) => errorOf(() => settings(flags, context)).message;

const optionsRefusal = (options: object): string =>
  errorOf(() => resolveSettings({ command: 'app', ...options } as SupervisorOptions, CONTEXT)).message;

test('without options every setting has its documented default', () => {
  expect(resolveSettings(written({}), CONTEXT)).toEqual({
    settings: {
      name: 'server',
      pidFile: '/home/ann/.local/state/tanist/server.pid',
      control: '/home/ann/.local/state/tanist/server.sock',
      listen: [],
      workers: 1,
      standby: 0,
      handoff: 'exclusive',
      hotReload: true,
      ready: { mode: 'takeover' },
      startTimeoutMs: 60_000,
      reloadTimeoutMs: 65_000,
      takeoverTimeoutMs: 5_000,
      drainTimeoutMs: 30_000,
      probationMs: 0,
      health: null,
      respawnDelayMs: 5_000,
      respawn: 'adaptive',
      respawnLimit: null,
      pingTimeoutMs: 5_000,
      watchdogMs: null,
      maxMemoryBytes: null,
      stopSignal: 'SIGTERM',
      anchor: true,
      account: null,
    },
    logLevel: 'info',
    noWarn: false,
    logFile: null,
    directory: '/home/ann/.local/state/tanist',
    journal: null,
    journalLimit: 16_777_216,
    daemonize: false,
    ownDirectory: null,
    page: null,
    program: { command: 'server.js', args: [] },
    surroundings: { envFiles: [], chdir: null, umask: null, variables: {}, adopt: null },
  });
});

test('the first process stays as an anchor where a command line started it, unless it is told otherwise', () => {
  const anchorOf = (input: Parameters<typeof resolveSettings>[0]) =>
    resolveSettings(input, CONTEXT).settings.anchor;
  expect(anchorOf(written({ '--no-anchor': '' }))).toBe(false);
  expect(anchorOf(written({ '--anchor': '' }))).toBe(true);
  expect(anchorOf({ command: 'app' })).toBe(false);
  expect(anchorOf({ command: 'app', anchor: true })).toBe(true);
  expect(optionsRefusal({ anchor: 'yes' })).toBe('anchor "yes": expected true or false');
  expect(errorOf(() => anchorOf(written({ '--anchor': '', '--no-anchor': '' }))).message).toContain(
    'expected either that or its opposite, not both',
  );
});

test('a program and a command line that say the same get the same settings', () => {
  const options: SupervisorOptions = {
    command: 'server.js',
    name: 'web',
    runDir: 'run',
    listen: ['http=8080', '[::1]:9000'],
    workers: 3,
    handoff: 'exclusive',
    ready: { mode: 'alive', forMs: 1_500 },
    startTimeoutMs: 2_000,
    reloadTimeoutMs: 120_000,
    takeoverTimeoutMs: 250,
    drainTimeoutMs: 0,
    respawnDelayMs: 0,
    respawn: 'fixed',
    respawnLimit: { count: 5, withinMs: 60_000 },
    pingTimeoutMs: 3_600_000,
    stopSignal: 'SIGINT',
    envFile: ['common.env', '/etc/web.env'],
    chdir: 'current',
    umask: '027',
    anchor: true,
    logLevel: 'debug',
  };
  const flags = {
    '--name': 'web',
    '--run-dir': 'run',
    '--listen': ['http=8080', '[::1]:9000'],
    '--workers': '3',
    '--handoff': 'exclusive',
    '--ready': 'alive=1.5s',
    '--start-timeout': '2s',
    '--reload-timeout': '2m',
    '--takeover-timeout': '250ms',
    '--drain-timeout': '0s',
    '--respawn-delay': '0ms',
    '--respawn': 'fixed',
    '--respawn-limit': '5/1m',
    '--ping-timeout': '1h',
    '--stop-signal': 'SIGINT',
    '--env-file': ['common.env', '/etc/web.env'],
    '--chdir': 'current',
    '--umask': '027',
    '--anchor': '',
    '--log-level': 'debug',
  };
  const resolved = resolveSettings(options, CONTEXT);
  expect(resolved).toEqual(resolveSettings(written(flags), CONTEXT));
  expect(resolved.settings).toMatchObject({
    pidFile: '/srv/app/run/web.pid',
    ready: { mode: 'alive', forMs: 1_500 },
    respawnLimit: { count: 5, withinMs: 60_000 },
    drainTimeoutMs: 0,
  });
  expect(resolved.surroundings).toEqual({
    envFiles: ['/srv/app/common.env', '/etc/web.env'],
    chdir: '/srv/app/current',
    umask: '027',
    variables: {},
    adopt: null,
  });
});

test('a switch with an opposite is on, off or a contradiction', () => {
  const adopt = (...flags: string[]) =>
    resolveSettings(written(Object.fromEntries(flags.map((flag) => [flag, '']))), CONTEXT).surroundings.adopt;
  expect([adopt('--adopt'), adopt('--no-adopt')]).toEqual([true, false]);
  expect(resolveSettings({ command: 'a.js', adopt: false }, CONTEXT).surroundings.adopt).toBe(false);
  expect(refusal({ '--adopt': '', '--no-adopt': '' })).toMatch(/--adopt .*not both/);
  expect(optionsRefusal({ adopt: 'yes' })).toMatch(/adopt .*true or false/);
});

test('only what is a program of Node can be adopted', () => {
  expect(optionsRefusal({ command: 'npm', args: ['start'], adopt: true })).toMatch(
    /^adopt with the command "npm": expected a script/,
  );
  for (const command of ['server.mjs', 'node', '/usr/bin/nodejs', 'server.ts'])
    expect(resolveSettings({ command, adopt: true }, CONTEXT).surroundings.adopt).toBe(true);
});

test('all mistakes are told at once, each with option, value and what was expected', () => {
  const error = errorOf(() =>
    settings({
      '--workers': 'many',
      '--start-timeout': '5',
      '--listen': ['localhost:80', '70000'],
      '--stop-signal': 'SIGSTOP',
    }),
  );
  expect(error.code).toBe('TANIST_USAGE');
  expect(error.exitStatus).toBe(2);
  expect(error.problems.map(({ option }) => option)).toEqual([
    '--workers',
    '--start-timeout',
    '--stop-signal',
    '--listen',
    '--listen',
  ]);
  expect(error.message).toContain('5 mistakes');
  expect(error.message).toMatch(/--workers "many": expected a whole number/);
  expect(error.message).toMatch(/--start-timeout "5": expected a unit.*5s or 5ms/);
  expect(error.message).toMatch(/--listen "localhost:80": expected an IP address/);
  expect(error.message).toMatch(/--listen "70000": expected a port from 0 to 65535/);
  expect(error.message).toMatch(/--stop-signal "SIGSTOP": expected a signal that asks/);
});

test.each([
  ['250ms', 250],
  ['1.5s', 1_500],
  ['1.001s', 1_001],
  ['2m', 120_000],
  ['24h', 86_400_000],
])('the duration %s is %d ms', (text, ms) => {
  expect(settings({ '--ping-timeout': text }).pingTimeoutMs).toBe(ms);
});

test.each([
  ['5', 'a unit'],
  ['', 'such as 250ms'],
  ['-1s', 'such as 250ms'],
  ['1 s', 'such as 250ms'],
  ['1S', 'such as 250ms'],
  ['1e3ms', 'such as 250ms'],
  ['0s', 'from 1ms to 24h'],
  ['0.4ms', 'from 1ms to 24h'],
  ['25h', 'from 1ms to 24h'],
  [`${'9'.repeat(400)}s`, 'from 1ms to 24h'],
])('the duration %j is refused', (text, expected) => {
  expect(refusal({ '--start-timeout': text })).toContain(expected);
});

test('no wait at all is a choice for drain and respawn, but too small a fraction is not no wait', () => {
  expect(settings({ '--drain-timeout': '0s' }).drainTimeoutMs).toBe(0);
  expect(refusal({ '--drain-timeout': '0.0001ms' })).toContain('from 0ms to 24h');
});

test('a duration of a program is a whole number of milliseconds', () => {
  for (const value of ['5s', 1.5, Number.NaN, -1, 86_400_001, null]) {
    expect(optionsRefusal({ startTimeoutMs: value })).toMatch(/^startTimeoutMs .*milliseconds/);
  }
});

test('a duration is written in the unit that fits', () => {
  expect([0, 250, 1_500, 5_000, 60_000, 120_000, 3_600_000, 90_000].map(formatDuration)).toEqual([
    '0ms',
    '250ms',
    '1500ms',
    '5s',
    '60s',
    '2m',
    '1h',
    '90s',
  ]);
});

test('every form of a listener is understood, and unnamed ones are named by position', () => {
  const own = ['8080', 'admin=127.0.0.1:9000', '[0:0::1]:0', 'unix:run/a=b.sock', 'u.1-x=unix:/tmp/x.sock'];
  const specs = [...own, 'fd:3', 'web=fd:1000', 'systemd'];
  expect(settings({ '--listen': specs })).toMatchObject({
    handoff: 'overlap',
    listen: [
      { name: 'listen0', kind: 'tcp', host: '0.0.0.0', port: 8080 },
      { name: 'admin', kind: 'tcp', host: '127.0.0.1', port: 9000 },
      { name: 'listen2', kind: 'tcp', host: '::1', port: 0 },
      { name: 'listen3', kind: 'unix', path: '/srv/app/run/a=b.sock' },
      { name: 'u.1-x', kind: 'unix', path: '/tmp/x.sock' },
      { name: 'listen5', kind: 'fd', descriptor: 3 },
      { name: 'web', kind: 'fd', descriptor: 1_000 },
      { name: 'systemd', kind: 'systemd' },
    ],
  });
});

test.each([
  ['', 'expected 8080'],
  ['http', 'expected 8080'],
  ['65536', 'a port from 0'],
  ['127.0.0.1:', 'a port from 0'],
  ['127.0.0.1:-1', 'a port from 0'],
  ['256.0.0.1:80', 'an IP address'],
  ['127.0.0.01:80', 'an IP address'],
  [':80', 'an IP address'],
  ['example.org:80', 'not a host name'],
  ['::1:80', 'brackets'],
  ['[::1]', 'expected 8080'],
  ['[fe80::1%eth0]:80', 'an IP address'],
  ['unix:', 'the path of a socket'],
  ['unix:/tmp/', 'the path of a socket'],
  ['fd:', 'a descriptor from 3 on'],
  ['fd:2', 'a descriptor from 3 on'],
  ['x=fd:03', 'a descriptor from 3 on'],
  ['fd:3.5', 'a descriptor from 3 on'],
  ['fd:99999999', 'a descriptor from 3 on'],
  ['x=systemd', 'systemd without a name'],
  ['=80', 'a name of 1 to 64'],
  ['my name=80', 'a name of 1 to 64'],
])('the listener %j is refused', (spec, expected) => {
  expect(refusal({ '--listen': spec })).toContain(expected);
});

test('two listeners share neither name nor address, but port 0 is a new port each time', () => {
  expect(refusal({ '--listen': ['listen1=80', '81'] })).toContain("listen1 is another listener's");
  expect(refusal({ '--listen': ['a=[::1]:80', 'b=[0:0:0:0:0:0:0:1]:80'] })).toContain('that of a');
  expect(refusal({ '--listen': ['a=fd:3', 'a=fd:4'] })).toContain("a is another listener's");
  expect(refusal({ '--listen': ['a=80', 'a=fd:4'] })).toContain("a is another listener's");
  expect(refusal({ '--listen': ['fd:3', 'b=fd:3'] })).toContain('that of listen0');
  expect(refusal({ '--listen': ['systemd', 'systemd'] })).toContain("systemd is another listener's");
  expect(refusal({ '--listen': ['a=unix:/tmp/x', 'b=unix:/tmp/y/../x'] })).toContain('that of a');
  expect(settings({ '--listen': ['0', '0'] }).listen).toHaveLength(2);
});

test('a socket path keeps room for its temporary name', () => {
  const path = `/${'x'.repeat(90)}`;
  expect(settings({ '--listen': `unix:${path}` }).listen).toMatchObject([{ path }]);
  expect(refusal({ '--listen': `unix:${path}x` })).toMatch(/at most 91 bytes, not 92 .*107/);
  expect(refusal({ '--listen': `unix:${path}` }, { platform: 'darwin' })).toMatch(
    /at most 87 bytes, not 91 .*103/,
  );
  // Bytes count, not letters.
  expect(refusal({ '--listen': `unix:/${'é'.repeat(50)}` })).toContain('not 101');
});

test('the control socket beside the pid file must fit as well', () => {
  expect(refusal({ '--run-dir': `/${'d'.repeat(100)}` })).toMatch(
    /^--run-dir .*control socket .*at most 91 bytes/,
  );
  expect(refusal({ '--pid-file': `/${'d'.repeat(100)}.pid` })).toMatch(/^--pid-file .*control socket/);
  // A name alone can be too long as well, if its directory is.
  expect(refusal({ '--name': 'n'.repeat(64) })).toMatch(/a shorter path or name/);
});

test('S8: the run directory is the first of option, environment, root, session and home', () => {
  const pidFile = (env: SettingsContext['env'], uid = 1000, flags = {}) =>
    settings({ '--name': 'n', ...flags }, { env, uid }).pidFile;
  const all = { TANIST_RUN_DIR: '/t', RUNTIME_DIRECTORY: '/r:/other', XDG_RUNTIME_DIR: '/x', HOME: '/h' };
  expect(pidFile(all, 0, { '--run-dir': 'given' })).toBe('/srv/app/given/n.pid');
  expect(pidFile(all, 0)).toBe('/t/n.pid');
  expect(pidFile({ ...all, TANIST_RUN_DIR: '' }, 0)).toBe('/r/n.pid');
  expect(pidFile({ XDG_RUNTIME_DIR: '/x' }, 0)).toBe('/run/tanist/n.pid');
  expect(pidFile({ XDG_RUNTIME_DIR: '/x', HOME: '/h' })).toBe('/x/tanist/n.pid');
  expect(pidFile({ XDG_RUNTIME_DIR: 'relative', HOME: '/h' })).toBe('/h/.local/state/tanist/n.pid');
  expect(refusal({}, { env: {} })).toMatch(/--run-dir: expected a directory, .*HOME/);
});

test('a pid file wins over run directory and name', () => {
  expect(settings({ '--pid-file': 'x.pid', '--run-dir': '/r', '--name': 'n' })).toMatchObject({
    pidFile: '/srv/app/x.pid',
    name: 'n',
  });
  for (const path of ['', '/tmp/', '.', '..', 'x/..']) {
    expect(refusal({ '--pid-file': path })).toContain('the path of a file');
  }
});

test('the default name is the base name of the command without its ending, made usable', () => {
  const nameOf = (command: string) => resolveSettings({ command, runDir: '/r' }, CONTEXT).settings.name;
  expect(nameOf('/srv/my app/server.prod.mjs')).toBe('server.prod');
  expect(nameOf('node')).toBe('node');
  expect(nameOf('two\nlines.js')).toBe('two_lines');
  expect(nameOf(`${'é'.repeat(50)}.js`)).toBe('é'.repeat(32));
  expect(nameOf('..')).toBe('tanist');
});

test.each(['', '.', '..', 'a/b', 'a\nb', 'a\0b', 'x'.repeat(65)])('the name %j is refused', (name) => {
  expect(refusal({ '--name': name })).toMatch(/^--name .*expected a name of 1 to 64 bytes/);
});

test('workers are a number in range or as many as there are processors', () => {
  expect(settings({ '--workers': 'auto' }).workers).toBe(availableParallelism());
  expect(settings({ '--workers': '1024' }).workers).toBe(1_024);
  for (const value of ['0', '-1', '1.5', '1025', '0x2', '', ' 2', 'AUTO']) {
    expect(refusal({ '--workers': value })).toContain('from 1 to 1024, or auto');
  }
  for (const value of [0, 1.5, '2', null, Number.POSITIVE_INFINITY]) {
    expect(optionsRefusal({ workers: value })).toContain('from 1 to 1024, or auto');
  }
});

test('each mode of readiness is understood, and needs nothing to listen on', () => {
  expect(settings({ '--ready': 'http=/ready?x=1' }).ready).toEqual({ mode: 'http', path: '/ready?x=1' });
  expect(settings({ '--ready': 'alive=250ms' }).ready).toEqual({ mode: 'alive', forMs: 250 });
  expect(resolveSettings({ command: 'a', ready: 'takeover' }, CONTEXT).settings.ready).toEqual({
    mode: 'takeover',
  });
});

test.each([
  ['ready', 'expected takeover, http=/path or alive=1s'],
  ['http', 'expected takeover'],
  ['http=ready', 'a path for http'],
  ['http=/a b', 'a path for http'],
  ['http=/a\r\nX: y', 'a path for http'],
  ['alive=1', 'for alive a unit'],
  ['alive=0s', 'for alive a duration'],
])('the readiness %j is refused', (mode, expected) => {
  expect(refusal({ '--ready': mode })).toContain(expected);
});

test('a respawn limit is a count and a duration', () => {
  expect(settings({ '--respawn-limit': '0/1s' }).respawnLimit).toEqual({ count: 0, withinMs: 1_000 });
  for (const value of ['5', '5/', '/1m', '5/60', '-1/1m', '5/0s', '10001/1m', '1.5/1m']) {
    expect(refusal({ '--respawn-limit': value })).toContain('such as 5/1m');
  }
  expect(optionsRefusal({ respawnLimit: { count: 1 } })).toContain('such as 5/1m');
  expect(resolveSettings({ command: 'a', respawnLimit: null }, CONTEXT).settings.respawnLimit).toBeNull();
});

test('a stop signal is one that can end a process, by its full name', () => {
  expect(settings({ '--stop-signal': 'SIGKILL' }).stopSignal).toBe('SIGKILL');
  expect(refusal({ '--stop-signal': 'term' })).toContain('did you mean SIGTERM?');
  expect(refusal({ '--stop-signal': 'SIGTREM' })).toContain('did you mean SIGTERM?');
  expect(refusal({ '--stop-signal': '15' })).toContain('a signal such as SIGTERM');
  expect(refusal({ '--stop-signal': 'SIGCONT' })).toContain('asks a process to leave');
});

test('files of variables, the working directory and the mask are given as text', () => {
  expect(resolveSettings({ command: 'a', envFile: 'x.env' }, CONTEXT).surroundings.envFiles).toEqual([
    '/srv/app/x.env',
  ]);
  expect(refusal({ '--env-file': ['a.env', ''] })).toMatch(
    /^--env-file \["a.env",""\]: expected the path of a file, or a list of them$/,
  );
  for (const value of [1, null, true, {}, [1], ['a', null], '/tmp/'])
    expect(optionsRefusal({ envFile: value })).toMatch(/^envFile .*the path of a file, or a list of them$/);
  for (const value of ['', 1, null, ['a'], 'a\0b'])
    expect(optionsRefusal({ chdir: value })).toMatch(/^chdir .*expected the path of a directory$/);
  for (const value of ['', '8', '1777', '-22', '0o22', '22 ', 'u=rwx']) {
    expect(refusal({ '--umask': value })).toContain('an octal mask from 000 to 777, such as 022');
  }
  // 22 would be 026 in octal: what was meant is not known.
  for (const value of [22, 0o22, null]) expect(optionsRefusal({ umask: value })).toContain('a string: "022"');
});

test('what contradicts itself is refused', () => {
  expect(refusal({ '--no-warn': '', '--log-level': 'debug' })).toMatch(
    /--no-warn and --log-level "debug".*only one/,
  );
  expect(refusal({ '--start-timeout': '10s', '--reload-timeout': '9s' })).toMatch(
    /--reload-timeout "9s": expected at least --start-timeout "10s"/,
  );
  expect(optionsRefusal({ startTimeoutMs: 10, reloadTimeoutMs: 9 })).toMatch(
    /reloadTimeoutMs 9: expected at least startTimeoutMs 10/,
  );
});

test('a short reload time-out alone is a choice, and the default one follows the start time-out up to the limit', () => {
  expect(settings({ '--reload-timeout': '1s' }).reloadTimeoutMs).toBe(1_000);
  expect(settings({ '--start-timeout': '1s' }).reloadTimeoutMs).toBe(6_000);
  expect(settings({ '--start-timeout': '24h' }).reloadTimeoutMs).toBe(86_400_000);
});

test('no warnings means the log level error', () => {
  expect(resolveSettings(written({ '--no-warn': '' }), CONTEXT)).toMatchObject({
    logLevel: 'error',
    noWarn: true,
  });
  expect(resolveSettings({ command: 'a', noWarn: false, logLevel: 'trace' }, CONTEXT).logLevel).toBe('trace');
});

test('the last of several values wins, as scripts that append expect', () => {
  expect(settings({ '--workers': ['2', '3'] }).workers).toBe(3);
});

/** The words of a command line with a file that says more. */
const withFile = (
  values: object,
  flags: Readonly<Record<string, string | string[]>> = {},
  command?: string,
) => {
  const configFile = { path: '/etc/web.mjs', values: values as Readonly<Record<string, unknown>> };
  const { commandLine } = written(flags);
  return { commandLine, args: [], configFile, ...(command === undefined ? {} : { command }) };
};

test('a file says what the command line does not, and the command line wins key by key', () => {
  const file = {
    command: 'app',
    args: ['-x'],
    workers: 3,
    listen: ['80', '81'],
    startTimeoutMs: 5,
    noWarn: true,
  };
  const alone = resolveSettings(withFile(file), CONTEXT);
  expect(alone).toMatchObject({ logLevel: 'error', program: { command: 'app', args: ['-x'] } });
  expect(alone.settings).toMatchObject({
    name: 'app',
    workers: 3,
    startTimeoutMs: 5,
    reloadTimeoutMs: 5_005,
  });
  expect(alone.settings.listen).toHaveLength(2);
  const flags = { '--workers': '2', '--listen': '82', '--log-level': 'debug' };
  const both = resolveSettings(withFile(file, flags, 'other'), CONTEXT);
  expect(both).toMatchObject({ logLevel: 'debug', noWarn: false, program: { command: 'other', args: [] } });
  expect(both.settings).toMatchObject({ name: 'other', workers: 2, startTimeoutMs: 5 });
  expect(both.settings.listen).toMatchObject([{ port: 82 }]);
});

test('a place on the command line wins over one in a file, in whatever words', () => {
  const file = { command: 'app', pidFile: '/a/x.pid', runDir: '/b', name: 'n' };
  const pidFile = (values: object, flags: Record<string, string>) =>
    resolveSettings(withFile(values, flags), CONTEXT).settings.pidFile;
  expect(pidFile(file, {})).toBe('/a/x.pid');
  expect(pidFile(file, { '--run-dir': '/c' })).toBe('/c/n.pid');
  expect(pidFile({ command: 'app', runDir: '/b' }, { '--pid-file': '/d/y.pid' })).toBe('/d/y.pid');
});

test('mistakes of the words, of a file and of the command are told together, each where it was made', () => {
  const file = { startTimeoutMs: '5s', worker: 1, logLevel: 'debug', noWarn: true, reloadTimeoutMs: 10 };
  const mistakes = [{ option: '--bogus', message: 'unknown option --bogus' }];
  const words = { ...withFile(file, { '--workers': 'x' }), mistakes };
  expect(errorOf(() => resolveSettings(words, CONTEXT)).problems.map(({ message }) => message)).toEqual([
    'unknown option --bogus',
    '/etc/web.mjs: unknown option worker: did you mean workers?',
    '--workers "x": expected a whole number from 1 to 1024, or auto',
    '/etc/web.mjs: startTimeoutMs "5s": expected a whole number of milliseconds from 0 to 86400000',
    '<command> is missing: expected a program to supervise',
    '/etc/web.mjs: noWarn and /etc/web.mjs: logLevel "debug": expected only one of them (/etc/web.mjs: noWarn is the level error)',
  ]);
  expect(errorOf(() => resolveSettings(withFile({ command: 7, args: 'x' }), CONTEXT)).message).toMatch(
    /\/etc\/web\.mjs: command 7: expected .*\n +\/etc\/web\.mjs: args "x": expected/s,
  );
});

test('a contradiction between file and command line names both', () => {
  const words = withFile({ command: 'a', reloadTimeoutMs: 1_000 }, { '--start-timeout': '2s' });
  expect(errorOf(() => resolveSettings(words, CONTEXT)).message).toBe(
    '/etc/web.mjs: reloadTimeoutMs 1000: expected at least --start-timeout "2s": a successor\'s workers may take so long',
  );
});

test('an unknown option of a program is refused with the one that was meant', () => {
  expect(optionsRefusal({ worker: 2 })).toBe('unknown option worker: did you mean workers?');
  expect(optionsRefusal({ startTimeout: '5s' })).toContain('did you mean startTimeoutMs?');
  expect(resolveSettings({ command: 'a', ...{ worker: undefined } }, CONTEXT).settings.workers).toBe(1);
});

test('standbys need a program that can be held back', () => {
  expect(resolveSettings({ command: 'a', standby: 2 }, CONTEXT).settings.standby).toBe(2);
  expect(resolveSettings({ command: 'a', standby: 0, ready: 'alive=1s' }, CONTEXT).settings.standby).toBe(0);
  expect(optionsRefusal({ standby: 1, ready: 'alive=1s' })).toBe(
    'standby 1: expected ready takeover or http=/path: a program that does not wait for its answer would serve at once',
  );
  expect(optionsRefusal({ standby: 1.5 })).toBe('standby 1.5: expected a whole number from 0 to 1024');
});

test('a program and its arguments are words the system can take', () => {
  expect(optionsRefusal({ command: undefined })).toContain('command is missing');
  expect(optionsRefusal({ command: '' })).toContain('the name or path of a program');
  expect(optionsRefusal({ command: 'a\0b' })).toContain('the name or path of a program');
  expect(optionsRefusal({ args: 'x' })).toContain('an array of strings');
  expect(optionsRefusal({ args: ['x', 1] })).toContain('an array of strings');
});

test('a value that no text stands for is refused as well', () => {
  const endless: Record<string, unknown> = {};
  endless.self = endless;
  expect(optionsRefusal({ workers: endless })).toContain('workers [object Object]: expected');
  expect(optionsRefusal({ listen: [{ toString: 0 }] })).toContain('listen {"toString":0}: expected a string');
  expect(optionsRefusal({ chdir: Object.create(null) })).toContain('chdir {}: expected');
  expect(optionsRefusal({ args: null })).toContain('args null: expected an array of strings');
});

test('a value in a message is quoted and cut', () => {
  expect(refusal({ '--respawn': `a\n\u001b[31m${'x'.repeat(10_000)}` }).length).toBeLessThan(300);
  expect(refusal({ '--respawn': '\u001b[31m' })).toContain('"\\u001b[31m"');
});

test('a health check is a path that is asked on the probe sockets during the probation', () => {
  const settingsOf = (more: Partial<SupervisorOptions>) =>
    resolveSettings({ command: 'a', ...more }, CONTEXT).settings;
  expect(settings({ '--probation': '30s', '--health': 'http=/well' })).toMatchObject({
    probationMs: 30_000,
    health: { mode: 'http', path: '/well' },
  });
  expect(settingsOf({ probationMs: 1, health: { mode: 'http', path: '/' } }).health).toEqual({
    mode: 'http',
    path: '/',
  });
  expect(refusal({ '--probation': '5s', '--health': '/well' })).toContain(
    '--health "/well": expected http= and a path, such as http=/health',
  );
  expect(refusal({ '--probation': '5s', '--health': 'http=well' })).toContain('expected a path for http');
  expect(refusal({ '--probation': '5' })).toContain('--probation "5": expected');
});

test('a health check that nobody would make or answer is refused', () => {
  expect(refusal({ '--health': 'http=/well' })).toContain(
    '--probation: expected more than 0 with --health "http=/well": workers are checked while a new generation is on probation',
  );
  expect(optionsRefusal({ health: 'http=/well', probationMs: 0 })).toContain(
    'probationMs: expected more than 0 with health',
  );
  expect(refusal({ '--health': 'http=/well', '--probation': '5s', '--ready': 'alive=1s' })).toContain(
    '--health "http=/well" and --ready "alive=1s": expected takeover or http there: a program without the protocol does not answer on its probe socket',
  );
});
