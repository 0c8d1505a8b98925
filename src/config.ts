/**
 * From options to settings: everything is checked before anything is started, and all mistakes are told at once.
 *
 * A program's options and a command line go through the same readers, so they cannot drift apart.
 */
import { dirname, join, resolve } from 'node:path';
import { type Account, DEFAULTS, MAX_DURATION_MS, type Settings } from '../machines/policy.js';
import type { Surroundings } from './program.js';
import { readAccount } from './settings/account.js';
import type { Key, Values } from './settings/fields.js';
import { fromCommandLine, fromOptions, type Given, readFields } from './settings/given.js';
import { readListeners } from './settings/listen-spec.js';
import { type Mistake, type Reading, shown, usageError, wrongValue } from './settings/mistake.js';
import { takesNodeOptions } from './settings/node-program.js';
import {
  controlPathOf,
  defaultName,
  pidFileOf,
  resolveRunDirectory,
  type SettingsContext,
} from './settings/run-directory.js';
import type { CommandLineSettings, LogLevel, SupervisorOptions } from './settings/supervisor-options.js';
import { overlong } from './settings/unix-path.js';

export type { SettingsContext } from './settings/run-directory.js';
export type { CommandLineSettings, LogLevel, SupervisorOptions } from './settings/supervisor-options.js';

export interface ResolvedSettings {
  readonly settings: Settings;
  readonly logLevel: LogLevel;
  readonly noWarn: boolean;
  /** Absolute; null for standard error. */
  readonly logFile: string | null;
  /** Detach, and wait until every worker is ready. */
  readonly daemonize: boolean;
  /** The directory in the run directory that belongs to the user of `user`; null where none does. */
  readonly ownDirectory: string | null;
  /** The workers' command, as it was given. */
  readonly program: { readonly command: string; readonly args: readonly string[] };
  readonly surroundings: Surroundings;
}

/**
 * Settings from the options of a program or the words of a command line.
 *
 * @throws {TanistError} `TANIST_USAGE` with every mistake, or `TANIST_NOT_AVAILABLE` when the only mistakes are
 *   options that this version does not have yet.
 */
export const resolveSettings = (
  input: SupervisorOptions | CommandLineSettings,
  context: SettingsContext,
): ResolvedSettings => {
  const checked = checkSettings(input, context);
  if ('mistakes' in checked) throw usageError(checked.mistakes);
  return checked;
};

/** The same, with the mistakes as a value. */
export const checkSettings = (
  input: SupervisorOptions | CommandLineSettings,
  context: SettingsContext,
): ResolvedSettings | { readonly mistakes: readonly Mistake[] } => {
  const given = 'commandLine' in input ? fromCommandLine(input) : fromOptions(input);
  const fields = readFields(given);
  const listeners = readListeners(given.spell('listen'), listed(given.value('listen')), context);
  const identity = readAccount(given, fields.values, context);
  const place = placeOf(given, fields.values, context, identity.account);
  const mistakes = [
    ...given.mistakes,
    ...fields.mistakes,
    ...listeners.mistakes,
    ...commandMistakes(given),
    ...place.mistakes,
    ...identity.mistakes,
    ...contradictions(given, fields.values),
    ...detachmentMistakes(given, fields.values, listeners.listen),
  ];
  if (mistakes.length > 0) return { mistakes };
  const { values } = fields;
  const noWarn = (values.noWarn ?? false) && !isOverruled(given, 'noWarn', 'logLevel');
  return {
    settings: withDefaults(values, {
      name: place.name,
      pidFile: place.pidFile,
      listen: listeners.listen,
      // Whoever typed a command waits for its process, unless he has detached it.
      anchor: values.anchor ?? ('commandLine' in input && values.daemonize !== true),
      account: identity.account,
    }),
    logLevel: noWarn ? 'error' : (values.logLevel ?? 'info'),
    noWarn,
    logFile: logFileOf(values, place.pidFile, context.cwd),
    daemonize: values.daemonize ?? false,
    ownDirectory: place.own,
    program: { command: String(given.command), args: given.args as readonly string[] },
    surroundings: {
      envFiles: (values.envFile ?? []).map((path) => resolve(context.cwd, path)),
      chdir: values.chdir === undefined ? null : resolve(context.cwd, values.chdir),
      umask: values.umask ?? null,
      variables: identity.variables,
      adopt: values.adopt ?? null,
    },
  };
};

