/**
 * The commands that ask a running supervisor, or read what it left: a bundle of its own (execute.ts).
 */
import { loadBundle } from '../bundle.js';
import { DEFAULT_COLUMNS, type Dispatch, exitStatusOf, exitWith } from './execute.js';
import { screenOf } from './screen.js';

export const dispatch: Dispatch = async (command, terminal, context) => {
  const screen = () => screenOf(process.stdout, DEFAULT_COLUMNS);
  switch (command.command) {
    case 'logs':
      return (await import('./commands/logs.js')).logs(command, terminal, screen().over);
    case 'inspect':
      return (await import('./commands/inspect.js')).inspect(command, terminal, screen().over);
    case 'why':
      return (await import('./commands/why.js')).why(command, terminal);
    case 'reload':
      return (await import('./commands/reload.js')).reload(command, terminal);
    case 'scale':
      return (await import('./commands/scale.js')).scale(command, terminal);
    case 'stop':
      return (await import('./commands/stop.js')).stop(command, terminal);
    case 'status':
      return command.watch
        ? (await import('./commands/watch.js')).watch(command, terminal, screen())
        : (await import('./commands/status.js')).status(command, terminal);
    default:
      return loadBundle<typeof import('./program.js')>('./program.js', import.meta.url).dispatch(
        command,
        terminal,
        context,
      );
  }
};

/** Runs one command line to its end. */
export const exitStatusFor = (argv: readonly string[]): Promise<number> => exitStatusOf(argv, dispatch);

/** Runs one command line to its end and exits. */
export const main = async (argv: readonly string[]): Promise<never> => exitWith(await exitStatusFor(argv));
