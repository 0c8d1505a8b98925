import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { configSchema } from '../../src/cli/config-schema.js';
import { checkSettings, type SettingsContext } from '../../src/config.js';
import { FILE_KEYS } from '../../src/settings/fields.js';

const CONTEXT: SettingsContext = {
  env: { HOME: '/home/ann' },
  cwd: '/srv',
  uid: 1000,
  platform: 'linux',
  accounts: null,
};

const validate = new Ajv2020({ strict: true }).compile(configSchema());

/** What `tanist run --config` says to a file with these values. */
const mistakesIn = (values: Readonly<Record<string, unknown>>): readonly string[] => {
  const input = { commandLine: new Map(), args: [], configFile: { path: '/etc/x.json', values } };
  const checked = checkSettings(input, CONTEXT);
  return 'mistakes' in checked ? checked.mistakes.map(({ message }) => message) : [];
};

const COMMAND = { command: 'server.js' };

describe('the schema of configuration files', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the least', COMMAND],
    ['a reference to itself', { ...COMMAND, $schema: './node_modules/tanist/dist/tanist.schema.json' }],
    ['arguments', { ...COMMAND, args: ['--port', '80', ''] }],
    [
      'much',
      {
        ...COMMAND,
        name: 'web',
        listen: ['web=8080', '127.0.0.1:0', '[::1]:80', 'unix:/run/x.sock'],
        workers: 'auto',
        ready: { mode: 'http', path: '/ready' },
        startTimeoutMs: 1_000,
        drainTimeoutMs: 0,
        respawnLimit: '5/1m',
        envFile: ['a.env', 'b.env'],
        umask: '022',
        noWarn: true,
      },
    ],
  ])('accepts %s, as tanist does', (_, values) => {
    expect(validate(values), JSON.stringify(validate.errors)).toBe(true);
    expect(mistakesIn(values)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a key that is misspelt', { worker: 2 }, /unknown option worker: did you mean workers\?/],
    ['a duration with a unit', { startTimeoutMs: '5s' }, /startTimeoutMs "5s": expected a whole number/],
    ['a duration of another name', { startTimeout: 5 }, /did you mean startTimeoutMs\?/],
    ['workers in quotes', { workers: '2' }, /workers "2": expected a whole number from 1 to 1024, or auto/],
    ['a mask without quotes', { umask: 22 }, /umask 22: expected an octal mask/],
    ['arguments in one string', { args: '--x' }, /args "--x": expected an array of strings/],
    ['the file itself', { config: 'x.json' }, /config belongs to the command line: --config FILE/],
  ])('refuses %s, as tanist does, which names file and key', (_, more, message) => {
    const values = { ...COMMAND, ...more };
    expect(validate(values)).toBe(false);
    expect(mistakesIn(values)).toEqual([expect.stringMatching(message)]);
    expect(mistakesIn(values)[0]).toMatch(/^\/etc\/x\.json: /);
  });

  it('describes every key in words', () => {
    const { properties } = configSchema() as { properties: Record<string, { description?: string }> };
    expect(Object.keys(properties)).toEqual(['$schema', ...FILE_KEYS.map(({ key }) => key)]);
    for (const [key, { description }] of Object.entries(properties))
      expect(description?.length, key).toBeGreaterThan(10);
  });

  it('is in the package as it is in the program', () => {
    const path = fileURLToPath(new URL('../../dist/tanist.schema.json', import.meta.url));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(configSchema())));
  });
});

/** Where the schema cannot be as strict as the reader: a length in bytes, an address, a duration or size in words. */
const LAXER_KEYS = [
  'name',
  'runDir',
  'pidFile',
  'listen',
  'ready',
  'respawnLimit',
  'logFile',
  'journal',
  'inspect',
  'maxMemory',
  'journalLimit',
];

/** Values that mean something to some key, and their neighbours. Each of them is tried with every key. */
const TELLING: readonly unknown[] = [
  ...[true, false, null, 0, 1, -1, 1.5, 1_024, 1_025, 10_001, 86_400_000, 86_400_001, 2 ** 40],
  ...['', ' ', 'x', '.', '..', '/', '/tmp/', 'a/..', 'a/b', 'a\0b', 'a\nb', 'x'.repeat(65), 'é'.repeat(40)],
  ...['auto', 'takeover', 'http=/x', 'http=x', 'alive=1s', 'alive=1', 'alive=0s', '5/1m', '5', '99999/1s'],
  ...['overlap', 'exclusive', 'adaptive', 'fixed', 'info', 'silent', 'SIGTERM', 'SIGSTOP', 'TERM', 'term'],
  ...['022', '0777', '1777', '8', '512MiB', '1GB', '5s', '8080', 'web=80', '99999', '::1:80', 'unix:/x'],
  ...['fd:3', 'x=fd:7', 'fd:1', 'systemd', 'nobody', 'root', '1000'],
  ...[[], ['x'], ['/tmp/'], [1], [['x']], {}, { mode: 'takeover' }, { mode: 'http' }],
  ...[
    { mode: 'http', path: '/x' },
    { mode: 'http', path: 'x' },
    { mode: 'alive', forMs: 1 },
  ],
  ...[{ mode: 'alive', forMs: 0 }, { count: 1, withinMs: 1 }, { count: 1 }, { count: -1, withinMs: 1 }],
];

const values = fc.oneof(
  fc.constantFrom(...TELLING),
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: -10, max: 100_000_000 }),
  fc.stringMatching(/^[a-z0-7.:=/[\]-]{0,12}$/),
);

test.each(FILE_KEYS.map(({ key }) => key))('for %s schema and reader say the same of any value', (key) => {
  const verdicts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(values, (value) => {
      const file = { ...COMMAND, [key]: value };
      const accepted = mistakesIn(file).every((message) => !message.startsWith(`/etc/x.json: ${key}`));
      verdicts[accepted ? 'accepted' : 'refused'] += 1;
      const valid = validate(file);
      if (accepted || !LAXER_KEYS.includes(key)) expect({ value, valid }).toEqual({ value, valid: accepted });
    }),
    { numRuns: 1_000, examples: TELLING.map((value) => [value]) },
  );
  expect(verdicts.accepted).toBeGreaterThan(0);
  expect(verdicts.refused).toBeGreaterThan(0);
});
