/**
 * `tanist status --watch`: what runs, again and again, through reloads, restarts and the time between.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Status } from '../../../machines/status.js';
import { findTargets, isOver, nothingRuns, notRunning, type Target } from '../../client/target.js';
import { glance } from '../../client/waiting.js';
import { TanistError } from '../../errors.js';
import { printable, type Terminal } from '../../words/terminal.js';
import type { ClientArguments } from '../client-arguments.js';
import { openPicture, type Screen } from '../screen.js';
import { statusText } from '../status-view.js';

/** Between two looks; faster while a reload is under way, of which there is something to see every moment. */
const LOOK_EVERY_MS = { usually: 1_000, reloading: 200 } as const;
/** Nothing needs to be cut where no terminal shows it. */
const PIPED_COLUMNS = 400;

/** One supervisor in one moment: what it says, or why it says nothing. */
type Sight =
  | { readonly name: string; readonly status: Status }
  | { readonly name: string | null; readonly error: TanistError };

/** @returns 0 when it is asked to end. */
export const watch = async (args: ClientArguments, terminal: Terminal, screen: Screen): Promise<number> => {
  const show = terminal.isTty && !args.json ? live(terminal, screen) : lines(args.json, terminal);
  try {
    while (!screen.over.aborted) {
      const sights = await lookAt(args, screen.over);
      await show.sights(sights);
      const delayMs = sights.some(isReloading) ? LOOK_EVERY_MS.reloading : LOOK_EVERY_MS.usually;
      await pause(delayMs, undefined, { signal: screen.over });
    }
  } catch (thrown) {
    // What was cut short by the end is no error.
    if (!screen.over.aborted) throw thrown;
  } finally {
    show.close();
  }
  return 0;
};

const isReloading = (sight: Sight): boolean => 'status' in sight && sight.status.reload !== null;

const lookAt = async (args: ClientArguments, signal: AbortSignal): Promise<readonly Sight[]> => {
  const targets = await findTargets(args.target);
  if (targets.length === 0) return [{ name: null, error: nothingRuns(args.target) }];
  return Promise.all(targets.map((target) => sightOf(target, signal)));
};

const sightOf = async (target: Target, signal: AbortSignal): Promise<Sight> => {
  const reply = await glance(target, signal);
  if (reply.kind === 'answer') return { name: reply.value.name, status: reply.value };
  return { name: target.name, error: silence(target, reply.kind === 'silent') };
};

const silence = (target: Target, isSilent: boolean): TanistError => {
  if (isSilent) return new TanistError('TANIST_CONTROL_FAILED', `${target.name} does not answer`);
  return isOver(target)
    ? notRunning(target)
    : new TanistError('TANIST_CONTROL_FAILED', `${target.name} starts, or changes hands`);
};

const textOf = async (sights: readonly Sight[], columns: number): Promise<string> => {
  const texts: string[] = [];
  for (const sight of sights) {
    texts.push(
      'status' in sight
        ? await statusText(sight.status, new Date(), columns)
        : `${printable(sight.error.message)}\n`,
    );
  }
  return texts.join('\n');
};

interface Show {
  readonly sights: (sights: readonly Sight[]) => Promise<void>;
  readonly close: () => void;
}

/** On a terminal: one picture, always of now. */
const live = (terminal: Terminal, screen: Screen): Show => {
  const picture = openPicture(terminal, screen);
  let last: readonly Sight[] = [];
  const draw = async () => picture.draw(await textOf(last, screen.columns));
  const stop = screen.onResize(() => void draw());
  return {
    sights: async (sights) => {
      last = sights;
      await draw();
    },
    close: () => {
      stop();
      picture.close();
    },
  };
};

/** Anywhere else: what is new, and only if something is. Ages grow by themselves: they are not news. */
const lines = (json: boolean, terminal: Terminal): Show => {
  let last = '';
  return {
    sights: async (sights) => {
      const now = JSON.stringify(asJson(sights));
      if (now === last) return;
      last = now;
      const text = json ? now : `${new Date().toISOString()}\n${await textOf(sights, PIPED_COLUMNS)}`;
      terminal.out(`${text}\n`);
    },
    close: () => undefined,
  };
};

/** As `tanist status --json` has it: the status itself, or a list of all. */
const asJson = (sights: readonly Sight[]): unknown => {
  const objects = sights.map((sight) =>
    'status' in sight
      ? sight.status
      : { ...(sight.name === null ? {} : { name: sight.name }), ...sight.error.toJSON() },
  );
  return objects.length === 1 ? objects[0] : { daemons: objects };
};
