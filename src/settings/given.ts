/**
 * Where settings come from: a command line with or without a configuration file, or a program's options.
 */

import { EMBEDDING_KEYS } from '../embedding.js';
import {
  FIELD_KEYS,
  flagOf,
  isRepeatable,
  type Key,
  KNOWN_KEYS,
  offFlagOf,
  PROGRAM_KEYS,
  readField,
  type Values,
} from './fields.js';
import { type Mistake, wrongValue } from './mistake.js';
import { CONTRADICTION, OFF } from './readers.js';
import { nearest } from './suggestion.js';
import type { CommandLineSettings, SupervisorOptions } from './supervisor-options.js';

/** What was given, before it is read. */
export interface Given {
  readonly value: (key: Key | 'listen') => unknown;
  /** Whether the value is a word of a command line. */
  readonly written: (key: Key | 'listen') => boolean;
  /** How the one who gave it calls a setting. */
  readonly spell: (key: Key | 'listen' | 'command' | 'args') => string;
  readonly command: unknown;
  readonly args: unknown;
  readonly mistakes: readonly Mistake[];
}

/**
 * The words of a command line, by flag; for what it does not say the values of the configuration file, and for what
 * neither says those that the program brings along.
 */
export const fromCommandLine = (input: CommandLineSettings): Given => {
  const file = input.configFile ?? { path: '', values: {} };
  const wordsOf = (key: Key | 'listen') => {
    const words = input.commandLine.get(flagOf(key));
    const off = offFlagOf(key);
    if (off === undefined || !input.commandLine.has(off)) return words;
    return words === undefined ? [OFF] : [CONTRADICTION];
  };
  const defaults = input.defaults ?? {};
  const kept = (key: Key | 'listen') => (file.values[key] === undefined ? defaults : file.values)[key];
  const written = (key: Key | 'listen') => wordsOf(key) !== undefined || kept(key) === undefined;
  const inFile = input.command === undefined && file.values.command !== undefined;
  return {
    value: (key) => {
      const words = wordsOf(key);
      if (words === undefined) return kept(key);
      // As everywhere, the last of several values wins: a script may append to what it was given.
      return isRepeatable(key) ? words : words.at(-1);
    },
    written,
    spell: (key) => {
      if (key === 'args') return inFile ? `${file.path}: args` : 'args';
      if (key === 'command') return inFile ? `${file.path}: command` : '<command>';
      if (written(key)) return flagOf(key);
      return file.values[key] === undefined ? key : `${file.path}: ${key}`;
    },
    command: input.command ?? file.values.command,
    args: inFile && file.values.args !== undefined ? file.values.args : input.args,
    mistakes: [
      ...(input.mistakes ?? []),
      ...unknownKeys(file.values, ['$schema', ...KNOWN_KEYS], `${file.path}: `),
    ],
  };
};

/** A program's options, by key; what is none of them is a mistake. */
export const fromOptions = (options: SupervisorOptions): Given => {
  const raws: Readonly<Record<string, unknown>> = { ...options };
  return {
    value: (key) => (PROGRAM_KEYS.includes(key) ? raws[key] : undefined),
    written: () => false,
    spell: (key) => key,
    command: raws.command,
    args: raws.args === undefined ? [] : raws.args,
    mistakes: unknownKeys(raws, PROGRAM_KEYS, ''),
  };
};

/** @param place where the keys were found, as a beginning of the message. */
const unknownKeys = (
  raws: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: string,
): Mistake[] =>
  Object.keys(raws)
    .filter((key) => raws[key] !== undefined && !known.includes(key))
    .map((key) => unknownKey(key, known, place));

const unknownKey = (key: string, known: readonly string[], place: string): Mistake => {
  const option = `${place}${key}`;
  if (key === 'config') return { option, message: `${option} belongs to the command line: --config FILE` };
  if (place === '' && EMBEDDING_KEYS.includes(key))
    return {
      option,
      message: `${key} belongs to the second argument: createSupervisor(options, { ${key} })`,
    };
  const meant = nearest(key, known);
  const hint = meant === null ? '' : `: did you mean ${meant}?`;
  return { option, message: `${place}unknown option ${key}${hint}` };
};

/** Reads every field that was given. */
export const readFields = (given: Given): { values: Values; mistakes: Mistake[] } => {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const key of FIELD_KEYS) {
    const raw = given.value(key);
    if (raw === undefined) continue;
    const reading = readField(key, raw, given.written(key));
    if ('expected' in reading) mistakes.push(wrongValue(given.spell(key), raw, reading.expected));
    else values[key] = reading.value;
  }
  return { values: values as Values, mistakes };
};
