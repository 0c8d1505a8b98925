/**
 * The program as a supervisor: its command line is read, and then it runs itself as `tanist run` would.
 */

import { asTanistError, TanistError } from '../errors.js';
import { startRun } from '../late.js';
import { holdSignals } from '../os/held-signals.js';
import { processContext } from '../os/process-context.js';
import { ownStart, type ScriptStart, scriptCommand, scriptStartOf } from '../os/resolve-program.js';
import { tellWaiting } from '../start-refusal.js';
import type { CommandLineContext } from '../words/context.js';
import { reportError } from '../words/report.js';
import { type DaemonLine, readDaemonLine } from './command-line.js';
import type { DaemonDefinition } from './definition.js';
import { terminal } from './terminal.js';

/** What was used wrongly is explained by the program's own help. */
const withOwnHint = (error: TanistError, script: string): TanistError =>
  error.code === 'TANIST_USAGE'
    ? new TanistError('TANIST_USAGE', error.message, {
        hint: `Run "${script} --help" for all options.`,
        problems: error.problems,
        cause: error,
      })
    : error;

/** Runs the supervisor to its end, or tells why it could not start. Resolves to the exit status. */
export const supervise = async (definition: DaemonDefinition, argv: readonly string[]): Promise<number> => {
  let script = definition.name;
  try {
    const context = { ...processContext(), columns: terminal().columns };
    const start = ownStart(context.cwd, context.env);
    script = start.script;
    const line = readLine(definition, start, argv, context);
    if (line.kind === 'help') {
      terminal().out(line.text);
      return 0;
    }
    // From here on no signal is lost, and none kills.
    holdSignals(true);
    return await startRun(line.settings, context, terminal(), (origin, there) => {
      if (origin.script === undefined || origin.commandLine === null) return null;
      const start = scriptStartOf(origin.command, origin.args, origin.script);
      const earlier = read(definition, start, origin.commandLine, there);
      return earlier.kind === 'run' ? earlier.settings : null;
    });
  } catch (thrown) {
    return reportError(withOwnHint(asTanistError(thrown), script), false, terminal());
  }
};

/** @throws {TanistError} `TANIST_USAGE` or `TANIST_COMMAND_NOT_FOUND`. */
const read = (
  definition: DaemonDefinition,
  start: ScriptStart,
  argv: readonly string[],
  context: CommandLineContext,
): DaemonLine => {
  // The workers get the original arguments, whatever run() was given.
  const own = { ...scriptCommand(context.cwd, start), script: start.script };
  return readDaemonLine(definition, own, argv, context);
};

/** The same; whoever waits for this process, a predecessor or a command, has been told of what is wrong. */
const readLine = (...given: Parameters<typeof read>): DaemonLine => {
  try {
    return read(...given);
  } catch (thrown) {
    tellWaiting(thrown);
    throw thrown;
  }
};
