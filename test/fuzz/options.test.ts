/**
 * Whatever is written on the command line, or given to createSupervisor().
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DURATION_MS, type Settings } from '../../machines/policy.js';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { checkSettings, type SupervisorOptions } from '../../src/config.js';
import { TanistError } from '../../src/errors.js';
import { SETTING_KEYS } from '../../src/settings/fields.js';
import { COMMANDS } from '../../src/words/command-table.js';
import type { CommandLineContext } from '../../src/words/context.js';
import { FUZZ } from './runs.js';

const CONTEXT: CommandLineContext = {
  env: { TANIST_RUN_DIR: '/run/test' },
  cwd: '/srv',
  uid: 1_000,
  platform: 'linux',
  accounts: null,
  columns: 80,
};

const flags = COMMANDS.flatMap(({ options }) => options.map(({ flag }) => flag));
/** Values that some option takes, and their neighbours that none does. */
const VALUES = [
  ...['2', '0', '-1', '1e3', 'auto', '1s', '1', '250ms', '24h', '25h', '1.5m', '5/1m', '/x', 'takeover'],
  ...['http=/ready', 'alive=1s', '8080', '127.0.0.1:0', '[::1]:80', 'unix:/run/a.sock', 'a=8080', '70000'],
  ...['overlap', 'exclusive', 'adaptive', 'SIGTERM', 'SIGKILL', 'info', '512MiB', 'web', '..', '', '--', '-'],
];
const word = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...flags) },
  { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...flags), fc.constantFrom(...VALUES)).map((pair) => pair.join('=')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
const commands = fc.constantFrom(...COMMANDS.map(({ name }) => name), 'rnu');

/** What every set of settings promises to the machines. */
const problemOf = (settings: Settings): string | null => {
  for (const [key, value] of Object.entries(settings)) {
    if (!key.endsWith('Ms') || value === null) continue;
    if (!Number.isInteger(value) || value < 0 || value > MAX_DURATION_MS) return `${key} is ${value}`;
  }
  if (!(settings.workers >= 1 && settings.workers <= 1_024)) return `workers is ${settings.workers}`;
  const names = settings.listen.map(({ name }) => name);
  if (new Set(names).size !== names.length) return `two listeners are called ${names}`;
  return JSON.stringify(JSON.parse(JSON.stringify(settings))) === JSON.stringify(settings)
    ? null
    : 'it is no JSON';
};

describe('whatever is written on the command line', () => {
  it('is understood, or refused with every mistake and status 2', () => {
    fc.assert(
      fc.property(commands, fc.array(word, { maxLength: 8 }), (command, words) => {
        try {
          const parsed = parseCommandLine([command, ...words], CONTEXT);
          expect([...COMMANDS.map(({ name }) => name), 'help', 'version']).toContain(parsed.command);
        } catch (thrown) {
          if (!(thrown instanceof TanistError)) throw thrown;
          expect(thrown.exitStatus).toBe(2);
          expect(thrown.problems.length).toBeGreaterThan(0);
          for (const { message } of thrown.problems) expect(message.length).toBeLessThan(1_000);
        }
      }),
      { ...FUZZ, numRuns: Math.ceil(FUZZ.numRuns / 3) },
    );
  }, 120_000);
});

describe('whatever is given to createSupervisor()', () => {
  it('becomes settings that hold what they promise, or mistakes in words', () => {
    const value = fc.oneof(
      fc.constantFrom(...VALUES),
      fc.jsonValue(),
      fc.integer(),
      fc.anything({ maxDepth: 1 }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...SETTING_KEYS), value, { maxKeys: 6 }), (options) => {
        const input = { command: 'app', ...options } as unknown as SupervisorOptions;
        const checked = checkSettings(input, CONTEXT);
        if ('mistakes' in checked) {
          expect(checked.mistakes.length).toBeGreaterThan(0);
          for (const { message } of checked.mistakes) expect(message).toMatch(/expected|unknown|belongs to/);
        } else expect(problemOf(checked.settings)).toBeNull();
      }),
      FUZZ,
    );
  }, 120_000);
});
