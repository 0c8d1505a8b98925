/**
 * From the words of a command line to something that can be started: looked up and checked once.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { TanistError } from '../errors.js';
import type { Program, Relaunch } from '../program.js';
import { PRIVATE_VARIABLES } from '../protocol/environment.js';

type Environment = Readonly<Record<string, string | undefined>>;

const SCRIPT = /\.[cm]?js$/;
const TYPED_SCRIPT = /\.[cm]?ts$/;

const isSameDirectory = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
};

/** `$PWD` when it names the working directory, so that a release symlink stays a symlink. */
export const startDirectoryOf = (env: Environment, cwd: string): string =>
  env.PWD?.startsWith('/') && isSameDirectory(env.PWD, cwd) ? env.PWD : cwd;

/** An environment without what is private to tanist or meant for another process. */
export const cleanEnvironment = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !PRIVATE_VARIABLES.includes(entry[0]),
    ),
  );

const canExecute = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const notFound = (message: string): TanistError => new TanistError('TANIST_COMMAND_NOT_FOUND', message);

/** The directory's true name with the file's own: the name may matter to it (a virtual environment, busybox). */
const physical = (path: string): string =>
  join(realpathSync(dirname(path)), path.slice(dirname(path).length));

const findScript = (command: string, startDirectory: string): string => {
  const path = resolve(startDirectory, command);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw notFound(`${path} does not exist or cannot be read`);
  }
  if (!statSync(path).isFile()) throw notFound(`${path} is not a file`);
  return realpathSync(path);
};

const findCommand = (command: string, startDirectory: string, path: string): string => {
  if (command.includes('/')) {
    const file = resolve(startDirectory, command);
    if (!statSync(file, { throwIfNoEntry: false })) throw notFound(`${file} does not exist`);
    if (!canExecute(file)) throw notFound(`${file} is not an executable file`);
    return physical(file);
  }
  const found = lookUp(command, startDirectory, path);
  if (found === null) throw notFound(`${command} is not in PATH`);
  return physical(found);
};

const lookUp = (command: string, startDirectory: string, path: string): string | null =>
  path
    .split(delimiter)
    .map((directory) => resolve(startDirectory, directory, command))
    .find(canExecute) ?? null;

const runsTypeScript = (): boolean =>
  Reflect.get(process.features, 'typescript') !== undefined &&
  Reflect.get(process.features, 'typescript') !== false;

/**
 * @param startDirectory as named; it is resolved here, once.
 * @throws {TanistError} `TANIST_COMMAND_NOT_FOUND`, saying what is missing.
 */
export const resolveProgram = (
  { command, args }: { readonly command: string; readonly args: readonly string[] },
  startDirectory: string,
  env: Environment,
): Program => {
  const path = env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  const common = {
    cwd: realpathSync(startDirectory),
    env: cleanEnvironment(env),
    setpriv: lookUp('setpriv', startDirectory, path),
  };
  if (TYPED_SCRIPT.test(command) && !runsTypeScript()) {
    throw notFound(
      `${command}: Node ${process.versions.node} does not run TypeScript: compile it, or use Node 22.18 or later`,
    );
  }
  if (SCRIPT.test(command) || TYPED_SCRIPT.test(command)) {
    return { file: process.execPath, args: [findScript(command, startDirectory), ...args], ...common };
  }
  return { file: findCommand(command, startDirectory, path), args, ...common };
};

/** How this very program is started again. */
export const relaunchOf = (startDirectory: string, env: Environment): Relaunch => {
  const [, script = '', ...args] = process.argv;
  const inside = relative(process.cwd(), script);
  return {
    node: process.execPath,
    nodeArgs: process.execArgv,
    // Node makes the script's path absolute from the physical directory: name it as it was named.
    script: inside.startsWith('..') ? script : join(startDirectory, inside),
    args,
    startDirectory,
    env: cleanEnvironment(env),
  };
};
