/**
 * The table of settings: for each its key in a program, its flag on a command line and its reader.
 */
import { durationReader } from './duration.js';
import { type Mistake, notAvailable, type Reader, wrongValue } from './mistake.js';
import {
  choiceReader,
  MOST_RESPAWNS,
  MOST_WORKERS,
  NOT_A_FAREWELL,
  readFilePaths,
  readReadiness,
  readRespawnLimit,
  readSignal,
  readSwitch,
  readUmask,
  readWorkers,
} from './readers.js';
import { readDirectory, readFilePath, readName } from './run-directory.js';
import {
  choiceSchema,
  durationSchema,
  listSchema,
  nameSchema,
  pathSchema,
  readinessSchema,
  respawnLimitSchema,
  type Schema,
  signalSchema,
  switchSchema,
  umaskSchema,
  workersSchema,
} from './schemas.js';
import { nearest } from './suggestion.js';
import {
  type CommandLineSettings,
  LOG_LEVELS,
  type SupervisorOptions,
  UNAVAILABLE_KEYS,
} from './supervisor-options.js';

/**
 * Every setting but the listeners: its flag on the command line, its reader, and what it may be in a file.
 *
 * A setting with `repeatable` gets every word that was given; of others the last one counts.
 */
const FIELDS = {
  name: { flag: '--name', read: readName, schema: nameSchema },
  runDir: { flag: '--run-dir', read: readDirectory, schema: pathSchema },
  pidFile: { flag: '--pid-file', read: readFilePath, schema: pathSchema },
  workers: { flag: '--workers', read: readWorkers, schema: workersSchema(MOST_WORKERS) },
  handoff: {
    flag: '--handoff',
    read: choiceReader('overlap', 'exclusive'),
    schema: choiceSchema('overlap', 'exclusive'),
  },
  ready: { flag: '--ready', read: readReadiness, schema: readinessSchema },
  startTimeoutMs: { flag: '--start-timeout', read: durationReader(1), schema: durationSchema(1) },
  reloadTimeoutMs: { flag: '--reload-timeout', read: durationReader(1), schema: durationSchema(1) },
  takeoverTimeoutMs: { flag: '--takeover-timeout', read: durationReader(1), schema: durationSchema(1) },
  drainTimeoutMs: { flag: '--drain-timeout', read: durationReader(0), schema: durationSchema(0) },
  respawnDelayMs: { flag: '--respawn-delay', read: durationReader(0), schema: durationSchema(0) },
  respawn: {
    flag: '--respawn',
    read: choiceReader('adaptive', 'fixed'),
    schema: choiceSchema('adaptive', 'fixed'),
  },
  respawnLimit: {
    flag: '--respawn-limit',
    read: readRespawnLimit,
    schema: respawnLimitSchema(MOST_RESPAWNS),
  },
  pingTimeoutMs: { flag: '--ping-timeout', read: durationReader(1), schema: durationSchema(1) },
  stopSignal: { flag: '--stop-signal', read: readSignal, schema: signalSchema(NOT_A_FAREWELL) },
  envFile: { flag: '--env-file', read: readFilePaths, schema: listSchema(pathSchema), repeatable: true },
  chdir: { flag: '--chdir', read: readDirectory, schema: pathSchema },
  umask: { flag: '--umask', read: readUmask, schema: umaskSchema },
  logLevel: { flag: '--log-level', read: choiceReader(...LOG_LEVELS), schema: choiceSchema(...LOG_LEVELS) },
  noWarn: { flag: '--no-warn', read: readSwitch, schema: switchSchema },
} as const satisfies Readonly<Record<string, Field>>;

interface Field {
  readonly flag: `--${string}`;
  readonly read: Reader<unknown>;
  readonly schema: Schema;
  readonly repeatable?: true;
}

export type Key = keyof typeof FIELDS;
export type Values = {
  [K in Key]?: (typeof FIELDS)[K]['read'] extends Reader<infer T> ? T : never;
};

/** The flags that lead to a setting. */
export const SETTING_FLAGS: readonly string[] = [
  '--listen',
  ...Object.values(FIELDS).map(({ flag }) => flag),
];

/** The keys of all settings that are available, besides `command` and `args`. */
export const SETTING_KEYS: readonly string[] = ['listen', ...Object.keys(FIELDS)];

const flagOf = (key: Key | 'listen'): string => (key === 'listen' ? '--listen' : FIELDS[key].flag);
const isRepeatable = (key: Key | 'listen'): boolean => key === 'listen' || 'repeatable' in FIELDS[key];

/** What was given, before it is read. */
export interface Given {
  readonly written: boolean;
  readonly value: (key: Key | 'listen') => unknown;
  /** How the one who gave it calls a setting. */
  readonly spell: (key: Key | 'listen' | 'command') => string;
  readonly command: unknown;
  readonly args: unknown;
  readonly mistakes: readonly Mistake[];
}

/** The words of a command line, by flag. */
export const fromCommandLine = (input: CommandLineSettings): Given => {
  return {
    written: true,
    // As everywhere, the last of several values wins: a script may append to what it was given.
    value: (key) => {
      const words = input.commandLine.get(flagOf(key));
      return isRepeatable(key) ? words : words?.at(-1);
    },
    spell: (key) => (key === 'command' ? '<command>' : flagOf(key)),
    command: input.command,
    args: input.args,
    mistakes: [],
  };
};

/** A program's options, by key; what is none of them is a mistake. */
export const fromOptions = (options: SupervisorOptions): Given => {
  const raws: Readonly<Record<string, unknown>> = { ...options };
  const known = ['command', 'args', ...SETTING_KEYS];
  const others = Object.keys(raws).filter((key) => raws[key] !== undefined && !known.includes(key));
  return {
    written: false,
    value: (key) => raws[key],
    spell: (key) => key,
    command: raws.command,
    args: raws.args ?? [],
    mistakes: others.map((key) =>
      UNAVAILABLE_KEYS.includes(key) ? notAvailable(key) : unknownKey(key, known),
    ),
  };
};

const unknownKey = (key: string, known: readonly string[]): Mistake => {
  const meant = nearest(key, known);
  return { option: key, message: `unknown option ${key}${meant === null ? '' : `: did you mean ${meant}?`}` };
};

/** Reads every field that was given. */
export const readFields = (given: Given): { values: Values; mistakes: Mistake[] } => {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const key of Object.keys(FIELDS) as Key[]) {
    const raw = given.value(key);
    if (raw === undefined) continue;
    const reading = FIELDS[key].read(raw, given.written);
    if ('expected' in reading) mistakes.push(wrongValue(given.spell(key), raw, reading.expected));
    else values[key] = reading.value;
  }
  return { values: values as Values, mistakes };
};
