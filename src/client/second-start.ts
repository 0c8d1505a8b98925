/**
 * A start while the lock is held: the same again is a reload, anything else is refused with the difference.
 */
import type { Status } from '../../machines/status.js';
import type { CommandLineSettings } from '../config.js';
import { asTanistError, TanistError } from '../errors.js';
import type { CommandLineContext } from '../words/context.js';
import { printable, type Terminal } from '../words/terminal.js';
import { difference, intentOf, intentOfOrigin, type ReadOrigin } from './intent.js';
import type { Target } from './target.js';
import { requestVerdict, tellVerdict } from './verdict.js';
import { askHolder } from './waiting.js';

/**
 * Asks the supervisor that holds the lock to reload, if this start means the same, and tells the verdict.
 *
 * Nothing of ours runs: whatever happens here, the one that runs goes on.
 *
 * @param held that the lock is held, and by which pid, in words.
 * @returns the exit status of `tanist reload`.
 * @throws {TanistError} `TANIST_LOCK_HELD` with what is different, or why it cannot be asked.
 */
export const secondStart = async (
  held: string,
  words: CommandLineSettings,
  context: CommandLineContext,
  terminal: Terminal,
  readOrigin: ReadOrigin,
): Promise<number> => {
  const ours = await intentOf(words, context);
  const { name, pidFile, control } = ours.resolved.settings;
  // Whoever was refused a lock has asked for one, and has a control socket.
  if (pidFile === null || control === null) throw lockHeld(held, 'it cannot be asked to reload');
  const target = { name, pidFile, controlPath: control };
  const status = await holder(target, held);
  const refused = (reason: string, hint?: string) => {
    const who = `${printable(status.name)} (pid ${status.pid})`;
    return lockHeld(`already running: ${who} holds the lock of ${pidFile}`, reason, hint);
  };
  if (status.state === 'stopping') {
    throw refused('it is stopping', 'Start it again when it has ended: "tanist stop" waits for that.');
  }
  const theirs =
    status.origin &&
    (await intentOfOrigin(status.origin, context, readOrigin).catch((thrown: unknown) => {
      throw refused(`what it runs cannot be looked up any more: ${asTanistError(thrown).message}`, RESTART);
    }));
  if (!theirs) {
    const by = status.origin && printable([status.origin.command, ...status.origin.args].join(' '));
    throw refused(`it was started in another way than this${by === null ? '' : `: it supervises \`${by}\``}`);
  }
  const what = difference(theirs, ours);
  if (what !== null) throw refused(what, RESTART);
  terminal.err(`${printable(name)} runs already (pid ${status.pid}): asked it to reload\n`);
  if (ours.resolved.page !== null) terminal.err('no page is opened: "tanist inspect" opens one\n');
  const verdict = await requestVerdict(target, new AbortController().signal);
  if (verdict.reason === 'not-reloadable') throw refused('it allows no reload', RESTART);
  return tellVerdict(verdict, target, false, terminal);
};

const RESTART =
  'Use "tanist restart" with these words to run this instead, or another --name to run beside it.';

/** Who holds the lock, by its own word. */
const holder = async (target: Target, held: string): Promise<Status> => {
  try {
    return await askHolder(target);
  } catch (thrown) {
    const error = asTanistError(thrown);
    throw error.code === 'TANIST_NOT_RUNNING'
      ? lockHeld(held, 'it has ended meanwhile', 'Start it again.')
      : lockHeld(held, `it cannot be asked to reload: ${error.message}`, hintOf(error));
  }
};

/** That what was asked goes on is no advice here: nothing was asked for yet. */
const hintOf = (error: TanistError): string | undefined =>
  error.code === 'TANIST_TIMEOUT' ? undefined : error.hint;

const lockHeld = (held: string, reason: string, hint?: string): TanistError =>
  new TanistError('TANIST_LOCK_HELD', `${held}; ${reason}`, hint === undefined ? {} : { hint });
