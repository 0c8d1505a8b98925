/**
 * The name of a supervisor and where its files are: pid file, control socket, log.
 */
import { dirname, join, resolve } from 'node:path';
import type { Account } from '../../machines/policy.js';
import type { Key, Values } from './fields.js';
import type { Given } from './given.js';
import { type Mistake, type Reading, shown, wrongValue } from './mistake.js';
import {
  controlPathOf,
  defaultName,
  pidFileOf,
  resolveRunDirectory,
  type SettingsContext,
} from './run-directory.js';
import { overlong } from './unix-path.js';

export interface Place {
  readonly name: string;
  /** null for neither pid file nor lock. */
  readonly pidFile: string | null;
  /** null for no control socket. */
  readonly control: string | null;
  /** Absolute; null for standard error. */
  readonly logFile: string | null;
  /** Made where it is missing, for what is there by default; null where everything has a place of its own. */
  readonly directory: string | null;
  /** The directory in the run directory that belongs to the user of `user`; null where nothing is in it. */
  readonly own: string | null;
}

/** Two settings of one thing: what a command line says wins over what a file says in other words. */
export const isOverruled = (given: Given, key: Key, by: Key): boolean =>
  given.value(by) !== undefined && given.written(by) && !given.written(key);

/** What was said, by whom, and for whom. */
interface Question {
  readonly name: string;
  readonly given: Given;
  readonly values: Values;
  readonly context: SettingsContext;
  /** What the directory of another user's files is called; null for the run directory itself. */
  readonly ownName: string | null;
}

/**
 * Where everything is; a mistake leaves null in its place.
 *
 * @param account whom the daemon is to run as: with `user` its files are in a directory of that user's.
 */
export const placeOf = (
  given: Given,
  values: Values,
  command: string,
  around: SettingsContext,
  account: Account | null,
): Place & { readonly mistakes: readonly Mistake[] } => {
  const name = values.name ?? defaultName(command);
  // Root has started a daemon of another user, whoever this process is by now.
  const context = account === null ? around : { ...around, uid: 0 };
  const ownName = account === null || values.user === undefined ? null : (account.user ?? `${account.uid}`);
  const question = { name, given, values, context, ownName };
  const mistakes: Mistake[] = [];
  const noted = <Value>(reading: Value | Mistake | null): Value | null => {
    if (reading === null || !isMistake(reading)) return reading;
    mistakes.push(reading);
    return null;
  };
  const pidFile = noted(isWithoutPidFile(question) ? null : pidFilePath(question));
  const control = noted(controlPath(pidFile, question));
  const logFile = noted(logFilePath(pidFile, question));
  if (isContradicted(question)) mistakes.push(contradiction(question));
  const made = pidFile ?? (values.logFile === undefined ? logFile : null);
  const directory = made === null ? null : dirname(made);
  const own = ownName === null || (pidFile !== null && isNamed(question)) ? null : directory;
  return { name, pidFile, control, logFile, directory, own, mistakes };
};

const isMistake = (reading: unknown): reading is Mistake =>
  typeof reading === 'object' && reading !== null && 'message' in reading;

/** The word that is nearer wins where one is on the command line and the other is not. */
const isWithoutPidFile = ({ given, values }: Question): boolean =>
  values.noPidFile === true && !isOverruled(given, 'noPidFile', 'pidFile');

const isNamed = ({ given, values }: Question): boolean =>
  values.pidFile !== undefined && !isOverruled(given, 'pidFile', 'runDir');

const isContradicted = ({ given, values }: Question): boolean =>
  values.noPidFile === true &&
  values.pidFile !== undefined &&
  given.written('noPidFile') === given.written('pidFile');

const contradiction = ({ given, values }: Question): Mistake => {
  const [noPidFile, pidFile] = [given.spell('noPidFile'), given.spell('pidFile')];
  const message = `${noPidFile} and ${pidFile} ${shown(values.pidFile)}: expected only one of them`;
  return { option: noPidFile, message };
};

const pidFilePath = (question: Question): string | Mistake => {
  const { name, given, values, context } = question;
  const option = given.spell(isNamed(question) ? 'pidFile' : 'runDir');
  const found = isNamed(question)
    ? { value: resolve(context.cwd, values.pidFile ?? '') }
    : inRunDirectory(question, (directory) => pidFileOf(directory, name));
  if ('expected' in found) return { option, message: `${option}: expected ${found.expected}` };
  // Private sockets are beside it, wherever the control socket is.
  const socket = controlPathOf(found.value);
  const expected = overlong(socket, context.platform);
  if (expected === null) return found.value;
  const which = values.control === undefined ? 'the control socket' : 'a socket beside it, such as';
  const reason = `a shorter path or name: ${which} ${shown(socket)} needs ${expected}`;
  return wrongValue(option, isNamed(question) ? found.value : dirname(found.value), reason);
};

const inRunDirectory = (
  { values, context, ownName }: Question,
  path: (directory: string) => string,
): Reading<string> => {
  const directory = resolveRunDirectory(values.runDir, context);
  return 'expected' in directory ? directory : { value: path(join(directory.value, ownName ?? '')) };
};

const controlPath = (
  pidFile: string | null,
  { given, values: { control }, context }: Question,
): string | Mistake | null => {
  if (control === undefined) return pidFile === null ? null : controlPathOf(pidFile);
  const path = resolve(context.cwd, control);
  const expected = overlong(path, context.platform);
  return expected === null ? path : wrongValue(given.spell('control'), control, expected);
};

/** A daemon has no standard error to speak of: its log is beside its pid file, or where that would be. */
const logFilePath = (pidFile: string | null, question: Question): string | Mistake | null => {
  const { name, given, values, context } = question;
  if (values.logFile !== undefined) return resolve(context.cwd, values.logFile);
  if (!values.daemonize) return null;
  if (pidFile !== null) return `${pidFile.replace(/\.pid$/, '')}.log`;
  if (!isWithoutPidFile(question)) return null;
  const found = inRunDirectory(question, (directory) => join(directory, `${name}.log`));
  if ('value' in found) return found.value;
  const option = given.spell('daemonize');
  return { option, message: `${option}: expected a log file, or ${found.expected}` };
};