/** A daemon has no standard error to speak of: its log is beside its pid file. */
const logFileOf = ({ logFile, daemonize }: Values, pidFile: string, cwd: string): string | null => {
  if (logFile !== undefined) return resolve(cwd, logFile);
  return daemonize ? `${pidFile.replace(/\.pid$/, '')}.log` : null;
};

const listed = (raw: unknown): readonly unknown[] => {
  if (raw === undefined) return [];
  return Array.isArray(raw) ? raw : [raw];
};

const commandMistakes = ({ command, args, spell }: Given): Mistake[] => {
  const option = spell('command');
  const mistakes: Mistake[] = [];
  if (command === undefined) {
    mistakes.push({ option, message: `${option} is missing: expected a program to supervise` });
  } else if (!isWord(command) || command === '') {
    mistakes.push(wrongValue(option, command, 'the name or path of a program'));
  }
  if (!Array.isArray(args) || !args.every(isWord)) {
    mistakes.push(wrongValue(spell('args'), args, 'an array of strings'));
  }
  return mistakes;
};

/** The system ends every argument at a zero character. */
const isWord = (raw: unknown): raw is string => typeof raw === 'string' && !raw.includes('\0');

/** The name and the pid file, whose control socket must have a path the system can take. */
const placeOf = (
  given: Given,
  values: Values,
  context: SettingsContext,
  account: Account | null,
): { name: string; pidFile: string; own: string | null; mistakes: Mistake[] } => {
  const name = values.name ?? defaultName(isWord(given.command) ? given.command : '');
  const option = given.spell(values.pidFile === undefined ? 'runDir' : 'pidFile');
  const place = pidFilePath(name, given, values, context, account);
  if ('expected' in place) {
    return {
      name,
      pidFile: '',
      own: null,
      mistakes: [{ option, message: `${option}: expected ${place.expected}` }],
    };
  }
  const { pidFile, own } = place.value;
  const socket = controlPathOf(pidFile);
  const expected = overlong(socket, context.platform);
  if (expected === null) return { name, pidFile, own, mistakes: [] };
  const raw = values.pidFile === undefined ? dirname(pidFile) : pidFile;
  const reason = `a shorter path or name: the control socket ${shown(socket)} needs ${expected}`;
  return { name, pidFile, own, mistakes: [wrongValue(option, raw, reason)] };
};

const pidFilePath = (
  name: string,
  given: Given,
  values: Values,
  context: SettingsContext,
  account: Account | null,
): Reading<{ pidFile: string; own: string | null }> => {
  if (values.pidFile !== undefined && !isOverruled(given, 'pidFile', 'runDir'))
    return { value: { pidFile: resolve(context.cwd, values.pidFile), own: null } };
  // Root has started the daemon, whoever this process is by now.
  const directory = resolveRunDirectory(values.runDir, account === null ? context : { ...context, uid: 0 });
  if ('expected' in directory) return directory;
  if (account === null || values.user === undefined)
    return { value: { pidFile: pidFileOf(directory.value, name), own: null } };
  const own = join(directory.value, account.user ?? String(account.uid));
  return { value: { pidFile: pidFileOf(own, name), own } };
};

/** Two settings of one thing: what a command line says wins over what a file says in other words. */
const isOverruled = (given: Given, key: Key, by: Key): boolean =>
  given.value(by) !== undefined && given.written(by) && !given.written(key);

