import { expect, test } from 'vitest';
import { resolveSettings } from '../../src/config.js';
import { readDaemonLine, readOwnOptions, specOf } from '../../src/daemon/command-line.js';
import type { DaemonDefinition, OptionValues } from '../../src/daemon/definition.js';
import { guardValues } from '../../src/daemon/option-values.js';
import { defineDaemon } from '../../src/daemon.js';
import { TanistError } from '../../src/errors.js';
import { commandSpec } from '../../src/words/command-table.js';
import { readWords } from '../../src/words/words.js';
import type { Worker } from '../../src/worker/worker.js';

const CONTEXT = {
  env: { TANIST_RUN_DIR: '/run/test' },
  cwd: '/srv',
  uid: 1000,
  platform: 'linux',
  accounts: null,
};
const OWN = { command: '/usr/bin/node', args: ['/srv/ticker.mjs'], script: '/srv/ticker.mjs' };

const DECLARED = {
  every: { type: 'duration', default: '1s', documentation: 'time between ticks' },
  retry: { type: 'duration', documentation: 'time until it tries again' },
  owner: { type: 'string', documentation: 'whose ticks' },
  word: { type: 'string', default: 'tick', documentation: 'what to print' },
  loud: { type: 'switch', documentation: 'print it in capitals' },
  'no-colour': { type: 'switch', documentation: 'print it plainly' },
  times: { type: 'integer', default: -3, documentation: 'how often' },
  maxRate: { type: 'float', documentation: 'ticks per second' },
} as const;

const ticker = (more: Partial<DaemonDefinition> = {}): DaemonDefinition => ({
  name: 'ticker',
  documentation: 'Prints a tick.',
  options: DECLARED,
  supervisedProcess: () => undefined,
  supervisedShutdown: () => undefined,
  ...more,
});

const line = (definition: DaemonDefinition, ...argv: string[]) =>
  readDaemonLine(definition, OWN, argv, { ...CONTEXT, columns: 80 });

const settingsOf = (definition: DaemonDefinition, ...argv: string[]) => {
  const read = line(definition, ...argv);
  if (read.kind !== 'run') throw new Error('help was asked for');
  return resolveSettings(read.settings, CONTEXT);
};

const helpOf = (columns: number, definition = ticker()): string => {
  const read = readDaemonLine(definition, OWN, ['--help'], { ...CONTEXT, columns });
  return read.kind === 'help' ? read.text : '';
};

const errorOf = (act: () => unknown): TanistError => {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof TanistError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
};

const definitionMistakes = (more: object): readonly string[] =>
  errorOf(() => defineDaemon({ ...ticker(), ...more })).problems.map(({ message }) => message);

test('S1: a program has options of its own, each read as its type says, and defaults where nothing is given', () => {
  expect(readOwnOptions(ticker(), [])).toEqual({
    every: 1_000,
    retry: undefined,
    owner: undefined,
    word: 'tick',
    loud: false,
    'no-colour': false,
    times: -3,
    maxRate: undefined,
  });
  const words = ['--every', '1.5s', '--retry=2m', '--owner', '', '--loud', '--no-colour'];
  expect(readOwnOptions(ticker(), [...words, '--times', '-12', '--max-rate', '1e-3', '--word=a=b'])).toEqual({
    every: 1_500,
    retry: 120_000,
    owner: '',
    word: 'a=b',
    loud: true,
    'no-colour': true,
    times: -12,
    maxRate: 0.001,
  });
  expect(readOwnOptions(ticker(), ['--times', '1', '--times', '2']).times).toBe(2);
});

test('S1: every option of tanist run is there, but for those that a daemon decides in its code', () => {
  const text = helpOf(80);
  for (const { flag } of commandSpec('run')?.options ?? []) {
    const decided = ['--adopt', '--no-adopt', '--no-hot-reload'].includes(flag);
    const listed = new RegExp(`^ {2}(-h, )?${flag}\\b(?!-)`, 'm').test(text);
    expect([flag, listed]).toEqual([flag, !decided]);
  }
  expect(settingsOf(ticker(), '--no-fork').settings.name).toBe('ticker');
});

test('S1: what the program brings along holds until the command line says something else', () => {
  const definition = ticker({
    handoff: 'overlap',
    workers: 3,
    drainTimeoutMs: 7_000,
    listen: ['127.0.0.1:80'],
  });
  expect(settingsOf(definition).settings).toMatchObject({
    name: 'ticker',
    pidFile: '/run/test/ticker.pid',
    handoff: 'overlap',
    workers: 3,
    drainTimeoutMs: 7_000,
    hotReload: false,
    listen: [{ port: 80 }],
  });
  const words = ['--workers', '2', '--name', 'other', '--handoff', 'exclusive', '--listen', '127.0.0.1:81'];
  const changed = settingsOf({ ...definition, canDoHotReload: true }, ...words).settings;
  expect(changed).toMatchObject({ name: 'other', handoff: 'exclusive', workers: 2, hotReload: true });
  expect(changed.listen).toMatchObject([{ port: 81 }]);
});

