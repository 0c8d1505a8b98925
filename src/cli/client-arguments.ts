/**
 * What commands have in common that ask something of a supervisor, or of what it left: which one, and how to answer.
 */
import { resolve } from 'node:path';
import type { TargetQuery } from '../client/target.js';
import type { SettingsContext } from '../config.js';
import { durationReader } from '../settings/duration.js';
import { type Mistake, type Reader, shown, usageError, wrongValue } from '../settings/mistake.js';
import {
  controlPathOf,
  isNamed,
  ROOTS_RUN_DIRECTORY,
  readDirectory,
  readFilePath,
  readName,
  resolveRunDirectory,
} from '../settings/run-directory.js';
import { overlong } from '../settings/unix-path.js';
import { COMMANDS } from '../words/command-table.js';
import type { CommandSpec } from '../words/options.js';
import { readWords, type StrangeWords, type Words } from '../words/words.js';

export interface ClientArguments {
  readonly target: TargetQuery;
  readonly json: boolean;
  /** null: as long as it takes. */
  readonly timeoutMs: number | null;
}

/** What the words of tanist's own commands could have been. */
export const strangeWords: StrangeWords = {
  option: (option) => {
    const owner = COMMANDS.find(({ options }) => options.some(({ flag }) => flag === option));
    return owner === undefined ? '' : `: it belongs to tanist ${owner.name}, after the command's name`;
  },
  operand: (word) => `did you mean --name ${word}?`,
};

/** Words that are no options may stand before, behind and between those that are: at most so many of them. */
export const interleaved = (spec: CommandSpec, words: Words, most: number): Words => {
  const operands: string[] = [];
  let all = words;
  while (all.operands.length > 0) {
    const [first = '', ...rest] = all.operands;
    operands.push(first);
    // Behind the last one a word that is no option is a mistake.
    const { operands: placeholder, ...onlyOptions } = spec;
    const more = readWords(operands.length < most ? spec : onlyOptions, rest, strangeWords);
    all = {
      operands: more.operands,
      values: new Map([...all.values, ...more.values]),
      mistakes: [...all.mistakes, ...more.mistakes],
    };
  }
  return { ...all, operands };
};

/** Reads single values, and notes what is wrong with them. */
export const valueReader =
  (words: Words, mistakes: Mistake[]) =>
  <T>(flag: string, reader: Reader<T>): T | undefined => {
    const raw = words.values.get(flag)?.at(-1);
    if (raw === undefined) return undefined;
    const reading = reader(raw, true);
    if ('value' in reading) return reading.value;
    mistakes.push(wrongValue(flag, raw, reading.expected));
    return undefined;
  };

export const readClient = (
  words: Words,
  before: readonly Mistake[],
  context: SettingsContext,
): ClientArguments => {
  const mistakes = [...before];
  const read = valueReader(words, mistakes);
  const target = readTarget(read, mistakes, context);
  const timeoutMs = read('--timeout', durationReader(1)) ?? null;
  if (mistakes.length > 0) throw usageError(mistakes);
  return { target, json: words.values.has('--json'), timeoutMs };
};

export const readTarget = (
  read: <T>(flag: string, reader: Reader<T>) => T | undefined,
  mistakes: Mistake[],
  context: SettingsContext,
): TargetQuery => {
  const name = read('--name', readName);
  const pidFile = read('--pid-file', readFilePath);
  const control = read('--control', readFilePath);
  const named = read('--run-dir', readDirectory);
  const runDirectory = resolveRunDirectory(named, context);
  const given = Object.entries({ '--name': name, '--pid-file': pidFile, '--control': control }).filter(
    ([, value]) => value !== undefined,
  );
  const [first] = given;
  if (first !== undefined && given.length > 1) {
    const words = given.map(([flag, value]) => `${flag} ${shown(value)}`).join(' and ');
    mistakes.push({ option: first[0], message: `${words}: expected only one of them` });
  }
  /** An absolute path, whose socket the system has to take. */
  const path = (flag: string, raw: string, socketOf: (path: string) => string): string => {
    const absolute = resolve(context.cwd, raw);
    const expected = overlong(socketOf(absolute), context.platform);
    if (expected !== null) mistakes.push(wrongValue(flag, raw, expected));
    return absolute;
  };
  if (control !== undefined)
    return { kind: 'control', controlPath: path('--control', control, (socket) => socket) };
  if (pidFile !== undefined) return { kind: 'pid-file', pidFile: path('--pid-file', pidFile, controlPathOf) };
  if ('expected' in runDirectory) {
    mistakes.push({ option: '--run-dir', message: `--run-dir: expected ${runDirectory.expected}` });
    return { kind: 'only', runDirectory: '' };
  }
  const directories = {
    runDirectory: runDirectory.value,
    // Where nobody named another directory, daemons that root has started for this user are his to ask as well.
    ...(isNamed(named, context) || context.uid === 0 ? {} : { rootsDirectory: ROOTS_RUN_DIRECTORY }),
  };
  return name === undefined ? { kind: 'only', ...directories } : { kind: 'name', name, ...directories };
};
