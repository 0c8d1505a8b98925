/**
 * The folders of evidence: one for each process, private, and only the last ones are kept.
 */
// Node loads the promises when they are used first: a supervisor whose workers never hang does without.
import { promises } from 'node:fs';
import { join } from 'node:path';
import { DEFAULTS } from '../../../machines/policy.js';

const PRIVATE = 0o700;
const OTHERS_WRITE = 0o022;

/** When, which slot, which process: in the order of their names they are in the order of time. */
const NAME = /^\d{8}T\d{6}\.\d{3}Z-\d+-\d+$/;

const nameOf = (at: Date, slot: number, pid: number): string =>
  `${at.toISOString().replaceAll(/[-:]/g, '')}-${slot}-${pid}`;

const isThere = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EEXIST';

/** @throws the system's error, or one that says what is wrong with what is there. */
const makeDirectory = async (path: string): Promise<void> => {
  try {
    await promises.mkdir(path, { mode: PRIVATE });
  } catch (error) {
    if (!isThere(error)) throw error;
    const found = await promises.lstat(path);
    if (!found.isDirectory()) throw new Error(`${path} is not a directory`);
    if (found.uid !== (process.geteuid?.() ?? found.uid) || (found.mode & OTHERS_WRITE) !== 0)
      throw new Error(`${path} is not ours alone to write`);
  }
};

/** What is not ours by its name is left. */
const prune = async (directory: string): Promise<void> => {
  const names = (await promises.readdir(directory)).filter((name) => NAME.test(name)).sort();
  for (const name of names.slice(0, -DEFAULTS.evidenceKept))
    await promises.rm(join(directory, name), { recursive: true, force: true });
};

/**
 * Makes a new folder, mode 0700, and removes the oldest beyond the number that is kept.
 *
 * @throws the system's error; an older folder that cannot be removed stays.
 */
export const makeFolder = async (directory: string, slot: number, pid: number): Promise<string> => {
  await makeDirectory(directory);
  const folder = join(directory, nameOf(new Date(), slot, pid));
  await promises.mkdir(folder, { mode: PRIVATE });
  await prune(directory).catch(() => {
    // Whoever looks for evidence finds too much of it; the next one tries again.
  });
  return folder;
};
