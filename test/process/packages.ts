/**
 * Programs of Debian's packages, installed where that is possible without asking anybody.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Longer than any of these takes; a mirror that does not answer must not hold up the tests. */
const APT_TIMEOUT_MS = 120_000;
/** For the hook that installs. */
export const INSTALL_TIMEOUT_MS = 2 * APT_TIMEOUT_MS + 10_000;

const APT = [
  '-q',
  '-o',
  'Acquire::Retries=0',
  '-o',
  'Acquire::http::Timeout=10',
  '-o',
  'DPkg::Lock::Timeout=60',
];

const isInstalled = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Runs apt-get; resolves to null, or to why it failed. */
const aptGet = (...words: readonly string[]): Promise<string | null> =>
  new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFile('apt-get', [...APT, ...words], { env, timeout: APT_TIMEOUT_MS }, (error, _, stderr) =>
      resolve(error === null ? null : (stderr.trim().split('\n').at(-1) ?? error.message)),
    );
  });

/** Sees to it that the programs are there. Resolves to null, or to the line that says why they cannot be. */
export const provide = async (
  programs: readonly string[],
  packages: readonly string[],
): Promise<string | null> => {
  const missing = () => programs.filter((program) => !isInstalled(program));
  if (missing().length === 0) return null;
  const what = `skipped: ${missing().join(', ')} not installed, and cannot be`;
  if (process.getuid?.() !== 0) return `${what} by this user (apt-get install ${packages.join(' ')})`;
  if (!isInstalled('apt-get')) return `${what} without apt-get`;
  const failure =
    (await aptGet('update')) ?? (await aptGet('install', '-y', '--no-install-recommends', ...packages));
  if (failure !== null) return `${what}: ${failure}`;
  return missing().length === 0 ? null : `${what}: the packages do not have them`;
};
