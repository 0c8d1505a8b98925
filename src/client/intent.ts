/**
 * What a start would run, and how two starts differ: looked up now, as a reload would look it up now.
 *
 * So a link to a release that has moved since, or a configuration file that was changed, makes no difference:
 * the next generation of what runs would follow it as well.
 */
import type { Origin } from '../../machines/status.js';
import { type CommandLineSettings, type ResolvedSettings, resolveSettings } from '../config.js';
import { textOf } from '../handover.js';
import { withConfigFile } from '../os/config-file.js';
import { resolveProgram } from '../os/resolve-program.js';
import type { Program } from '../program.js';
import { formatDuration } from '../settings/duration.js';
import { FIELD_KEYS, flagOf, type Key } from '../settings/fields.js';
import type { CommandLineContext } from '../words/context.js';
import { printable } from '../words/terminal.js';

/** One start: its settings, and the program its workers would be. */
export interface Intent {
  readonly resolved: ResolvedSettings;
  readonly program: Program;
}

/** @throws {TanistError} what is wrong with the words, the file they name, or the command. */
export const intentOf = async (words: CommandLineSettings, context: CommandLineContext): Promise<Intent> => {
  const resolved = resolveSettings(await withConfigFile(words, context.cwd), context);
  const { program: command, surroundings } = resolved;
  const place = { startDirectory: context.cwd, ...surroundings };
  return { resolved, program: resolveProgram(command, place, context.env) };
};

/** Reads the words of a start that was made before; null for one of another kind. */
export type ReadOrigin = (origin: Origin, context: CommandLineContext) => CommandLineSettings | null;

/** The intent of a supervisor that runs; null if it was started in another way than this one. */
export const intentOfOrigin = async (
  origin: Origin,
  context: CommandLineContext,
  read: ReadOrigin,
): Promise<Intent | null> => {
  const there = { ...context, cwd: origin.directory };
  const words = read(origin, there);
  return words && intentOf(words, there);
};

/** How the intent of what runs differs from ours, in words; null if both are the same. */
export const difference = (theirs: Intent, ours: Intent): string | null =>
  programDifference(theirs, ours) ?? settingsDifference(theirs.resolved, ours.resolved);

const programDifference = (theirs: Intent, ours: Intent): string | null => {
  const [there, here] = [theirs.program, ours.program];
  if (!isSame([there.file, there.args], [here.file, here.args])) {
    const [running, wanted] = [given(theirs), given(ours)];
    // The same words may name another file from another directory.
    return running === wanted
      ? `it runs \`${found(there)}\`, this is \`${found(here)}\``
      : `it runs \`${running}\`, this is \`${wanted}\``;
  }
  return there.cwd === here.cwd
    ? null
    : `it runs in ${printable(there.cwd)}, this would run in ${printable(here.cwd)}`;
};

const given = ({ resolved: { program } }: Intent): string => wordsText([program.command, ...program.args]);

const found = ({ file, args }: Program): string => wordsText([file, ...args]);

/** Words as a shell would take them, so that it is seen where each ends. */
const wordsText = (words: readonly string[]): string =>
  printable(
    words
      .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
      .join(' '),
  );

/** All that is resolved from options, in one level. The pid file is the same: its lock says so. */
const flat = (resolved: ResolvedSettings): Readonly<Record<string, unknown>> => {
  const { settings, surroundings, program, noWarn, ...others } = resolved;
  // A page is beside what runs: a start that opens none, or another one, means the same.
  const { directory, ownDirectory, page, ...told } = others;
  const { pidFile, account, ...rest } = settings;
  const { envFiles, chdir, variables, ...around } = surroundings;
  const whom = { user: account && (account.user ?? account.uid), group: account?.gid };
  // A directory is compared where it leads to.
  return { ...rest, ...around, ...whom, envFile: envFiles, ...told };
};

const settingsDifference = (theirs: ResolvedSettings, ours: ResolvedSettings): string | null => {
  const [there, here] = [flat(theirs), flat(ours)];
  const keys = [...new Set([...Object.keys(there), ...Object.keys(here)])];
  const texts = keys
    .filter((key) => !isSame(there[key], here[key]))
    .map((key) => `${labelOf(key)} ${valueText(key, there[key])} there, ${valueText(key, here[key])} here`);
  return texts.length === 0 ? null : texts.join('; ');
};

const labelOf = (key: string): string =>
  key === 'listen' || FIELD_KEYS.includes(key as Key) ? flagOf(key as Key | 'listen') : key;

const valueText = (key: string, value: unknown): string => {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'number') return key.endsWith('Ms') ? formatDuration(value) : String(value);
  if (key === 'listen') {
    const specs = value as ResolvedSettings['settings']['listen'];
    return printable(specs.map(textOf).join(' '));
  }
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
};

/** Both come from the same code, with the same order of keys. */
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
