/**
 * Environment files, read anew by every generation.
 */
import { readFileSync, statSync } from 'node:fs';
import { type Problem, TanistError } from '../errors.js';
import { parseEnvFile } from '../settings/env-file.js';

/** What is longer is no list of variables: the system takes no more than a few megabytes of them. */
const MOST_BYTES = 1_048_576;

/**
 * The variables of all files together; of several values of one name the last one counts.
 *
 * @param paths absolute.
 * @throws {TanistError} `TANIST_ENV_FILE` with every mistake of every file, each with file and line.
 */
export const readEnvFiles = (paths: readonly string[]): Readonly<Record<string, string>> => {
  const values: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const path of paths) {
    const text = readText(path);
    if ('problem' in text) {
      problems.push({ option: path, message: `${path}: ${text.problem}` });
      continue;
    }
    const content = parseEnvFile(text.value);
    Object.assign(values, content.values);
    for (const { line, message } of content.mistakes) {
      problems.push({ option: `${path}:${line}`, message: `${path}:${line}: ${message}` });
    }
  }
  const [first] = problems;
  if (first === undefined) return values;
  const message =
    problems.length === 1
      ? `environment file ${first.message}`
      : [`${problems.length} mistakes in environment files`, ...problems.map((one) => one.message)].join(
          '\n  ',
        );
  throw new TanistError('TANIST_ENV_FILE', message, { problems });
};

const readText = (path: string): { value: string } | { problem: string } => {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return { problem: 'does not exist' };
    // A pipe could be read only once, and never by the next generation.
    if (!found.isFile()) return { problem: 'is not a regular file' };
    if (found.size > MOST_BYTES) return { problem: `is larger than ${MOST_BYTES} bytes` };
    return { value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path)) };
  } catch (error) {
    if (error instanceof TypeError) return { problem: 'is not UTF-8 text' };
    return { problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
};
