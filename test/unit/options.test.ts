import { expect, test } from 'vitest';
import { asksForJson, type ParsedCommandLine, parseCommandLine } from '../../src/cli/command-line.js';
import { resolveSettings } from '../../src/config.js';
import { TanistError } from '../../src/errors.js';
import { SETTING_FLAGS, SETTING_KEYS } from '../../src/settings/fields.js';
import { COMMANDS, commandSpec } from '../../src/words/command-table.js';
import type { CommandLineContext } from '../../src/words/context.js';
import { errorText, reportError } from '../../src/words/report.js';

const CONTEXT: CommandLineContext = {
  env: { TANIST_RUN_DIR: '/run/test' },
  cwd: '/srv',
  uid: 1000,
  platform: 'linux',
  accounts: null,
  columns: 80,
};

const parse = (...argv: string[]): ParsedCommandLine => parseCommandLine(argv, CONTEXT);

const run = (...argv: string[]) => {
  const parsed = parse('run', ...argv);
  if (parsed.command !== 'run') throw new Error(`read as ${parsed.command}`);
  const { command, args } = parsed.settingsInput;
  return { ...parsed, program: { command, args } };
};

const errorOf = (...argv: string[]): TanistError => {
  try {
    parse(...argv);
  } catch (thrown) {
    if (thrown instanceof TanistError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
};

const messagesOf = (...argv: string[]): readonly string[] =>
  errorOf(...argv).problems.map(({ message }) => message);

const help = (...argv: string[]): string => {
  const parsed = parse(...argv);
  if (parsed.command !== 'help') throw new Error(`read as ${parsed.command}`);
  return parsed.text;
};

test("the first word that is no option ends tanist's options", () => {
  const { program, settingsInput } = run(
    '--workers',
    '2',
    '--name=web',
    'node',
    'app.js',
    '--workers',
    '9',
    '--help',
    '--',
    '-x',
  );
  expect(program).toEqual({ command: 'node', args: ['app.js', '--workers', '9', '--help', '--', '-x'] });
  expect(resolveSettings(settingsInput, CONTEXT).settings).toMatchObject({ workers: 2, name: 'web' });
});

test('so does a double dash, and every word after it arrives unchanged', () => {
  expect(run('--workers', '2', '--', '--odd', '', 'a b', "'", 'x\ny', '--').program).toEqual({
    command: '--odd',
    args: ['', 'a b', "'", 'x\ny', '--'],
  });
  expect(run('app', '--', '--x').program.args).toEqual(['--', '--x']);
});

test('a value follows its option or an equals sign, and may be anything behind the latter', () => {
  const { settingsInput } = run('--listen', 'a=80', '--listen=b=81', '--name=--workers', 'app');
  expect(settingsInput.commandLine).toEqual(
    new Map([
      ['--listen', ['a=80', 'b=81']],
      ['--name', ['--workers']],
    ]),
  );
});

test('the page has its address behind an equals sign alone, and needs somebody to ask', () => {
  const pageOf = (...argv: string[]) => {
    const { program, settingsInput } = run(...argv);
    return [program.command, resolveSettings(settingsInput, CONTEXT).page];
  };
  const local = { host: '127.0.0.1', port: 0, controls: false };
  expect(pageOf('server.js')).toEqual(['server.js', null]);
  expect(pageOf('--inspect', 'server.js')).toEqual(['server.js', local]);
  expect(pageOf('--inspect=8080', 'server.js')).toEqual(['server.js', { ...local, port: 8_080 }]);
  expect(pageOf('--inspect=[::1]:9', '--inspect-control', 'server.js')).toEqual([
    'server.js',
    { host: '::1', port: 9, controls: true },
  ]);
  expect(pageOf('--', 'node', '--inspect=9229', 'server.js')).toEqual(['node', null]);
  expect(messagesOf('run', '--inspect=web:80', 'x')).toEqual([
    expect.stringMatching(/^--inspect "web:80": expected an IP address before the port/),
  ]);
  expect(messagesOf('run', '--inspect-control', 'x')).toEqual([
    expect.stringMatching(/^--inspect: expected as well with --inspect-control/),
  ]);
  expect(messagesOf('run', '--inspect', '--no-pid-file', 'x')).toEqual([
    expect.stringMatching(/^--inspect: expected --control as well with --no-pid-file/),
  ]);
  expect(pageOf('--inspect', '--no-pid-file', '--control', '/run/x.sock', 'x')).toEqual(['x', local]);
  expect(messagesOf('reload', '--inspect=8080')).toHaveLength(1);
  expect(messagesOf('replay', '--inspect=8080', 'x')[0]).toContain('--inspect is a switch');
});

test('every mistake is told, in one go and with the one that was probably meant', () => {
  const error = errorOf(
    ...['run', '--worker=3', '--name', '--start-timeout', '5', '--probation', '2', '--no-warn=1', '--listen'],
  );
  expect(error.code).toBe('TANIST_USAGE');
  expect(error.exitStatus).toBe(2);
  expect(error.problems.map(({ message }) => message)).toEqual([
    'unknown option --worker: did you mean --workers?',
    '--name needs a value, but "--start-timeout" follows',
    '"--no-warn=1": expected no value, --no-warn is a switch',
    '--listen needs a value, but the line ends',
    expect.stringMatching(/^--start-timeout "5": expected a unit/),
    expect.stringMatching(/^--probation "2": expected a unit/),
    '<command> is missing: expected a program to supervise',
  ]);
});

test('a double dash is no value either', () => {
  expect(messagesOf('run', '--name', '--', 'app')).toEqual(['--name needs a value, but "--" follows']);
});

test('an empty value is a wrong value, not a missing one', () => {
  expect(messagesOf('run', '--workers=', '--name', '', 'app')).toEqual([
    expect.stringContaining('--name "": expected'),
    expect.stringContaining('--workers "": expected'),
  ]);
});

test('an option of another command says where it belongs', () => {
  expect(messagesOf('reload', '--workers=3')).toEqual([
    "unknown option --workers: it belongs to tanist run, after the command's name",
  ]);
  expect(messagesOf('--json', 'status')).toEqual([
    "unknown option --json: it belongs to tanist reload, after the command's name",
  ]);
});

test('a missing or unknown command is refused with those there are', () => {
  expect(errorOf().message).toBe(
    'the command is missing: expected run, reload, scale, stop, status, restart, logs, replay, why or inspect',
  );
  expect(errorOf('relaod').message).toBe('unknown command "relaod": did you mean reload?');
  expect(errorOf('frobnicate').message).toContain(
    'expected run, reload, scale, stop, status, restart, logs, replay, why or inspect',
  );
});

test('a client gets its target, the wish for JSON and the time-out', () => {
  expect(parse('reload')).toEqual({
    command: 'reload',
    target: { kind: 'only', runDirectory: '/run/test' },
    json: false,
    timeoutMs: null,
  });
  expect(parse('stop', '--name', 'web', '--run-dir', 'r', '--json', '--timeout=1.5s')).toEqual({
    command: 'stop',
    target: { kind: 'name', name: 'web', runDirectory: '/srv/r' },
    json: true,
    timeoutMs: 1_500,
  });
  expect(parse('status', '--pid-file', 'x.pid')).toMatchObject({
    watch: false,
    target: { kind: 'pid-file', pidFile: '/srv/x.pid' },
  });
  expect(parse('status', '--watch')).toMatchObject({ command: 'status', watch: true });
});

test('a restart takes what run takes, or only says which one is meant', () => {
  expect(parse('restart', '--workers', '2', 'app', '--x')).toEqual({
    command: 'restart',
    settingsInput: run('--workers', '2', 'app', '--x').settingsInput,
  });
  expect(parse('restart', '--name', 'web')).toEqual({
    command: 'restart',
    target: { kind: 'name', name: 'web', runDirectory: '/run/test' },
  });
  expect(parse('restart')).toEqual({
    command: 'restart',
    target: { kind: 'only', runDirectory: '/run/test' },
  });
  expect(messagesOf('restart', '--workers', 'x', 'app')).toEqual([
    expect.stringContaining('--workers "x": expected'),
  ]);
  expect(messagesOf('restart', '--workers', '2')).toEqual([
    '<command> is missing: expected a program to supervise',
  ]);
  expect(messagesOf('restart', '--nmae', 'web')).toEqual([
    'unknown option --nmae: did you mean --name?',
    '<command> is missing: expected a program to supervise',
  ]);
});

test('replay gets files of one journal and the last event, in any order', () => {
  const all = { command: 'replay', until: null, json: false };
  expect(parse('replay', 'a', '/b')).toEqual({ ...all, files: ['/srv/a', '/b'] });
  expect(parse('replay', '--until', '7', 'a', '--json', 'b')).toEqual({
    ...all,
    files: ['/srv/a', '/srv/b'],
    until: 7,
    json: true,
  });
  expect(parse('replay', 'a', '--', '--b')).toMatchObject({ files: ['/srv/a', '/srv/--b'] });
  expect(messagesOf('replay', '--until', 'x', '--what')).toEqual([
    'unknown option --what',
    '--until "x": expected the number of an event',
    'FILE is missing: expected a journal',
  ]);
});

test('why gets what is asked about, and where', () => {
  const target = { kind: 'only', runDirectory: '/run/test' };
  const all = { command: 'why', target, journal: null, json: false };
  expect(parse('why')).toEqual({ ...all, question: { kind: 'all' } });
  expect(parse('why', '3')).toEqual({ ...all, question: { kind: 'number', number: 3 } });
  expect(parse('why', 'slot:3')).toEqual({ ...all, question: { kind: 'slot', slot: 3 } });
  expect(parse('why', '--json', 'pid:42', '--journal', 'j', '--name', 'web')).toEqual({
    command: 'why',
    question: { kind: 'pid', pid: 42 },
    target: { kind: 'name', name: 'web', runDirectory: '/run/test' },
    journal: '/srv/j',
    json: true,
  });
  expect(parse('why', 'last-reload')).toMatchObject({ question: { kind: 'last-reload' } });
  for (const subject of ['0', '-1', 'worker', 'pid:', 'slot:0', '1.5'])
    expect(errorOf('why', '--', subject).message).toContain('a slot, a pid, slot:1, pid:42 or last-reload');
  expect(messagesOf('why', '1', '2')).toEqual([expect.stringContaining('unexpected word "2"')]);
});

test('logs get their target, the number of lines and whether to follow', () => {
  const target = { kind: 'only', runDirectory: '/run/test' };
  expect(parse('logs')).toEqual({ command: 'logs', target, lines: 10, follow: false, json: false });
  expect(parse('logs', '-f', '-n', '0', '--json', '--name', 'web')).toEqual({
    command: 'logs',
    target: { kind: 'name', name: 'web', runDirectory: '/run/test' },
    lines: 0,
    follow: true,
    json: true,
  });
  expect(messagesOf('logs', '-n', '-1', '--timeout=3s')).toEqual([
    expect.stringContaining('unknown option --timeout'),
    expect.stringContaining('--lines "-1": expected a whole number from 0 to 1000000'),
  ]);
});

test('a client is as strict as run', () => {
  expect(messagesOf('reload', 'web', '--name', 'a/b', '--timeout', '5', '--json', 'more')).toEqual([
    'unexpected word "web": did you mean --name web?',
    'unexpected word "more": did you mean --name more?',
    expect.stringContaining('--name "a/b": expected a name'),
    expect.stringContaining('--timeout "5": expected a unit'),
  ]);
  expect(messagesOf('stop', '--name', 'a', '--pid-file', 'b')).toEqual([
    '--name "a" and --pid-file "b": expected only one of them',
  ]);
  expect(messagesOf('stop', '--pid-file', `/${'x'.repeat(100)}`)).toEqual([
    expect.stringContaining('at most 91 bytes'),
  ]);
  expect(() => parseCommandLine(['stop'], { ...CONTEXT, env: {} })).toThrow(
    /--run-dir: expected a directory/,
  );
});

test('help and version win over everything beside them', () => {
  expect(parse('--version')).toEqual({ command: 'version' });
  expect(parse('-V', '--bogus')).toEqual({ command: 'version' });
  expect(help('-h')).toBe(help('--help'));
  expect(help('run', '--bogus', '--workers', 'x', '--help')).toBe(help('run', '-h'));
  expect(run('app', '--help').program.args).toEqual(['--help']);
});

test("the program's help lists the commands there are and the exit statuses", () => {
  const text = help('--help');
  for (const { name } of COMMANDS) expect(text).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, 'm'));
  expect(text).toMatch(/^ {2}4 {2}reload refused/m);
});

