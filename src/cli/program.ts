/**
 * From words to an exit status: parse, run the one command, tell what went wrong. The only file that exits or prints.
 */
import { asTanistError } from '../errors.js';
import { processContext } from '../os/process-context.js';
import { VERSION } from '../version.js';
import type { CommandLineContext } from '../words/context.js';
import { reportError } from '../words/report.js';
import type { Terminal } from '../words/terminal.js';
import { asksForJson, type ParsedCommandLine, parseCommandLine } from './command-line.js';
import { readRunOrigin } from './run-origin.js';
import { screenOf } from './screen.js';

const DEFAULT_COLUMNS = 80;

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

const dispatch = async (parsed: ParsedCommandLine): Promise<number> => {
  switch (parsed.command) {
    case 'help':
      terminal.out(parsed.text);
      return 0;
    case 'version':
      terminal.out(`${VERSION}\n`);
      return 0;
    case 'run':
      return (await import('../running.js')).run(parsed.settingsInput, contextOf(), terminal, readRunOrigin);
    case 'restart': {
      const { restart, restartAgain } = await import('./commands/restart.js');
      return 'target' in parsed
        ? restartAgain(parsed.target, contextOf(), terminal)
        : restart(parsed.settingsInput, contextOf(), terminal);
    }
    case 'logs':
      return (await import('./commands/logs.js')).logs(
        parsed,
        terminal,
        screenOf(process.stdout, DEFAULT_COLUMNS).over,
      );
    case 'inspect':
      return (await import('./commands/inspect.js')).inspect(
        parsed,
        terminal,
        screenOf(process.stdout, DEFAULT_COLUMNS).over,
      );
    case 'why':
      return (await import('./commands/why.js')).why(parsed, terminal);
    case 'replay':
      return (await import('./commands/replay.js')).replay(parsed, terminal);
    case 'reload':
      return (await import('./commands/reload.js')).reload(parsed, terminal);
    case 'scale':
      return (await import('./commands/scale.js')).scale(parsed, terminal);
    case 'stop':
      return (await import('./commands/stop.js')).stop(parsed, terminal);
    case 'status':
      if (!parsed.watch) return (await import('./commands/status.js')).status(parsed, terminal);
      return (await import('./commands/watch.js')).watch(
        parsed,
        terminal,
        screenOf(process.stdout, DEFAULT_COLUMNS),
      );
  }
};

/** A successor whose command line this version cannot read: its predecessor is told why, not only that it ended. */
const parse = async (argv: readonly string[]): Promise<ParsedCommandLine> => {
  try {
    return parseCommandLine(argv, contextOf());
  } catch (error) {
    if (argv[0] === 'run') (await import('../start-refusal.js')).tellWaiting(error);
    throw error;
  }
};

/** Runs one command line to its end and exits. */
export const main = async (argv: readonly string[]): Promise<never> => {
  let status: number;
  try {
    status = await dispatch(await parse(argv));
  } catch (error) {
    status = reportError(asTanistError(error), asksForJson(argv), terminal);
  }
  // Answers that were just written to the control socket are in the kernel after one more turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(status);
};