test('S2: every mistake is told at once, those in options of the program and of tanist together', () => {
  const words = [
    '--every',
    '5',
    '--times=1.5',
    '--max-rate',
    'Infinity',
    '--loud=yes',
    '--wrd',
    'x',
    '--workers',
    '0',
  ];
  const error = errorOf(() => line(ticker(), ...words, 'more', '--owner'));
  expect([error.code, error.exitStatus]).toEqual(['TANIST_USAGE', 2]);
  expect(error.problems.map(({ message }) => message)).toEqual([
    '"--loud=yes": expected no value, --loud is a switch',
    'unknown option --wrd: did you mean --word?',
    'unexpected word "more": expected options alone',
    '--owner needs a value, but the line ends',
    '--every "5": expected a unit after the number, such as 5s or 5ms',
    '--times "1.5": expected a whole number such as 7 or -12',
    '--max-rate "Infinity": expected a number such as 7, -0.5 or 1e-3',
    '--workers "0": expected a whole number from 1 to 1024, or auto',
  ]);
});

test.each([
  ['--times', '9007199254740992'],
  ['--times', ''],
  ['--max-rate', ''],
  ['--max-rate', '0x10'],
  ['--every', '-1s'],
])('S2: %s %j is refused', (flag, word) =>
  expect(errorOf(() => line(ticker(), `${flag}=${word}`)).problems[0]?.option).toBe(flag),
);

test.each([50, 64, 80, 132])(
  'S3: the help has the documentation and all options by name, in %i columns',
  (columns) => {
    const text = helpOf(columns);
    const lines = text.split('\n');
    expect(Math.max(...lines.map((one) => one.length))).toBeLessThanOrEqual(Math.min(columns, 100));
    expect(text.startsWith('Usage: ticker.mjs [options]\n\nPrints a tick.\n')).toBe(true);
    const listed = lines.flatMap((one) => /^ {2}(?:-h, )?(--[a-z-]+)/.exec(one)?.[1] ?? []);
    expect(listed).toEqual([...listed].sort());
    for (const flag of ['--every', '--max-rate', '--no-colour', '--pid-file', '--help', '--no-fork'])
      expect(listed).toContain(flag);
    const prose = text.replace(/\s+/g, ' ');
    expect(prose).toContain('--every D time between ticks (default: 1s)');
    expect(prose).toContain('(default: ticker)');
  },
);

test('S3: the help shows the defaults that the program brings along', () => {
  const prose = helpOf(
    80,
    ticker({ drainTimeoutMs: 90_000, listen: ['a=1', 'b=2'], handoff: 'overlap' }),
  ).replace(/\s+/g, ' ');
  expect(prose).toContain('From the stop signal to SIGKILL. (default: 90s)');
  expect(prose).toContain('(default: a=1, b=2)');
  expect(prose).toContain('(default: overlap)');
});

test('S4: an option that was not declared is an error, for the compiler and when it runs', () => {
  defineDaemon({
    name: 'typed',
    documentation: 'Checked by the compiler.',
    options: DECLARED,
    supervisedProcess(worker: Worker, options) {
      const values: [number, number | undefined, string | undefined, string, boolean, boolean, number] = [
        options.every,
        options.retry,
        options.owner,
        options.word,
        options.loud,
        options['no-colour'],
        options.times,
      ];
      // @ts-expect-error it has no default, so it may be undefined
      const rate: number = options.maxRate;
      // @ts-expect-error it was not declared
      return [values, rate, options.evry, worker];
    },
  });
  defineDaemon({
    name: 'bare',
    documentation: 'Without options.',
    // @ts-expect-error none is declared
    supervisedProcess: (_worker, options) => options.every,
  });

  const values = guardValues(readOwnOptions(ticker(), [])) as OptionValues<typeof DECLARED> & {
    evry: string;
  };
  expect(values.every).toBe(1_000);
  const error = errorOf(() => values.evry);
  expect(error).toMatchObject({
    code: 'TANIST_UNDECLARED_OPTION',
    message: expect.stringContaining('did you mean every?'),
  });
  expect(errorOf(() => guardValues({}).every).message).toContain('none is declared');
});

test('S4: the values cannot be changed, and can be printed, stringified and awaited', async () => {
  const values = guardValues({ every: 5 });
  expect(() => Object.assign(values, { every: 6 })).toThrow(TypeError);
  expect(JSON.stringify(values)).toBe('{"every":5}');
  expect(await Promise.resolve(values)).toBe(values);
  expect(String(values)).toBe('[object Object]');
});

test('S10: --no-warn is the level error, also over what the program brings along', () => {
  expect(settingsOf(ticker(), '--no-warn').logLevel).toBe('error');
  expect(settingsOf(ticker({ logLevel: 'debug' }), '--no-warn').logLevel).toBe('error');
  expect(settingsOf(ticker({ noWarn: true }), '--log-level', 'trace').logLevel).toBe('trace');
});

