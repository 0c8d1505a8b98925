/**
 * The table of settings: for each its key in a program, its flag on a command line and its reader.
 */
import { MOST_WORKERS } from '../../machines/policy.js';
import { accountReader, accountSchema } from './account.js';
import { durationReader } from './duration.js';
import type { Reader, Reading } from './mistake.js';
import {
  choiceReader,
  MOST_RESPAWNS,
  NOT_A_FAREWELL,
  readFilePaths,
  readHealth,
  readPage,
  readReadiness,
  readRespawnLimit,
  readSignal,
  readStandby,
  readSwitch,
  readToggle,
  readUmask,
  readWorkers,
} from './readers.js';
import { readDirectory, readFilePath, readName } from './run-directory.js';
import {
  choiceSchema,
  durationSchema,
  filePathSchema,
  healthSchema,
  listenSchema,
  listSchema,
  nameSchema,
  pageSchema,
  pathSchema,
  readinessSchema,
  respawnLimitSchema,
  type Schema,
  signalSchema,
  sizeSchema,
  standbySchema,
  switchSchema,
  umaskSchema,
  wordSchema,
  workersSchema,
} from './schemas.js';
import { LEAST_JOURNAL_BYTES, LEAST_MEMORY_BYTES, sizeReader } from './size.js';
import { LOG_LEVELS } from './supervisor-options.js';

/**
 * Every setting but the listeners: its flag on the command line, its reader, and what it may be in a file.
 *
 * A setting with `repeatable` gets every word that was given; of others the last one counts.
 */
const FIELDS = {
  name: { flag: '--name', read: readName, schema: nameSchema },
  runDir: { flag: '--run-dir', read: readDirectory, schema: pathSchema },
  pidFile: { flag: '--pid-file', read: readFilePath, schema: filePathSchema },
  noPidFile: { flag: '--no-pid-file', read: readSwitch, schema: switchSchema },
  control: { flag: '--control', read: readFilePath, schema: filePathSchema },
  workers: { flag: '--workers', read: readWorkers, schema: workersSchema(MOST_WORKERS) },
  standby: { flag: '--standby', read: readStandby, schema: standbySchema(MOST_WORKERS) },
  handoff: {
    flag: '--handoff',
    read: choiceReader('overlap', 'exclusive'),
    schema: choiceSchema('overlap', 'exclusive'),
  },
  noHotReload: { flag: '--no-hot-reload', read: readSwitch, schema: switchSchema },
  ready: { flag: '--ready', read: readReadiness, schema: readinessSchema },
  startTimeoutMs: { flag: '--start-timeout', read: durationReader(1), schema: durationSchema(1) },
  reloadTimeoutMs: { flag: '--reload-timeout', read: durationReader(1), schema: durationSchema(1) },
  takeoverTimeoutMs: { flag: '--takeover-timeout', read: durationReader(1), schema: durationSchema(1) },
  drainTimeoutMs: { flag: '--drain-timeout', read: durationReader(0), schema: durationSchema(0) },
  probationMs: { flag: '--probation', read: durationReader(0), schema: durationSchema(0) },
  health: { flag: '--health', read: readHealth, schema: healthSchema },
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
  watchdogMs: { flag: '--watchdog', read: durationReader(1), schema: durationSchema(1) },
  maxMemory: {
    flag: '--max-memory',
    read: sizeReader(LEAST_MEMORY_BYTES),
    schema: sizeSchema(LEAST_MEMORY_BYTES),
  },
  pingTimeoutMs: { flag: '--ping-timeout', read: durationReader(1), schema: durationSchema(1) },
  stopSignal: { flag: '--stop-signal', read: readSignal, schema: signalSchema(NOT_A_FAREWELL) },
  envFile: { flag: '--env-file', read: readFilePaths, schema: listSchema(filePathSchema), repeatable: true },
  adopt: { flag: '--adopt', off: '--no-adopt', read: readToggle, schema: switchSchema },
  user: { flag: '--user', read: accountReader('user'), schema: accountSchema },
  group: { flag: '--group', read: accountReader('group'), schema: accountSchema },
  chdir: { flag: '--chdir', read: readDirectory, schema: pathSchema },
  umask: { flag: '--umask', read: readUmask, schema: umaskSchema },
  anchor: { flag: '--anchor', off: '--no-anchor', read: readToggle, schema: switchSchema },
  logLevel: { flag: '--log-level', read: choiceReader(...LOG_LEVELS), schema: choiceSchema(...LOG_LEVELS) },
  logFile: { flag: '--log-file', read: readFilePath, schema: pathSchema },
  journalLimit: {
    flag: '--journal-limit',
    read: sizeReader(LEAST_JOURNAL_BYTES),
    schema: sizeSchema(LEAST_JOURNAL_BYTES),
  },
  journal: { flag: '--journal', read: readFilePath, schema: pathSchema },
  daemonize: { flag: '--daemonize', read: readSwitch, schema: switchSchema },
  inspect: { flag: '--inspect', read: readPage, schema: pageSchema, startsOnly: true },
  inspectControl: { flag: '--inspect-control', read: readSwitch, schema: switchSchema, startsOnly: true },
  noWarn: { flag: '--no-warn', read: readSwitch, schema: switchSchema },
} as const satisfies Readonly<Record<string, Field>>;

