/**
 * Reads a command line: which command, with what. Every mistake is told, not only the first.
 */
import { MOST_WORKERS } from '../../machines/policy.js';
import type { TargetQuery } from '../client/target.js';
import { type CommandLineSettings, checkSettings } from '../config.js';
import { type Mistake, type Reader, shown, usageError, wrongValue } from '../settings/mistake.js';
import { nearest } from '../settings/suggestion.js';
import { PROGRAM } from '../words/command-builder.js';
import { COMMANDS, commandSpec } from '../words/command-table.js';
import type { CommandLineContext } from '../words/context.js';
import { helpText } from '../words/help.js';
import type { CommandSpec } from '../words/options.js';
import { readWords, type Words } from '../words/words.js';
import {
  type ClientArguments,
  interleaved,
  readClient,
  readTarget,
  strangeWords,
  valueReader,
} from './client-arguments.js';
import type { InspectArguments } from './commands/inspect.js';
import type { LogsArguments } from './commands/logs.js';
import type { ReplayArguments } from './commands/replay.js';
import type { WhyArguments } from './commands/why.js';
import { parseInspect, parseReplay, parseWhy } from './journal-arguments.js';

export interface ScaleArguments extends ClientArguments {
  readonly workers: number;
}

export type ParsedCommandLine =
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'version' }
  | { readonly command: 'run' | 'restart'; readonly settingsInput: CommandLineSettings }
  | { readonly command: 'restart'; readonly target: TargetQuery }
  | ({ readonly command: 'scale' } & ScaleArguments)
  | ({ readonly command: 'reload' | 'stop' } & ClientArguments)
  | ({ readonly command: 'status'; readonly watch: boolean } & ClientArguments)
  | ({ readonly command: 'logs' } & LogsArguments)
  | ({ readonly command: 'replay' } & ReplayArguments)
  | ({ readonly command: 'why' } & WhyArguments)
  | ({ readonly command: 'inspect' } & InspectArguments);

/**
 * @param argv the words after the program's name.
 * @throws {TanistError} `TANIST_USAGE` with all mistakes.
 */
export const parseCommandLine = (argv: readonly string[], context: CommandLineContext): ParsedCommandLine => {
  const before = readWords(PROGRAM, argv, strangeWords);
  if (before.values.has('--help')) return { command: 'help', text: helpText(PROGRAM, context.columns) };
  if (before.values.has('--version')) return { command: 'version' };
  const [name, ...rest] = before.operands;
  const spec = name === undefined ? undefined : commandSpec(name);
  if (spec === undefined) throw usageError([...before.mistakes, wrongCommand(name)]);
  const words = readWords(spec, rest, strangeWords);
  if (words.values.has('--help')) return { command: 'help', text: helpText(spec, context.columns) };
  const mistakes = [...before.mistakes, ...words.mistakes];
  if (spec.name === 'run') return { command: 'run', settingsInput: readStart(words, mistakes, context) };
  if (spec.name === 'logs') return { command: 'logs', ...readLogs(words, mistakes, context) };
  if (spec.name === 'restart') return parseRestart(words, mistakes, context);
  if (spec.name === 'inspect') return parseInspect(words, mistakes, context);
  if (spec.name === 'why') return parseWhy(spec, words, mistakes, context);
  if (spec.name === 'replay') return parseReplay(spec, words, mistakes, context);
  if (spec.name === 'scale') return parseScale(spec, words, mistakes, context);
  return parseClient(spec.name, words, mistakes, context);
};

/** Whether the answer is to be JSON, as far as that can be seen in a command line that may be wrong. */
export const asksForJson = (argv: readonly string[]): boolean =>
  !['run', 'restart'].includes(argv[0] ?? '') &&
  argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');

const wrongCommand = (name: string | undefined): Mistake => {
  const names = COMMANDS.map((command) => command.name);
  const expected = `expected ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  const option = '<command>';
  if (name === undefined) return { option, message: `the command is missing: ${expected}` };
  const meant = nearest(name, names);
  return {
    option,
    message: `unknown command ${shown(name)}: ${meant === null ? expected : `did you mean ${meant}?`}`,
  };
};

/** The words of a start, checked as far as they can be before the file they may name is read. */
const readStart = (
  { values, operands }: Words,
  mistakes: readonly Mistake[],
  context: CommandLineContext,
): CommandLineSettings => {
  const [command, ...args] = operands;
  const words = { commandLine: values, args, ...(command === undefined ? {} : { command }) };
  // A file may have mistakes as well, and the command: all is checked, and told, when it has been read.
  if (values.has('--config')) return { ...words, mistakes };
  const checked = checkSettings(words, context);
  const all = [...mistakes, ...('mistakes' in checked ? checked.mistakes : [])];
  if (all.length > 0) throw usageError(all);
  return words;
};

/** What says which supervisor is meant, and nothing about how to run one. */
const TARGET_FLAGS: readonly string[] = ['--name', '--pid-file', '--control', '--run-dir'];

const parseRestart = (
  words: Words,
  mistakes: readonly Mistake[],
  context: CommandLineContext,
): ParsedCommandLine => {
  const isTarget = [...words.values.keys()].every((flag) => TARGET_FLAGS.includes(flag));
  if (words.operands.length > 0 || !isTarget || mistakes.length > 0)
    return { command: 'restart', settingsInput: readStart(words, mistakes, context) };
  const { target } = readClient(words, mistakes, context);
  return { command: 'restart', target };
};

/** The number may stand before or after the options. */
const parseScale = (
  spec: CommandSpec,
  first: Words,
  before: readonly Mistake[],
  context: CommandLineContext,
): ParsedCommandLine => {
  const words = interleaved(spec, first, 1);
  const [raw] = words.operands;
  const { values } = words;
  const mistakes = [...before, ...words.mistakes.slice(first.mistakes.length)];
  const workers = Number(raw);
  const isCount = raw !== undefined && /^\d{1,9}$/.test(raw) && workers >= 1 && workers <= MOST_WORKERS;
  if (!isCount) mistakes.push(wrongCount(raw));
  const client = readClient({ ...words, values }, mistakes, context);
  return { ...client, command: 'scale', workers };
};

const wrongCount = (raw: string | undefined): Mistake => {
  const expected = `a whole number from 1 to ${MOST_WORKERS}`;
  return raw === undefined
    ? { option: 'N', message: `N is missing: expected ${expected}` }
    : wrongValue('N', raw, expected);
};

const parseClient = (
  command: string,
  words: Words,
  mistakes: readonly Mistake[],
  context: CommandLineContext,
): ParsedCommandLine => {
  const client = readClient(words, mistakes, context);
  if (command === 'status') return { command, watch: words.values.has('--watch'), ...client };
  return { command: command as 'reload' | 'stop', ...client };
};

const DEFAULT_LINES = 10;
const MOST_LINES = 1_000_000;

const readLines: Reader<number> = (raw) =>
  typeof raw === 'string' && /^\d{1,7}$/.test(raw) && Number(raw) <= MOST_LINES
    ? { value: Number(raw) }
    : { expected: `a whole number from 0 to ${MOST_LINES}` };

const readLogs = (words: Words, before: readonly Mistake[], context: CommandLineContext): LogsArguments => {
  const mistakes = [...before];
  const read = valueReader(words, mistakes);
  const target = readTarget(read, mistakes, context);
  const lines = read('--lines', readLines) ?? DEFAULT_LINES;
  if (mistakes.length > 0) throw usageError(mistakes);
  return { target, lines, follow: words.values.has('--follow'), json: words.values.has('--json') };
};