test("a command's help lists its options with defaults, in the terminal's width", () => {
  for (const columns of [60, 80, 400]) {
    const parsed = parseCommandLine(['run', '--help'], { ...CONTEXT, columns });
    const text = parsed.command === 'help' ? parsed.text : '';
    const specs = commandSpec('run')?.options ?? [];
    for (const { flag } of specs) {
      const listed = new RegExp(`^ {2}(-h, )?${flag}\\b(?!-)`, 'm').test(text);
      expect([flag, listed]).toEqual([flag, true]);
    }
    const prose = text.replace(/\s+/g, ' ');
    expect(prose).toContain('(default: 60s)');
    expect(prose).toContain('SIGUSR2');
    expect(prose).toContain('already running');
    const longest = Math.max(...text.split('\n').map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(Math.min(columns, 100));
  }
  expect(help('status', '--help')).toContain('--watch');
});

test('the table and the settings name the same options', () => {
  const specs = commandSpec('run')?.options ?? [];
  const flags = specs.map(({ flag }) => flag).filter((flag) => flag !== '--help');
  // The one that says where the others are.
  expect(flags).toContain('--config');
  expect(flags.filter((flag) => flag !== '--config').sort()).toEqual([...SETTING_FLAGS].sort());

  // The key of an option is its flag in camel case; a duration's ends in Ms.
  const keyOf = ({ flag, value }: { flag: string; value?: string }) =>
    flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) + (value === 'D' ? 'Ms' : '');
  const keys = specs
    .map(keyOf)
    // The second flag of a switch that may be turned off, and what no setting is.
    .filter((key) => !['noAdopt', 'noAnchor', 'config', 'help'].includes(key));
  expect(keys.sort()).toEqual([...SETTING_KEYS].sort());
});