interface Field {
  readonly flag: `--${string}`;
  readonly read: Reader<unknown>;
  readonly schema: Schema;
  readonly repeatable?: true;
  /** A switch that may be turned off: this flag does it. */
  readonly off?: `--no-${string}`;
  /** For a command line and its file: a program that supervises opens the page itself, or none. */
  readonly startsOnly?: true;
}

export type Key = keyof typeof FIELDS;
export type Values = {
  [K in Key]?: (typeof FIELDS)[K]['read'] extends Reader<infer T> ? T : never;
};

/** The flags that lead to a setting. */
export const SETTING_FLAGS: readonly string[] = [
  '--listen',
  ...Object.values<Field>(FIELDS).flatMap(({ flag, off }) => (off === undefined ? [flag] : [flag, off])),
];

/** The keys of all settings that are available, besides `command` and `args`. */
export const SETTING_KEYS: readonly string[] = ['listen', ...Object.keys(FIELDS)];

/** What a file may say: every setting, and the workers' command. */
export const KNOWN_KEYS: readonly string[] = ['command', 'args', ...SETTING_KEYS];

/** What a program may say. */
export const PROGRAM_KEYS: readonly string[] = KNOWN_KEYS.filter(
  (key) => (FIELDS as Readonly<Record<string, Field>>)[key]?.startsOnly !== true,
);

/** For each key of a configuration file its flag, if it has one, and what it may be. */
export const FILE_KEYS: readonly { readonly key: string; readonly flag?: string; readonly schema: Schema }[] =
  [
    { key: 'command', schema: { ...wordSchema, minLength: 1 } },
    { key: 'args', schema: { type: 'array', items: wordSchema } },
    { key: 'listen', flag: '--listen', schema: listSchema(listenSchema) },
    ...Object.entries(FIELDS).map(([key, { flag, schema }]) => ({ key, flag, schema })),
  ];

export const flagOf = (key: Key | 'listen'): string => (key === 'listen' ? '--listen' : FIELDS[key].flag);

/** The flag that turns a setting off, where there is one. */
export const offFlagOf = (key: Key | 'listen'): string | undefined =>
  key === 'listen' ? undefined : (FIELDS[key] as Field).off;

/** The key a flag leads to; null for one that leads to no setting. */
export const keyOfFlag = (flag: string): Key | 'listen' | null =>
  flag === '--listen' ? 'listen' : (FIELD_KEYS.find((key) => FIELDS[key].flag === flag) ?? null);

export const isRepeatable = (key: Key | 'listen'): boolean => key === 'listen' || 'repeatable' in FIELDS[key];

/** Reads the one value of a field. */
export const readField = (key: Key, raw: unknown, written: boolean): Reading<unknown> =>
  FIELDS[key].read(raw, written);

export const FIELD_KEYS = Object.keys(FIELDS) as Key[];
