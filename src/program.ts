/**
 * What a supervisor runs, as resolved once at its start: respawns use it, the next generation resolves anew.
 */

/** What the command of the workers runs in, as asked for. */
export interface Surroundings {
  /** Absolute paths, in the order in which they are read. */
  readonly envFiles: readonly string[];
  /** The absolute path as it was named; null for the start directory. */
  readonly chdir: string | null;
  /** Octal; null for the supervisor's own. */
  readonly umask: string | null;
  /** HOME and the like of the user the workers run as; none where that is whoever started it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether an unchanged program of Node's is made a worker; null: if it is one. */
  readonly adopt: boolean | null;
}

/** The command of the workers. Nothing is looked up or interpreted after this. */
export interface Program {
  /** An absolute path. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** The workers' directory, physical: a release symlink that moves does not move it. */
  readonly cwd: string;
  /** The first generation's environment, without what is private to tanist, and the environment files. */
  readonly env: Readonly<Record<string, string>>;
  /** The workers' file mode creation mask, octal; null for the supervisor's own. */
  readonly umask: string | null;
  /** `setpriv`, which ties a process to its parent; null where the system has none. */
  readonly setpriv: string | null;
  /** A script that Node loads before the program, to make it a worker; null for none. */
  readonly preload: string | null;
  /** A script that Node loads before the program, so that it can tell what it does when it hangs; null for none. */
  readonly reporter: string | null;
}

/** The supervisor's own program, to be started again for the next generation. */
export interface Relaunch {
  /** The absolute path of this Node. */
  readonly node: string;
  /** What stands before the script. */
  readonly nodeArgs: readonly string[];
  /** The script as it was named, so that a symlink that moved is followed. */
  readonly script: string;
  /** What stands behind the script. */
  readonly args: readonly string[];
  /** As it was named: `$PWD` when that is the working directory. */
  readonly startDirectory: string;
  /** Of the first generation, without what is private to tanist. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a user may need to do with a path. */
export type Use = 'enter' | 'read' | 'execute' | 'make files in';

/** A path without which nothing runs, or no next generation would. */
export interface Need {
  /** An absolute path. */
  readonly path: string;
  /** What has to be possible there. */
  readonly use: Use;
  /** What it is there for, in words that follow the path. */
  readonly purpose: string;
}
