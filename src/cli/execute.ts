/**
 * From words to an exit status: parse, run the one command, tell what went wrong. The only file that exits or prints.
 *
 * The commands come in two bundles: those that supervise or need the machines (program.ts), and those that ask a
 * running supervisor (client.ts), which are a third of the size and start 13 ms sooner (73 ms instead of 86).
 */
import { asTanistError } from '../errors.js';
import { processContext } from '../os/process-context.js';
import { VERSION } from '../version.js';
import type { CommandLineContext } from '../words/context.js';
import { reportError } from '../words/report.js';
import type { Terminal } from '../words/terminal.js';
import { asksForJson, type ParsedCommandLine, parseCommandLine } from './command-line.js';

export const DEFAULT_COLUMNS = 80;

/** A reader that has gone, or a full disk: nobody is left to be told, and the exit status says the rest. */
const write = (stream: NodeJS.WriteStream, text: string): void => {
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  stream.write(text);
};

const terminal: Terminal = {
  out: (text) => write(process.stdout, text),
  err: (text) => write(process.stderr, text),
  columns: process.stdout.columns ?? DEFAULT_COLUMNS,
  isTty: process.stdout.isTTY === true,
};

const contextOf = (): CommandLineContext => ({
  ...processContext(),
  columns: terminal.columns,
});

/** A command with its arguments; help and version are answered here. */
export type Command = Exclude<ParsedCommandLine, { command: 'help' | 'version' }>;
/** Runs one command, and returns its exit status. */
export type Dispatch = (command: Command, terminal: Terminal, context: CommandLineContext) => Promise<number>;

const answer = (parsed: ParsedCommandLine, dispatch: Dispatch): number | Promise<number> => {
  if (parsed.command !== 'help' && parsed.command !== 'version')
    return dispatch(parsed, terminal, contextOf());
  terminal.out(parsed.command === 'help' ? parsed.text : `${VERSION}\n`);
  return 0;
};

/**
 * Runs one command line to its end.
 *
 * @param onMistake is told why the words cannot be read, before anybody else is.
 */
export const exitStatusOf = async (
  argv: readonly string[],
  dispatch: Dispatch,
  onMistake?: (error: unknown) => Promise<void>,
): Promise<number> => {
  try {
    let parsed: ParsedCommandLine;
    try {
      parsed = parseCommandLine(argv, contextOf());
    } catch (error) {
      await onMistake?.(error);
      throw error;
    }
    return await answer(parsed, dispatch);
  } catch (error) {
    return reportError(asTanistError(error), asksForJson(argv), terminal);
  }
};

/** The end of this process. */
export const exitWith = async (status: number): Promise<never> => {
  // Answers that were just written to the control socket are in the kernel after one more turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(status);
};
