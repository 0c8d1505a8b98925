import type { ReadOrigin } from '../client/intent.js';
import { parseCommandLine } from './command-line.js';

/** The words of `tanist run`. */
export const readRunOrigin: ReadOrigin = ({ commandLine, script }, context) => {
  if (commandLine === null || script !== undefined) return null;
  const parsed = parseCommandLine(commandLine, context);
  return parsed.command === 'run' ? parsed.settingsInput : null;
};
