import type { SettingsContext } from '../config.js';

/** What a command line is read in. */
export interface CommandLineContext extends SettingsContext {
  /** Width for the help. */
  readonly columns: number;
}
