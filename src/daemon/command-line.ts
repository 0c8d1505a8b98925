/**
 * The command line of a daemon: tanist's own options and the program's, read with one parser, told in one help.
 */
import { basename } from 'node:path';
import { checkSettings, type SettingsContext } from '../config.js';
import { formatDuration } from '../settings/duration.js';
import { keyOfFlag } from '../settings/fields.js';
import { type Mistake, usageError } from '../settings/mistake.js';
import type { CommandLineSettings } from '../settings/supervisor-options.js';
import { commandSpec } from '../words/command-table.js';
import { helpText } from '../words/help.js';
import type { CommandSpec, OptionSpec } from '../words/options.js';
import { readWords, type StrangeWords, type Words } from '../words/words.js';
import { settingsIn } from './declaration.js';
import type { DaemonDefinition } from './definition.js';
import { defaultText, flagOfName, OPTION_TYPES, readOptions } from './option-values.js';

/** What the program is and how it was started: the workers are started in the same way. */
export interface OwnCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The path of the script, as it was named. */
  readonly script: string;
}

/** Options of `tanist run` that a daemon decides in its code. */
const DECIDED: readonly string[] = ['--adopt', '--no-adopt', '--no-hot-reload'];

/** The reference detaches unless it is told not to. */
const NO_FORK: OptionSpec = {
  flag: '--no-fork',
  group: 'Options',
  doc: 'Stay in the foreground, as without --daemonize.',
};

const runOptions = (): readonly OptionSpec[] => commandSpec('run')?.options ?? [];

/** True for options of tanist, those of later versions included. */
export const isBuiltIn = (flag: string): boolean =>
  [NO_FORK, ...runOptions()].some((option) => option.flag === flag);

const shownDefault = (value: unknown, isDuration: boolean): string => {
  if (isDuration && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** An option of tanist, with the default that the program brings along. */
const builtIn = (option: OptionSpec, defaults: Readonly<Record<string, unknown>>): OptionSpec => {
  const key = keyOfFlag(option.flag);
  const value = key === null ? undefined : defaults[key];
  return value === undefined ? option : { ...option, fallback: shownDefault(value, option.value === 'D') };
};

const ownOptions = ({ options = {} }: DaemonDefinition): readonly OptionSpec[] =>
  Object.entries(options).map(([name, declaration]): OptionSpec => {
    const { value } = OPTION_TYPES[declaration.type];
    const fallback = defaultText(declaration);
    return {
      flag: flagOfName(name),
      group: 'Options',
      doc: declaration.documentation,
      ...(value === undefined ? {} : { value }),
      ...(fallback === undefined ? {} : { fallback }),
    };
  });

/** The table of all options, sorted by name. */
export const specOf = (definition: DaemonDefinition, script: string): CommandSpec => {
  const defaults = settingsIn(definition);
  const options = [
    NO_FORK,
    ...ownOptions(definition),
    ...runOptions()
      .filter(({ flag }) => !DECIDED.includes(flag))
      .map((option) => builtIn(option, defaults)),
  ];
  return {
    name: 'daemon',
    calledAs: basename(script),
    doc: definition.documentation.trim(),
    options: options
      .map((option) => ({ ...option, group: 'Options' }))
      .sort((one, other) => (one.flag < other.flag ? -1 : 1)),
  };
};

const strangeWords: StrangeWords = {
  option: () => '',
  operand: () => 'expected options alone',
};

/** The program's options and nothing else: what a worker needs, whose supervisor has read all of them. */
export const readOwnOptions = (
  definition: DaemonDefinition,
  argv: readonly string[],
): Readonly<Record<string, unknown>> => {
  const words = readWords(specOf(definition, definition.name), argv, strangeWords);
  const { values, mistakes } = readOptions(definition.options ?? {}, words.values);
  if (mistakes.length > 0) throw usageError(mistakes);
  return values;
};

export type DaemonLine =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'run'; readonly settings: CommandLineSettings };

/**
 * Reads a whole command line.
 *
 * @throws {TanistError} `TANIST_USAGE` with all mistakes.
 */
export const readDaemonLine = (
  definition: DaemonDefinition,
  { command, args, script }: OwnCommand,
  argv: readonly string[],
  context: SettingsContext & { readonly columns: number },
): DaemonLine => {
  const spec = specOf(definition, script);
  const words = readWords(spec, argv, strangeWords);
  if (words.values.has('--help')) return { kind: 'help', text: helpText(spec, context.columns) };
  const mistakes = [
    ...words.mistakes,
    ...readOptions(definition.options ?? {}, words.values).mistakes,
    ...forkMistakes(words),
  ];
  const foreign = [NO_FORK, ...ownOptions(definition)].map(({ flag }): string => flag);
  const settings: CommandLineSettings = {
    commandLine: new Map([...words.values].filter(([flag]) => !foreign.includes(flag))),
    command,
    args,
    defaults: defaultsFor(definition, words),
    own: { script, words: argv },
  };
  // A file may have mistakes as well: all is checked, and told, when it has been read.
  if (words.values.has('--config')) return { kind: 'run', settings: { ...settings, mistakes } };
  const checked = checkSettings(settings, context);
  const all = [...mistakes, ...('mistakes' in checked ? checked.mistakes : [])];
  if (all.length > 0) throw usageError(all);
  return { kind: 'run', settings };
};

const defaultsFor = (definition: DaemonDefinition, words: Words): Readonly<Record<string, unknown>> => {
  const { daemonize, ...others } = settingsIn(definition);
  return daemonize === undefined || words.values.has('--no-fork') ? others : { ...others, daemonize };
};

const forkMistakes = ({ values }: Words): readonly Mistake[] =>
  values.has('--no-fork') && values.has('--daemonize')
    ? [{ option: '--no-fork', message: '--no-fork and --daemonize: expected only one of them' }]
    : [];
