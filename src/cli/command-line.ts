/**
 * Reads a command line: which command, with what. Every mistake is told, not only the first.
 */
import { resolve } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { type CommandLineSettings, checkSettings, type SettingsContext } from '../config.js';
import { durationReader } from '../settings/duration.js';
import {
  type Mistake,
  notAvailable,
  type Reader,
  shown,
  usageError,
  wrongValue,
} from '../settings/mistake.js';
import {
  controlPathOf,
  readDirectory,
  readFilePath,
  readName,
  resolveRunDirectory,
} from '../settings/run-directory.js';
import { nearest } from '../settings/suggestion.js';
import { overlong } from '../settings/unix-path.js';
import { buildCommand, PROGRAM } from './command-builder.js';
import { helpText } from './help.js';
import { COMMANDS, type CommandSpec, commandSpec, type OptionSpec } from './options.js';
import type { TargetQuery } from './target.js';

export interface CommandLineContext extends SettingsContext {
  /** Width for the help. */
  readonly columns: number;
}

export interface ClientArguments {
  readonly target: TargetQuery;
  readonly json: boolean;
  /** null: as long as it takes. */
  readonly timeoutMs: number | null;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

export type ParsedCommandLine =
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'version' }
  | { readonly command: 'run'; readonly settingsInput: CommandLineSettings; readonly program: Program }
  | ({ readonly command: 'reload' | 'stop' | 'status' } & ClientArguments);

