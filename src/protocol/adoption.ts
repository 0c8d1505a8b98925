/**
 * Where the preload of `--adopt` and `tanist/worker` meet in one process, whatever copies of the package they are from.
 */
export const ADOPTION = Symbol.for('tanist.adoption');

/** The preload, as `tanist/worker` sees it. */
export interface Adoption {
  /** The program has loaded `tanist/worker`: it may say for itself when it is ready. */
  meet(): void;
  /**
   * The program wants to speak with its supervisor: the worker that does so already, or null, and then the preload
   * does nothing more.
   */
  connect(): object | null;
}
