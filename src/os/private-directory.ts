/**
 * The directory of pid file and control socket: nobody but its owner may put anything there.
 */
import { lstatSync, type Stats } from 'node:fs';
import { TanistError } from '../errors.js';

const ROOT = 0;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

const octal = (mode: number): string => (mode & 0o7777).toString(8);

/** What is wrong with a directory, and what to do about it; null where nothing is. */
export const directoryProblem = (
  path: string,
  found: Pick<Stats, 'uid' | 'mode'> & { isDirectory(): boolean; isSymbolicLink(): boolean },
  owners: readonly number[],
): { readonly message: string; readonly hint: string } | null => {
  if (found.isSymbolicLink())
    return {
      message: `${path} is a symbolic link, a directory was expected`,
      hint: 'Name the directory itself: whoever can change the link could exchange what is behind it.',
    };
  if (!found.isDirectory())
    return { message: `${path} is not a directory`, hint: 'Name another with --run-dir or --pid-file.' };
  if (!owners.includes(found.uid))
    return {
      message: `${path} belongs to user ${found.uid}, ${owners.join(' or ')} was expected`,
      hint: 'Name a directory of your own with --run-dir or TANIST_RUN_DIR, or start tanist as its owner.',
    };
  // In a sticky directory of root, such as /tmp, nobody can replace what is another's; the pid file is looked at itself.
  const isShared = found.uid === ROOT && (found.mode & STICKY) !== 0;
  if ((found.mode & OTHERS_WRITE) !== 0 && !isShared)
    return {
      message: `${path} may be written by others, its mode is ${octal(found.mode)}`,
      hint: `Take that right away (chmod go-w ${path}), or name another directory with --run-dir or TANIST_RUN_DIR.`,
    };
  return null;
};

/**
 * Refuses a directory in which somebody else could put a file in the place of ours.
 *
 * @param owners users to whom it may belong, besides root.
 * @throws {TanistError} `TANIST_RUN_DIR`.
 */
export const checkDirectory = (path: string, owners: readonly number[]): void => {
  const problem = directoryProblem(path, lstatSync(path), [...new Set([...owners, ROOT])]);
  if (problem !== null) throw new TanistError('TANIST_RUN_DIR', problem.message, { hint: problem.hint });
};