/** What was read of one command: option words by flag, and the words from the first that is no option. */
interface Words {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/**
 * @param argv the words after the program's name.
 * @throws {TanistError} `TANIST_USAGE` or `TANIST_NOT_AVAILABLE`, with all mistakes.
 */
export const parseCommandLine = (argv: readonly string[], context: CommandLineContext): ParsedCommandLine => {
  const before = readWords(PROGRAM, argv);
  if (before.values.has('--help')) return { command: 'help', text: helpText(PROGRAM, context.columns) };
  if (before.values.has('--version')) return { command: 'version' };
  const [name, ...rest] = before.operands;
  const spec = name === undefined ? undefined : commandSpec(name);
  if (spec === undefined) throw usageError([...before.mistakes, wrongCommand(name)]);
  if (spec.available === false) throw usageError([...before.mistakes, notAvailable(`tanist ${spec.name}`)]);
  const words = readWords(spec, rest);
  if (words.values.has('--help')) return { command: 'help', text: helpText(spec, context.columns) };
  const mistakes = [...before.mistakes, ...words.mistakes];
  return spec.name === 'run'
    ? parseRun(words, mistakes, context)
    : parseClient(spec.name, words, mistakes, context);
};

/** Whether the answer is to be JSON, as far as that can be seen in a command line that may be wrong. */
export const asksForJson = (argv: readonly string[]): boolean =>
  argv[0] !== 'run' && argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');

const wrongCommand = (name: string | undefined): Mistake => {
  const names = COMMANDS.filter(({ available }) => available !== false).map((command) => command.name);
  const expected = `expected ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  const option = '<command>';
  if (name === undefined) return { option, message: `the command is missing: ${expected}` };
  const meant = nearest(name, names);
  return {
    option,
    message: `unknown command ${shown(name)}: ${meant === null ? expected : `did you mean ${meant}?`}`,
  };
};

/** Thrown out of commander's parser: the word after an option is an option itself. */
class ValueMissing extends Error {
  readonly spec: OptionSpec;
  readonly next: string;

  constructor(spec: OptionSpec, next: string) {
    super(`${spec.flag} needs a value`);
    this.spec = spec;
    this.next = next;
  }
}

/** Reads one command's options. The parser stops at each mistake, so it is started again behind it. */
const readWords = (spec: CommandSpec, argv: readonly string[]): Words => {
  const values = new Map<string, string[]>();
  const mistakes: Mistake[] = [];
  const command = buildCommand(spec, (option, value) => {
    if (value?.startsWith('--') && !argv.includes(`${option.flag}=${value}`)) {
      throw new ValueMissing(option, value);
    }
    if (option.available === false) mistakes.push(notAvailable(option.flag));
    else values.set(option.flag, [...(values.get(option.flag) ?? []), value ?? '']);
  });
  let rest = [...argv];
  for (;;) {
    const { operands, unknown, mistake } = readOn(command, rest);
    if (mistake !== undefined) mistakes.push(mistake);
    else if (unknown[0] !== undefined) mistakes.push(unknownOption(spec, unknown[0]));
    else if (operands[0] !== undefined && spec.operands === undefined) {
      mistakes.push(unexpectedWord(operands[0]));
    } else return { values, operands, mistakes };
    rest = mistake === undefined ? withoutFirst(spec, [...unknown, ...operands]) : unknown;
  }
};

/**
 * The words after one that is no option of the command. Where a known option was meant that takes a value, the
 * value goes too: left behind, it would be taken for the command, and hide every mistake after it.
 */
const withoutFirst = (spec: CommandSpec, [first = '', ...rest]: readonly string[]): string[] => {
  const flags = spec.options.map(({ flag }) => flag);
  const meant = first.startsWith('-') && !first.includes('=') ? nearest(first, flags) : null;
  const takesValue = spec.options.some(({ flag, value }) => flag === meant && value !== undefined);
  return takesValue && rest[0]?.startsWith('-') === false ? rest.slice(1) : rest;
};

/** Reads as far as possible; a value that is missing is a mistake, and what follows it is still unknown. */
const readOn = (
  command: Command,
  words: string[],
): { operands: string[]; unknown: string[]; mistake?: Mistake } => {
  try {
    return command.parseOptions(words);
  } catch (thrown) {
    if (thrown instanceof ValueMissing) {
      const { spec, next } = thrown;
      const at = words.findIndex((word, index) => word === spec.flag && words[index + 1] === next);
      const mistake = spec.available === false ? notAvailable(spec.flag) : valueMissing(spec.flag, next);
      return { operands: [], unknown: words.slice(at + 1), mistake };
    }
    if (thrown instanceof CommanderError && thrown.code === 'commander.optionMissingArgument') {
      return { operands: [], unknown: [], mistake: valueMissing(words.at(-1) ?? '', undefined) };
    }
    throw thrown;
  }
};

const valueMissing = (option: string, next: string | undefined): Mistake => ({
  option,
  message: `${option} needs a value, but ${next === undefined ? 'the line ends' : `${shown(next)} follows`}`,
});

const unknownOption = (spec: CommandSpec, word: string): Mistake => {
  const option = word.replace(/=.*$/s, '');
  const flags = spec.options.filter(({ available }) => available !== false).map(({ flag }) => flag);
  if (spec.options.some(({ flag }) => flag === option)) {
    return { option, message: `${shown(word)}: expected no value, ${option} is a switch` };
  }
  const owner = COMMANDS.find(({ options }) => options.some(({ flag }) => flag === option));
  const meant = nearest(option, flags);
  if (meant !== null) return { option, message: `unknown option ${option}: did you mean ${meant}?` };
  const elsewhere =
    owner === undefined ? '' : `: it belongs to tanist ${owner.name}, after the command's name`;
  return { option, message: `unknown option ${option}${elsewhere}` };
};

const unexpectedWord = (word: string): Mistake => ({
  option: word,
  message: `unexpected word ${shown(word)}: did you mean --name ${word}?`,
});

const parseRun = (
  { values, operands }: Words,
  mistakes: readonly Mistake[],
  context: CommandLineContext,
): ParsedCommandLine => {
  const [command, ...args] = operands;
  const settingsInput = { commandLine: values, args, ...(command === undefined ? {} : { command }) };
  const checked = checkSettings(settingsInput, context);
  const all = [...mistakes, ...('mistakes' in checked ? checked.mistakes : [])];
  if (all.length > 0 || command === undefined) throw usageError(all);
  return { command: 'run', settingsInput, program: { command, args } };
};

const parseClient = (
  command: string,
  words: Words,
  before: readonly Mistake[],
  context: CommandLineContext,
): ParsedCommandLine => {
  const mistakes = [...before];
  const read = <T>(flag: string, reader: Reader<T>): T | undefined => {
    const raw = words.values.get(flag)?.at(-1);
    if (raw === undefined) return undefined;
    const reading = reader(raw, true);
    if ('value' in reading) return reading.value;
    mistakes.push(wrongValue(flag, raw, reading.expected));
    return undefined;
  };
  const target = readTarget(read, mistakes, context);
  const timeoutMs = read('--timeout', durationReader(1)) ?? null;
  if (mistakes.length > 0) throw usageError(mistakes);
  const json = words.values.has('--json');
  return { command: command as 'reload' | 'stop' | 'status', target, json, timeoutMs };
};

const readTarget = (
  read: <T>(flag: string, reader: Reader<T>) => T | undefined,
  mistakes: Mistake[],
  context: CommandLineContext,
): TargetQuery => {
  const name = read('--name', readName);
  const pidFile = read('--pid-file', readFilePath);
  const runDirectory = resolveRunDirectory(read('--run-dir', readDirectory), context);
  if (name !== undefined && pidFile !== undefined) {
    const message = `--name ${shown(name)} and --pid-file ${shown(pidFile)}: expected only one of them`;
    mistakes.push({ option: '--name', message });
  }
  if (pidFile !== undefined) {
    const absolute = resolve(context.cwd, pidFile);
    const expected = overlong(controlPathOf(absolute), context.platform);
    if (expected !== null) mistakes.push(wrongValue('--pid-file', pidFile, expected));
    return { kind: 'pid-file', pidFile: absolute };
  }
  if ('expected' in runDirectory) {
    mistakes.push({ option: '--run-dir', message: `--run-dir: expected ${runDirectory.expected}` });
    return { kind: 'only', runDirectory: '' };
  }
  return name === undefined
    ? { kind: 'only', runDirectory: runDirectory.value }
    : { kind: 'name', name, runDirectory: runDirectory.value };
};
