/**
 * From the words of a command line to something that can be started: looked up and checked once.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { TanistError } from '../errors.js';
import type { Program, Relaunch, Surroundings } from '../program.js';
import { PRIVATE_VARIABLES } from '../protocol/environment.js';
import { isScript, isTypedScript, takesNodeOptions } from '../settings/node-program.js';
import { adoptPreloadPath } from './adopt-preload.js';
import { readEnvFiles } from './env-files.js';
import { reporterPreloadPath } from './reporter-preload.js';

type Environment = Readonly<Record<string, string | undefined>>;

const isSameDirectory = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
};

/** `$PWD` when it names the working directory, so that a release symlink stays a symlink. */
export const startDirectoryOf = (env: Environment, cwd: string): string =>
  env.PWD?.startsWith('/') && isSameDirectory(env.PWD, cwd) ? env.PWD : cwd;

/** Makes a directory the start directory of this process, by the name it is given. */
export const enterDirectory = (directory: string): void => {
  try {
    process.chdir(directory);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TanistError('TANIST_WORKING_DIRECTORY', `the start directory cannot be entered: ${reason}`);
  }
  process.env.PWD = directory;
};

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

/** What the workers' command is looked up from. */
export interface Place extends Surroundings {
  /** As named; it is resolved here, once. */
  readonly startDirectory: string;
}

/** Where the workers run: everything relative in their command line starts there, as it does for `env --chdir`. */
const directoryOf = ({ startDirectory, chdir }: Place): string => {
  if (chdir === null) return startDirectory;
  const problem = directoryProblem(chdir);
  if (problem === null) return chdir;
  throw new TanistError('TANIST_WORKING_DIRECTORY', `the working directory ${chdir} ${problem}`);
};

const directoryProblem = (path: string): string | null => {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'does not exist';
    return found.isDirectory() ? null : 'is not a directory';
  } catch (error) {
    return `cannot be entered: ${error instanceof Error ? error.message : String(error)}`;
  }
};

/**
 * @throws {TanistError} `TANIST_COMMAND_NOT_FOUND`, `TANIST_WORKING_DIRECTORY` or `TANIST_ENV_FILE`, saying what
 *   is missing or wrong.
 */
export const resolveProgram = (
  { command, args }: { readonly command: string; readonly args: readonly string[] },
  place: Place,
  inherited: Environment,
): Program => {
  const directory = directoryOf(place);
  const env: Record<string, string> = {
    ...cleanEnvironment(inherited),
    ...place.variables,
    ...readEnvFiles(place.envFiles),
    // Programs that ask the environment first must not be told another directory.
    ...(place.chdir === null ? {} : { PWD: directory }),
  };
  const path = env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  const common = {
    cwd: realpathSync(directory),
    env,
    umask: place.umask,
    setpriv: lookUp('setpriv', directory, path),
    preload: (place.adopt ?? takesNodeOptions(command)) ? adoptPreloadPath() : null,
    reporter: takesNodeOptions(command) ? reporterPreloadPath() : null,
  };
  if (isTypedScript(command) && !runsTypeScript()) {
    throw notFound(
      `${command}: Node ${process.versions.node} does not run TypeScript: compile it, or use Node 22.18 or later`,
    );
  }
  if (isScript(command)) {
    return { file: process.execPath, args: [findScript(command, directory), ...args], ...common };
  }
  return { file: findCommand(command, directory, path), args, ...common };
};

/** How a script is started: a Node with options of its own, and the words behind the script. */
export interface ScriptStart {
  readonly node: string;
  readonly nodeArgs: readonly string[];
  readonly script: string;
  readonly words: readonly string[];
}

/** How this very program was started. The script is as it was named; empty where Node runs none. */
export const ownStart = (startDirectory: string, env: Environment): ScriptStart => {
  const { node, nodeArgs, script, args } = relaunchOf(startDirectory, env);
  return { node, nodeArgs, script: process.argv[1] === undefined ? '' : script, words: args };
};

/** Ends Node's own options: without it Node takes some of those behind the script for its own. */
const END_OF_OPTIONS = '--';

/**
 * A script as the command of its own workers: the file that its name means now.
 *
 * @param startDirectory as named.
 * @throws {TanistError} `TANIST_COMMAND_NOT_FOUND` where there is no script.
 */
export const scriptCommand = (
  startDirectory: string,
  { node, nodeArgs, script, words }: ScriptStart,
): { readonly command: string; readonly args: readonly string[] } => {
  if (script === '') throw notFound('this Node runs no script: a daemon is a program in a file');
  return { command: node, args: [...nodeArgs, END_OF_OPTIONS, findScript(script, startDirectory), ...words] };
};

/** What was made a command before. */
export const scriptStartOf = (command: string, args: readonly string[], script: string): ScriptStart => {
  const end = args.indexOf(END_OF_OPTIONS);
  return { node: command, nodeArgs: args.slice(0, end), script, words: args.slice(end + 2) };
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