test('JSON is asked for by clients only, before a double dash', () => {
  expect(asksForJson(['reload', '--bogus', '--json'])).toBe(true);
  expect(asksForJson(['reload', '--', '--json'])).toBe(false);
  expect(asksForJson(['run', 'app', '--json'])).toBe(false);
});

test('an error is told as text with its mistakes and a hint, or as one JSON object', () => {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    columns: 80,
    isTty: false,
  };
  const error = errorOf('run', '--workers', 'x', '--probation', '1');
  expect(reportError(error, false, terminal)).toBe(2);
  expect(err.join('').split('\n')).toEqual([
    'error TANIST_USAGE: 3 mistakes',
    expect.stringContaining('  --workers "x": expected'),
    expect.stringContaining('  --probation "1": expected'),
    '  <command> is missing: expected a program to supervise',
    expect.stringMatching(/^hint: Run "tanist --help"/),
    '',
  ]);
  expect(reportError(error, true, terminal)).toBe(2);
  expect(JSON.parse(out.join(''))).toMatchObject({
    error: { code: 'TANIST_USAGE', hint: expect.any(String), problems: [{}, {}, {}] },
  });
});

test('mistakes that the message does not have are told below it, and a defect shows its place', () => {
  const error = new TanistError('TANIST_USAGE', 'two of them', {
    problems: [{ option: 'x', message: 'x is odd' }],
  });
  expect(errorText(error)).toContain('\n  x is odd\n');
  const terminal = { out: () => undefined, err: () => undefined, columns: 80, isTty: false };
  expect(reportError(new TypeError('oops'), false, terminal)).toBe(1);
  expect(errorText(new TanistError('TANIST_INTERNAL', 'oops', { cause: new TypeError('oops') }))).toMatch(
    /\n +at /,
  );
});

test('scale takes its number before or after the options, and refuses every other word', () => {
  const asked = { workers: 4, json: true, timeoutMs: null };
  expect(parse('scale', '4', '--json')).toMatchObject({ command: 'scale', ...asked });
  expect(parse('scale', '--json', '4')).toMatchObject({ command: 'scale', ...asked });
  expect(parse('scale', '2', '--name', 'web')).toMatchObject({ workers: 2, target: { name: 'web' } });
  expect(messagesOf('scale')).toEqual(['N is missing: expected a whole number from 1 to 1024']);
  expect(messagesOf('scale', '0', '--nmae', 'web')).toEqual([
    'unknown option --nmae: did you mean --name?',
    'N "0": expected a whole number from 1 to 1024',
  ]);
  expect(messagesOf('scale', '2', '3')[0]).toMatch(/^unexpected word "3"/);
});
