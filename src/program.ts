/**
 * What a supervisor runs, as resolved once at its start: respawns use it, the next generation resolves anew.
 */

/** The command of the workers. Nothing is looked up or interpreted after this. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** The start directory, physical: a release symlink that moves does not move it. */
  readonly cwd: string;
  /** The first generation's environment, without what is private to tanist. */
  readonly env: Readonly<Record<string, string>>;
  /** `setpriv`, which ties a process to its parent; null where the system has none. */
  readonly setpriv: string | null;
}

/** The supervisor's own program, to be started again for the next generation. */
export interface Relaunch {
  readonly node: string;
  readonly nodeArgs: readonly string[];
  /** The script as it was named, so that a symlink that moved is followed. */
  readonly script: string;
  readonly args: readonly string[];
  /** As it was named: `$PWD` when that is the working directory. */
  readonly startDirectory: string;
  readonly env: Readonly<Record<string, string>>;
}