test('X7: an option that takes a value takes it, whatever it looks like', () => {
  const definition = ticker({
    options: { use: { type: 'switch', documentation: 'a' }, users: DECLARED.owner, ...DECLARED },
  });
  expect(readOwnOptions(definition, ['--owner', 'nobody', '--users', '-', '--use'])).toMatchObject({
    owner: 'nobody',
    users: '-',
    use: true,
  });
  // What tanist itself has: the name behind --user is no word of its own.
  const { mistakes } = readWords(specOf(definition, 'x'), ['--user', 'nobody'], {
    option: () => '',
    operand: () => 'unexpected',
  });
  expect(mistakes.filter(({ message }) => message.includes('nobody'))).toEqual([]);
});

test('--no-fork and --daemonize contradict each other, and without --daemonize it is the default', () => {
  const messages = errorOf(() => line(ticker(), '--no-fork', '--daemonize')).message;
  expect(messages).toMatch(/--no-fork and --daemonize: expected only one of them/);
  expect(line(ticker(), '--no-fork')).toMatchObject({ kind: 'run' });
});

test('a mistake in the definition is told at once, and all of them together', () => {
  expect(
    definitionMistakes({
      name: 'a/b',
      documentation: ' ',
      supervisedProcess: undefined,
      supervisedShutdown: 5,
      canDoHotReload: 'yes',
      pingEveryMs: 0,
      workers: 0,
      handof: 'overlap',
      canDoHotRelaod: true,
      command: 'server.js',
      noHotReload: true,
    }),
  ).toEqual([
    'name "a/b": expected a name of 1 to 64 bytes without slashes and control characters',
    'documentation " ": expected a text',
    'supervisedProcess undefined: expected a function',
    'supervisedShutdown 5: expected a function',
    'canDoHotReload "yes": expected true or false',
    'pingEveryMs 0: expected a whole number of milliseconds from 1 to 86400000, or false',
    'unknown key canDoHotRelaod: did you mean canDoHotReload?',
    'command: a daemon is its own command',
    'noHotReload: say canDoHotReload: false',
    'unknown option handof: did you mean handoff?',
    'workers 0: expected a whole number from 1 to 1024, or auto',
  ]);
  expect(errorOf(() => defineDaemon(null as never)).code).toBe('TANIST_DEFINITION');
});

test.each<[string, object, string | RegExp]>([
  ['bad-', { type: 'switch' }, /^option "bad-": expected a name of letters/],
  ['Bad', { type: 'switch' }, /^option "Bad": expected a name of letters/],
  [
    'workers',
    { type: 'integer' },
    'options.workers: --workers is an option of tanist: expected another name',
  ],
  [
    'pidFile',
    { type: 'string' },
    'options.pidFile: --pid-file is an option of tanist: expected another name',
  ],
  ['standby', { type: 'string' }, 'options.standby: --standby is an option of tanist: expected another name'],
  ['noFork', { type: 'switch' }, 'options.noFork: --no-fork is an option of tanist: expected another name'],
  ['help', { type: 'switch' }, 'options.help: --help is an option of tanist: expected another name'],
  ['max-rate', { type: 'float' }, 'options.max-rate: --max-rate is the option maxRate already'],
  [
    'new',
    { type: 'number' },
    'options.new.type "number": expected switch, string, integer, float or duration',
  ],
  [
    'new',
    { type: 'integer', default: 1.5 },
    'options.new.default 1.5: expected a whole number such as 7 or -12',
  ],
  [
    'new',
    { type: 'float', default: '1' },
    'options.new.default "1": expected a number such as 7, -0.5 or 1e-3',
  ],
  ['new', { type: 'string', default: 1 }, 'options.new.default 1: expected a text'],
  ['new', { type: 'duration', default: '1' }, /^options\.new\.default "1": expected a unit after the number/],
  [
    'new',
    { type: 'duration', default: -1 },
    /^options\.new\.default -1: expected a whole number of milliseconds/,
  ],
  ['new', { type: 'switch', default: true }, /^options\.new\.default true: expected false: a switch is off/],
  [
    'no-rate',
    { type: 'float' },
    'options.no-rate.type "float": expected switch: --no-rate turns something off',
  ],
  [
    'new',
    { type: 'switch', alias: 'n' },
    'options.new.alias: expected type, documentation and default alone',
  ],
  ['new', { type: 'switch', documentation: '' }, 'options.new.documentation "": expected a text'],
])('the option %s %j is refused when it is declared', (name, declaration, message) => {
  const options = { ...DECLARED, [name]: { documentation: 'new', ...declaration } };
  expect(definitionMistakes({ options })).toEqual([
    typeof message === 'string' ? message : expect.stringMatching(message),
  ]);
});

test('run() is called once, with words, and says with status 2 when it is not', async () => {
  const daemon = defineDaemon(ticker());
  expect(daemon.name).toBe('ticker');
  expect(await daemon.run('--help' as never)).toBe(2);
  expect(await daemon.run(['--help'])).toBe(2);
});
