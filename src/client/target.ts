/**
 * Which supervisor a command is about.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { TanistError } from '../errors.js';
import { isLockFree } from '../os/lock-probe.js';
import { controlPathOf, nameOfPidFile, pidFileOf } from '../settings/run-directory.js';
import { askStatus, isAnswered } from './control-client.js';

/** What was asked for; paths are absolute. */
export type TargetQuery =
  | { readonly kind: 'pid-file'; readonly pidFile: string }
  | { readonly kind: 'control'; readonly controlPath: string }
  | ({ readonly kind: 'name'; readonly name: string } & Directories)
  | ({ readonly kind: 'only' } & Directories);

interface Directories {
  readonly runDirectory: string;
  /** Root's own: there may be daemons of the user who asks in it. */
  readonly rootsDirectory?: string;
}

/** One supervisor, running or not. */
export interface Target {
  readonly name: string;
  /** null where there is none, or nobody who says which. */
  readonly pidFile: string | null;
  readonly controlPath: string;
}

/** The one supervisor that is meant; whether it runs is only sure if it was not named. */
export const findTarget = async (query: TargetQuery): Promise<Target> =>
  onlyOne(await findTargets(query), query);

/** @throws {TanistError} `TANIST_NOT_RUNNING` if there is none, `TANIST_AMBIGUOUS_TARGET` if there are several. */
export const onlyOne = (targets: readonly Target[], query: TargetQuery): Target => {
  const [target, ...others] = targets;
  if (target === undefined) throw nothingRuns(query);
  if (others.length === 0) return target;
  const files = [target, ...others].map(({ pidFile, controlPath }) => JSON.stringify(pidFile ?? controlPath));
  throw new TanistError(
    'TANIST_AMBIGUOUS_TARGET',
    `${files.length} supervisors could be meant, with the pid files ${files.join(', ')}`,
  );
};

/** All supervisors that are meant, sorted; without a name, all that run in the run directory. */
export const findTargets = async (query: TargetQuery): Promise<readonly Target[]> => {
  if (query.kind === 'pid-file') return [targetOf(query.pidFile)];
  if (query.kind === 'control') return [await targetAt(query.controlPath)];
  const pidFiles = await searched(query, RUNNING);
  if (query.kind === 'name') return named(query.name, query.runDirectory, pidFiles).map(targetOf);
  const targets = pidFiles.map(targetOf);
  const run = await Promise.all(targets.map(runs));
  return targets.filter((_, index) => run[index]);
};

/** The same of all that have left a log, whether they run or not. */
export const findLogs = async (query: TargetQuery): Promise<readonly Target[]> => {
  if (query.kind === 'pid-file' || query.kind === 'control') return findTargets(query);
  const targets = (await searched(query, LOGGED)).map(targetOf);
  return query.kind === 'only' ? targets : targets.filter(({ name }) => name === query.name);
};

export const notRunning = (target: Target): TanistError =>
  new TanistError(
    'TANIST_NOT_RUNNING',
    target.pidFile === null
      ? `nothing is running at the control socket ${JSON.stringify(target.controlPath)}`
      : `${target.name} is not running (pid file ${JSON.stringify(target.pidFile)})`,
  );

export const nothingRuns = (query: TargetQuery): TanistError =>
  new TanistError(
    'TANIST_NOT_RUNNING',
    'runDirectory' in query
      ? `nothing is running in ${JSON.stringify(query.runDirectory)}`
      : 'nothing is running',
  );

/** Nobody holds the lock; without a lock, the control socket's name is gone. */
export const isOver = ({ pidFile, controlPath }: Target): boolean =>
  pidFile === null ? !existsSync(controlPath) : isLockFree(pidFile);

export const targetOf = (pidFile: string): Target => ({
  name: nameOfPidFile(pidFile),
  pidFile,
  controlPath: controlPathOf(pidFile),
});

const ANSWER_LIMIT_MS = 2_000;

/** Who listens there says its name and whether it has a lock; who does not answer has none that is known. */
const targetAt = async (controlPath: string): Promise<Target> => {
  const unknown = { name: basename(controlPath, '.sock'), pidFile: null, controlPath };
  try {
    const reply = await askStatus(controlPath, AbortSignal.timeout(ANSWER_LIMIT_MS));
    if (reply.kind !== 'answer') return unknown;
    return { name: reply.value.name, pidFile: reply.value.pidFile ?? null, controlPath };
  } catch {
    // Whatever is wrong with it is told by the command itself, which asks again.
    return unknown;
  }
};

/** The name's own file first: a user's directory is searched only if it is not there. */
const named = (name: string, runDirectory: string, pidFiles: readonly string[]): readonly string[] => {
  const own = pidFileOf(runDirectory, name);
  const found = pidFiles.filter((pidFile) => nameOfPidFile(pidFile) === name);
  return found.length === 0 || found.includes(own) ? [own] : found;
};

/** Endings of files that a daemon has while it runs, and afterwards. */
const RUNNING = /.\.(pid|sock)$/;
const LOGGED = /.\.log$/;

/** Pid files that exist, or should by the files beside them. */
const searched = async (directories: Directories, ending: RegExp): Promise<readonly string[]> => {
  const { runDirectory, rootsDirectory } = directories;
  const ownThere = rootsDirectory === undefined ? [] : await ownPidFilesIn(rootsDirectory, ending);
  return [...(await pidFilesIn(runDirectory, ending)), ...ownThere];
};

/** Here and one level below: `--user` has its own. */
const pidFilesIn = async (runDirectory: string, ending: RegExp): Promise<readonly string[]> => {
  const entries = await entriesOf(runDirectory, 'TANIST_RUN_DIR');
  if (entries === null) return ownPidFilesIn(runDirectory, ending);
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(runDirectory, entry.name));
  const nested = await Promise.all(
    below.map(async (path) => pidFilesOf(path, (await entriesOf(path, null)) ?? [], ending)),
  );
  return [...new Set([...pidFilesOf(runDirectory, entries, ending), ...nested.flat()])].sort();
};

/** What is ours in a run directory that only its owner may look into: `--user` has put it there. */
const ownPidFilesIn = async (runDirectory: string, ending: RegExp): Promise<readonly string[]> => {
  const own = join(runDirectory, ownName());
  return [...new Set(pidFilesOf(own, (await entriesOf(own, null)) ?? [], ending))].sort();
};

const ownName = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A number without a name: its directory is called so.
    return String(process.getuid?.());
  }
};

type Entries = readonly { readonly name: string; isDirectory(): boolean }[];

const pidFilesOf = (directory: string, entries: Entries, ending: RegExp): readonly string[] =>
  entries
    .filter((entry) => !entry.isDirectory() && ending.test(entry.name))
    .map((entry) => pidFileOf(directory, entry.name.replace(/\.(pid|sock|log)$/, '')));

/** What is in a directory; nothing if there is none, and null if another user's may not be read. */
const entriesOf = async (path: string, refusal: 'TANIST_RUN_DIR' | null): Promise<Entries | null> => {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return [];
    if (code === 'EACCES' || refusal === null) return null;
    throw new TanistError(refusal, `the run directory ${JSON.stringify(path)} cannot be read (${code})`, {
      cause,
    });
  }
};

/** A supervisor that has just started holds the lock before it answers. */
const runs = async (target: Target): Promise<boolean> =>
  (await isAnswered(target.controlPath)) || !isOver(target);
