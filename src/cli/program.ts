/**
 * The commands that supervise, or need the machines: a bundle of its own (execute.ts).
 */
import { loadBundle } from '../bundle.js';
import { type Dispatch, exitStatusOf, exitWith } from './execute.js';
import { readRunOrigin } from './run-origin.js';

export const dispatch: Dispatch = async (command, terminal, context) => {
  switch (command.command) {
    case 'run':
      return (await import('../running.js')).run(command.settingsInput, context, terminal, readRunOrigin);
    case 'restart': {
      const { restart, restartAgain } = await import('./commands/restart.js');
      return 'target' in command
        ? restartAgain(command.target, context, terminal)
        : restart(command.settingsInput, context, terminal);
    }
    case 'replay':
      return (await import('./commands/replay.js')).replay(command, terminal);
    default:
      return loadBundle<typeof import('./client.js')>('./client.js', import.meta.url).dispatch(
        command,
        terminal,
        context,
      );
  }
};

/** A successor whose command line this version cannot read: its predecessor is told why, not only that it ended. */
const tellPredecessor = async (error: unknown): Promise<void> =>
  (await import('../start-refusal.js')).tellWaiting(error);

/** Runs one command line to its end and exits. */
export const main = async (argv: readonly string[]): Promise<never> =>
  exitWith(await exitStatusOf(argv, dispatch, argv[0] === 'run' ? tellPredecessor : undefined));
