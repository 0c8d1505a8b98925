/**
 * What the kernel tells of a process: where each thread waits, what is open, what is allowed. Never its environment.
 */
import { promises } from 'node:fs';

/** A program with more threads, or more open files, is described by so many of them. */
const MOST_THREADS = 64;
const MOST_DESCRIPTORS = 1_024;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** The text, or in parentheses why there is none. */
const read = async (path: string): Promise<string> => {
  try {
    return (await promises.readFile(path, 'utf8')).trimEnd();
  } catch (error) {
    return `(${codeOf(error)})`;
  }
};

const list = async (path: string, most: number): Promise<readonly string[]> => {
  try {
    return (await promises.readdir(path)).slice(0, most);
  } catch {
    // It is gone, or is not ours to look at: the other files say so.
    return [];
  }
};

/** A field of a status file, such as `State`. */
const field = (status: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '?';

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');

const threadText = async (directory: string, id: string): Promise<string> => {
  const path = `${directory}/${id}`;
  const [status, wchan, syscall, stack] = await Promise.all([
    read(`${path}/status`),
    read(`${path}/wchan`),
    read(`${path}/syscall`),
    read(`${path}/stack`),
  ]);
  return [
    `thread ${id} (${field(status, 'Name')}): ${field(status, 'State')}`,
    `  waits in: ${wchan === '0' ? 'nothing, it runs' : wchan}`,
    `  system call, its arguments, stack and program pointer: ${syscall}`,
    `  kernel stack:\n${indented(stack)}`,
  ].join('\n');
};

const threads = async (pid: number): Promise<string> => {
  const directory = `/proc/${pid}/task`;
  const ids = await list(directory, MOST_THREADS);
  return (await Promise.all(ids.map((id) => threadText(directory, id)))).join('\n');
};

const descriptors = async (pid: number): Promise<string> => {
  const directory = `/proc/${pid}/fd`;
  const names = await list(directory, MOST_DESCRIPTORS);
  const lines = await Promise.all(
    names.map(async (name) => {
      try {
        return `${name} -> ${await promises.readlink(`${directory}/${name}`)}`;
      } catch (error) {
        return `${name} (${codeOf(error)})`;
      }
    }),
  );
  return lines.join('\n');
};

/** What is worth a file, each under its name. */
export const processFiles = (pid: number): Readonly<Record<string, () => Promise<string>>> => ({
  'threads.txt': () => threads(pid),
  'descriptors.txt': () => descriptors(pid),
  'status.txt': () => read(`/proc/${pid}/status`),
  'limits.txt': () => read(`/proc/${pid}/limits`),
  // The kernel needs a lock of the process's memory for it: the others do not wait for that.
  'command.txt': async () => (await read(`/proc/${pid}/cmdline`)).split('\0').join('\n'),
});