const contradictions = (given: Given, values: Values): Mistake[] => {
  const mistakes: Mistake[] = [];
  const bothSaid = given.written('noWarn') === given.written('logLevel');
  if (values.noWarn && values.logLevel !== undefined && bothSaid) {
    const [noWarn, logLevel] = [given.spell('noWarn'), given.spell('logLevel')];
    mistakes.push({
      option: noWarn,
      message: `${noWarn} and ${logLevel} ${shown(values.logLevel)}: expected only one of them (${noWarn} is the level error)`,
    });
  }
  if ((values.standby ?? 0) > 0 && values.ready?.mode === 'alive') {
    const [standby, ready] = [given.spell('standby'), given.spell('ready')];
    mistakes.push(
      wrongValue(
        standby,
        given.value('standby'),
        `${ready} takeover or http=/path: a program that does not wait for its answer would serve at once`,
      ),
    );
  }
  if (values.adopt === true && isWord(given.command) && !takesNodeOptions(given.command)) {
    const option = given.spell('adopt');
    mistakes.push({
      option,
      message: `${option} with the command ${shown(given.command)}: expected a script (.js, .mjs, .cjs, .ts) or node; what starts Node in turn, such as npm, does not hand the listeners on`,
    });
  }
  const { startTimeoutMs, reloadTimeoutMs } = values;
  // Only what was asked for twice contradicts itself: a short reload time-out alone is a choice.
  if (startTimeoutMs !== undefined && reloadTimeoutMs !== undefined && reloadTimeoutMs < startTimeoutMs) {
    const [start, reload] = [given.spell('startTimeoutMs'), given.spell('reloadTimeoutMs')];
    mistakes.push(
      wrongValue(
        reload,
        given.value('reloadTimeoutMs'),
        `at least ${start} ${shown(given.value('startTimeoutMs'))}: a successor's workers may take so long`,
      ),
    );
  }
  return mistakes;
};

const detachmentMistakes = (given: Given, values: Values, listen: Settings['listen']): Mistake[] => {
  if (!values.daemonize || !listen.some(({ kind }) => kind === 'systemd')) return [];
  const option = given.spell('daemonize');
  const message = `${option} and ${given.spell('listen')} "systemd": expected only one of them (systemd waits for a process in the foreground, and its sockets are for that one)`;
  return [{ option, message }];
};

const withDefaults = (
  values: Values,
  fixed: Pick<Settings, 'name' | 'pidFile' | 'listen' | 'anchor' | 'account'>,
): Settings => {
  const startTimeoutMs = values.startTimeoutMs ?? DEFAULTS.startTimeoutMs;
  return {
    ...fixed,
    workers: values.workers ?? 1,
    standby: values.standby ?? 0,
    handoff: values.handoff ?? (fixed.listen.length > 0 ? 'overlap' : 'exclusive'),
    hotReload: !(values.noHotReload ?? false),
    ready: values.ready ?? { mode: 'takeover' },
    startTimeoutMs,
    reloadTimeoutMs:
      values.reloadTimeoutMs ?? Math.min(startTimeoutMs + DEFAULTS.reloadGraceMs, MAX_DURATION_MS),
    takeoverTimeoutMs: values.takeoverTimeoutMs ?? DEFAULTS.takeoverTimeoutMs,
    drainTimeoutMs: values.drainTimeoutMs ?? DEFAULTS.drainTimeoutMs,
    probationMs: DEFAULTS.probationMs,
    respawnDelayMs: values.respawnDelayMs ?? DEFAULTS.respawnDelayMs,
    respawn: values.respawn ?? 'adaptive',
    respawnLimit: values.respawnLimit ?? null,
    pingTimeoutMs: values.pingTimeoutMs ?? DEFAULTS.pingTimeoutMs,
    watchdogMs: values.watchdogMs ?? null,
    maxMemoryBytes: values.maxMemory ?? null,
    stopSignal: values.stopSignal ?? 'SIGTERM',
  };
};
