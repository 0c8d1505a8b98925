/**
 * The file behind --config: JSON, or a module that says the same. Read anew by every generation.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TanistError } from '../errors.js';
import { importModule } from '../imports.js';
import { shown, usageError, wrongValue } from '../settings/mistake.js';
import { readFilePath } from '../settings/run-directory.js';
import type { CommandLineSettings } from '../settings/supervisor-options.js';

/** A module may ask somebody for its settings, but not for ever: a daemon must start, or say why not. */
const MODULE_TIMEOUT_MS = 10_000;
/** Looking for the place of a syntax error is a courtesy. */
const CHECK_TIMEOUT_MS = 5_000;

const FLAG = '--config';

/** Keys and values as they are in the file: nothing of them has been checked. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/**
 * The words of a command line with what the file that they name says, if they name one.
 *
 * @param startDirectory where a relative path starts.
 * @throws {TanistError} `TANIST_USAGE` or `TANIST_CONFIG`.
 */
export const withConfigFile = async (
  words: CommandLineSettings,
  startDirectory: string,
): Promise<CommandLineSettings> => {
  const raw = words.commandLine.get(FLAG)?.at(-1);
  if (raw === undefined) return words;
  const mistakes = words.mistakes ?? [];
  const named = readFilePath(raw, true);
  if ('expected' in named) throw usageError([...mistakes, wrongValue(FLAG, raw, named.expected)]);
  const path = resolve(startDirectory, named.value);
  try {
    return { ...words, configFile: { path, values: await loadConfigFile(path) } };
  } catch (error) {
    if (mistakes.length === 0 || !(error instanceof TanistError)) throw error;
    throw usageError([...mistakes, { option: FLAG, message: error.message }]);
  }
};

/**
 * Reads a configuration file: `.json`, or a module (`.js`, `.mjs`, `.cjs`) whose default export is an object, a
 * promise of one, or a function that returns either and is called without arguments.
 *
 * @param path absolute.
 * @throws {TanistError} `TANIST_CONFIG`: missing, of another kind, or with an error of its own, which is told with
 *   its place in the file.
 */
export const loadConfigFile = async (path: string): Promise<ConfigValues> => {
  checkFile(path);
  const value = extname(path) === '.json' ? readJson(path) : await loadModule(path);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(path, `expected an object of settings, not ${shown(value)}`);
};

const wrong = (path: string, problem: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_CONFIG', `${path}: ${problem}`, cause === undefined ? {} : { cause });

const checkFile = (path: string): void => {
  if (!['.json', '.js', '.mjs', '.cjs'].includes(extname(path))) {
    throw wrong(path, 'expected a file whose name ends in .json, .js, .mjs or .cjs');
  }
  // A pipe could be read only once, and never by the next generation.
  if (!attempt(path, () => statSync(path)).isFile()) throw wrong(path, 'is not a regular file');
};

const attempt = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    throw wrong(path, `cannot be read: ${messageOf(cause)}`, cause);
  }
};

const readJson = (path: string): unknown => {
  const text = attempt(path, () => readFileSync(path, 'utf8')).replace(/^\ufeff/, '');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong(path, `is not JSON: ${messageOf(cause)}${placeInText(text, messageOf(cause))}`, cause);
  }
};

/** Some engines tell the position and nothing else. */
const placeInText = (text: string, message: string): string => {
  const position = /at position (\d+)$/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
};

const loadModule = async (path: string): Promise<unknown> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const problem = `gave no settings within ${MODULE_TIMEOUT_MS / 1_000} s`;
    timer = setTimeout(() => reject(wrong(path, problem)), MODULE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([evaluate(path), late]);
  } catch (error) {
    if (error instanceof TanistError) throw error;
    throw wrong(path, `${describe(error)}${placeOf(error, path)}`, error);
  } finally {
    clearTimeout(timer);
  }
};

const evaluate = async (path: string): Promise<unknown> => {
  const module = (await importModule(pathToFileURL(path).href)) as { readonly default?: unknown };
  if (!('default' in module)) throw wrong(path, 'expected a default export with the settings');
  const exported = await module.default;
  return typeof exported === 'function' ? await (exported as () => unknown)() : exported;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : `threw ${shown(error)}`;

/** Where in the module, or in what it imports, an error comes from, as ` (file:line:column)`; empty when nobody knows. */
const placeOf = (error: unknown, path: string): string => {
  const frames = (error instanceof Error ? (error.stack ?? '') : '').split('\n');
  const places = frames.flatMap((frame) => {
    const [place, file = ''] = /((?:file:\/\/)?\/[^()]*?):\d+(?::\d+)?(?=\)?$)/.exec(frame) ?? [];
    return place === undefined || file.includes('/node_modules/tanist/') ? [] : [readable(place)];
  });
  const place =
    places.find((candidate) => candidate.startsWith(`${path}:`)) ??
    (error instanceof SyntaxError ? placeOfSyntaxError(path) : places[0]);
  return place === undefined ? '' : ` (${place})`;
};

const readable = (place: string): string => {
  const [, file = '', position = ''] = /^(.*?)((?::\d+){1,2})$/.exec(place) ?? [];
  return file.startsWith('file:') ? `${fileURLToPath(file)}${position}` : place;
};

/** A module that cannot be parsed has no stack: the place is only told where Node ends because of it. */
const placeOfSyntaxError = (path: string): string | undefined => {
  const options = { encoding: 'utf8', timeout: CHECK_TIMEOUT_MS } as const;
  const { stderr } = spawnSync(process.execPath, ['--check', path], options);
  const [first = ''] = (stderr ?? '').split('\n');
  return /:\d+$/.test(first) ? readable(first) : undefined;
};
