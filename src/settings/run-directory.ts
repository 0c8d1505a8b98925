/**
 * Where the files of a supervisor are: lock and pid, and the control socket beside them.
 */
import { basename, extname, isAbsolute, join, resolve } from 'node:path';
import type { Accounts } from './account.js';
import type { Reader, Reading } from './mistake.js';

/** What settings depend on besides the options; given, so that a test can say what it is. */
export interface SettingsContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The start directory: relative paths start here. */
  readonly cwd: string;
  /** The user's number; 0 is root. */
  readonly uid: number;
  /** As in `process.platform`. */
  readonly platform: string;
  /** Users and groups to look names up in; null where settings are judged apart from any system. */
  readonly accounts: Accounts | null;
  /** This process continues a daemon: it inherits whom that runs as, and need not be root to be told. */
  readonly isSuccessor?: boolean;
}

const NAME_BYTES = 64;

/** Root's, where nothing names another one. */
export const ROOTS_RUN_DIRECTORY = '/run/tanist';

/** systemd lists several directories with colons between them; the first is the unit's own. */
const nameOf = (given: string | undefined, env: SettingsContext['env']): string | undefined =>
  given ?? (env.TANIST_RUN_DIR || env.RUNTIME_DIRECTORY?.split(':')[0]);

/** Whether an option or the environment names the run directory. */
export const isNamed = (given: string | undefined, { env }: SettingsContext): boolean =>
  Boolean(nameOf(given, env));

/**
 * The directory of all supervisors of one user.
 *
 * The first of: the option, `TANIST_RUN_DIR`, systemd's `RUNTIME_DIRECTORY`, `/run/tanist` for root,
 * `$XDG_RUNTIME_DIR/tanist`, `~/.local/state/tanist`. It is not created here.
 */
export const resolveRunDirectory = (given: string | undefined, context: SettingsContext): Reading<string> => {
  const { env, cwd, uid } = context;
  const named = nameOf(given, env);
  if (named) return { value: resolve(cwd, named) };
  if (uid === 0) return { value: ROOTS_RUN_DIRECTORY };
  // The XDG specification has relative paths ignored.
  if (env.XDG_RUNTIME_DIR && isAbsolute(env.XDG_RUNTIME_DIR)) {
    return { value: join(env.XDG_RUNTIME_DIR, 'tanist') };
  }
  if (env.HOME && isAbsolute(env.HOME)) return { value: join(env.HOME, '.local', 'state', 'tanist') };
  return { expected: 'a directory, since none of TANIST_RUN_DIR, XDG_RUNTIME_DIR and HOME names one' };
};

export const pidFileOf = (runDirectory: string, name: string): string => join(runDirectory, `${name}.pid`);

/** The control socket beside a pid file. */
export const controlPathOf = (pidFile: string): string => `${pidFile.replace(/\.pid$/, '')}.sock`;

/** The name a pid file gives to those who know nothing else. */
export const nameOfPidFile = (pidFile: string): string => basename(pidFile, '.pid');

export const readName: Reader<string> = (raw) =>
  typeof raw === 'string' && isName(raw)
    ? { value: raw }
    : { expected: `a name of 1 to ${NAME_BYTES} bytes without slashes and control characters` };

const isName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  Buffer.byteLength(name) <= NAME_BYTES &&
  !/[/\p{Cc}]/u.test(name);

/** The command's or script's base name without its ending, made a name where it is none. */
export const defaultName = (command: string): string => {
  const base = basename(command);
  const letters = Array.from(basename(base, extname(base)).replace(/\p{Cc}/gu, '_'));
  while (Buffer.byteLength(letters.join('')) > NAME_BYTES) letters.pop();
  const name = letters.join('');
  return isName(name) ? name : 'tanist';
};

export const readDirectory: Reader<string> = (raw) =>
  typeof raw === 'string' && raw !== '' && !raw.includes('\0')
    ? { value: raw }
    : { expected: 'the path of a directory' };

export const readFilePath: Reader<string> = (raw) =>
  typeof raw === 'string' && !/(^|\/)\.{0,2}$/.test(raw) && !raw.includes('\0')
    ? { value: raw }
    : { expected: 'the path of a file' };
