/**
 * From options to settings: everything is checked before anything is started, and all mistakes are told at once.
 *
 * A program's options and a command line go through the same readers, so they cannot drift apart.
 */
import { resolve } from 'node:path';
import { DEFAULTS, MAX_DURATION_MS, type Settings } from '../machines/policy.js';
import type { PageSettings } from './os/page-process.js';
import type { Surroundings } from './program.js';
import { readAccount } from './settings/account.js';
import type { Values } from './settings/fields.js';
import { fromCommandLine, fromOptions, type Given, readFields } from './settings/given.js';
import { readListeners } from './settings/listen-spec.js';
import { type Mistake, shown, usageError, wrongValue } from './settings/mistake.js';
import { takesNodeOptions } from './settings/node-program.js';
import { isOverruled, placeOf } from './settings/place.js';
import type { SettingsContext } from './settings/run-directory.js';
import { DEFAULT_JOURNAL_BYTES } from './settings/size.js';
import type { CommandLineSettings, LogLevel, SupervisorOptions } from './settings/supervisor-options.js';

export type { SettingsContext } from './settings/run-directory.js';
export type { CommandLineSettings, LogLevel, SupervisorOptions } from './settings/supervisor-options.js';

export interface ResolvedSettings {
  readonly settings: Settings;
  readonly logLevel: LogLevel;
  readonly noWarn: boolean;
  /** Absolute; null for standard error. */
  readonly logFile: string | null;
  /** Made where it is missing: the pid file's, or without one that of the default log; null for none. */
  readonly directory: string | null;
  /** Absolute; null for none. */
  readonly journal: string | null;
  /** Bytes. */
  readonly journalLimit: number;
  /** Detach, and wait until every worker is ready. */
  readonly daemonize: boolean;
  /** The page that is opened with the daemon; null for none. */
  readonly page: PageSettings | null;
  /** The directory in the run directory that belongs to the user of `user`; null where none does. */
  readonly ownDirectory: string | null;
  /** The workers' command, as it was given. */
  readonly program: { readonly command: string; readonly args: readonly string[] };
  readonly surroundings: Surroundings;
}

/**
 * Settings from the options of a program or the words of a command line.
 *
 * @throws {TanistError} `TANIST_USAGE` with every mistake.
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
  const command = isWord(given.command) ? given.command : '';
  const place = placeOf(given, fields.values, command, context, identity.account);
  const mistakes = [
    ...given.mistakes,
    ...fields.mistakes,
    ...listeners.mistakes,
    ...commandMistakes(given),
    ...place.mistakes,
    ...identity.mistakes,
    ...contradictions(given, fields.values),
    ...healthMistakes(given, fields.values),
    ...detachmentMistakes(given, fields.values, listeners.listen),
    ...pageMistakes(given, fields.values, place.control),
  ];
  if (mistakes.length > 0) return { mistakes };
  const { values } = fields;
  const noWarn = (values.noWarn ?? false) && !isOverruled(given, 'noWarn', 'logLevel');
  return {
    settings: withDefaults(values, {
      name: place.name,
      pidFile: place.pidFile,
      control: place.control,
      listen: listeners.listen,
      // Whoever typed a command waits for its process, unless he has detached it.
      anchor: values.anchor ?? ('commandLine' in input && values.daemonize !== true),
      account: identity.account,
    }),
    logLevel: noWarn ? 'error' : (values.logLevel ?? 'info'),
    noWarn,
    logFile: place.logFile,
    directory: place.directory,
    journal: journalOf(values, context),
    journalLimit: values.journalLimit ?? DEFAULT_JOURNAL_BYTES,
    daemonize: values.daemonize ?? false,
    page: values.inspect ? { ...values.inspect, controls: values.inspectControl ?? false } : null,
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

/** A variable serves every daemon of a container or a unit; the option is for one. */
const journalOf = ({ journal }: Values, { cwd, env }: SettingsContext): string | null => {
  const path = journal ?? env.TANIST_JOURNAL ?? '';
  return path === '' ? null : resolve(cwd, path);
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

/** A check that would never be made, or never be answered. */
const healthMistakes = (given: Given, { health, probationMs = 0, ready }: Values): Mistake[] => {
  if (health === undefined) return [];
  const option = given.spell('health');
  const asked = `${option} ${shown(given.value('health'))}`;
  const mistakes: Mistake[] = [];
  if (probationMs === 0) {
    const probation = given.spell('probationMs');
    const message = `${probation}: expected more than 0 with ${asked}: workers are checked while a new generation is on probation`;
    mistakes.push({ option: probation, message });
  }
  if (ready?.mode === 'alive') {
    const message = `${asked} and ${given.spell('ready')} ${shown(given.value('ready'))}: expected takeover or http there: a program without the protocol does not answer on its probe socket`;
    mistakes.push({ option, message });
  }
  return mistakes;
};

const detachmentMistakes = (given: Given, values: Values, listen: Settings['listen']): Mistake[] => {
  if (!values.daemonize || !listen.some(({ kind }) => kind === 'systemd')) return [];
  const option = given.spell('daemonize');
  const message = `${option} and ${given.spell('listen')} "systemd": expected only one of them (systemd waits for a process in the foreground, and its sockets are for that one)`;
  return [{ option, message }];
};

/** A page that nobody sees, and one that has nobody to ask. */
const pageMistakes = (
  given: Given,
  { inspect, inspectControl, noPidFile, control }: Values,
  socket: string | null,
): Mistake[] => {
  const option = given.spell('inspect');
  if (!inspect) {
    if (!inspectControl) return [];
    const asked = given.spell('inspectControl');
    return [
      {
        option,
        message: `${option}: expected as well with ${asked}: it opens the page that gets the buttons`,
      },
    ];
  }
  // Where another mistake leaves no socket, that one is told.
  if (socket !== null || noPidFile !== true || control !== undefined) return [];
  const message = `${option}: expected ${given.spell('control')} as well with ${given.spell('noPidFile')}: the page asks the control socket`;
  return [{ option, message }];
};

const withDefaults = (
  values: Values,
  fixed: Pick<Settings, 'name' | 'pidFile' | 'control' | 'listen' | 'anchor' | 'account'>,
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
    probationMs: values.probationMs ?? DEFAULTS.probationMs,
    health: values.health ?? null,
    respawnDelayMs: values.respawnDelayMs ?? DEFAULTS.respawnDelayMs,
    respawn: values.respawn ?? 'adaptive',
    respawnLimit: values.respawnLimit ?? null,
    pingTimeoutMs: values.pingTimeoutMs ?? DEFAULTS.pingTimeoutMs,
    watchdogMs: values.watchdogMs ?? null,
    maxMemoryBytes: values.maxMemory ?? null,
    stopSignal: values.stopSignal ?? 'SIGTERM',
  };
};
