/**
 * Why a worker was started, and what became of it.
 */
import type { Effect, JournalEntry } from './entry.js';
import type { Chapter } from './history.js';
import {
  type Answer,
  between,
  durationText,
  exitText,
  factIn,
  inOrder,
  isType,
  lastBefore,
  outcomeText,
  type Sentence,
  sentence,
  viaText,
} from './narration.js';
import { beginning, endings, refusalOf } from './supervisor-answer.js';

/** A process of a worker, from its start. */
export interface WorkerLife {
  readonly chapter: Chapter;
  readonly slot: number;
  readonly pid: number;
  readonly spawned: JournalEntry;
}

interface Reason {
  /** As the end of "was started, since …". */
  readonly text: string;
  readonly sentences: readonly Sentence[];
}

/** Every process of a worker that a supervisor has started. */
export const livesIn = (chapter: Chapter): readonly WorkerLife[] =>
  chapter.facts.flatMap((entry) => {
    const fact = factIn(entry, 'worker.spawned');
    if (fact === null) return [];
    const { pid } = fact;
    const next = chapter.facts.find(
      (one) => one.seq > entry.seq && isType('worker.spawned')(one) && isAboutPid(pid)(one),
    );
    // A standby has no slot of its own before it takes one.
    const promoted = chapter.facts.find(
      (one) =>
        one.seq > entry.seq && one.seq < (next?.seq ?? Number.POSITIVE_INFINITY) && isPromotion(pid)(one),
    );
    return [{ chapter, slot: factIn(promoted, 'worker.promoted')?.slot ?? fact.slot, pid, spawned: entry }];
  });

const isPromotion =
  (pid: number) =>
  (entry: JournalEntry): boolean =>
    factIn(entry, 'worker.promoted')?.pid === pid;

const spawnedSlot = (spawned: JournalEntry): number => factIn(spawned, 'worker.spawned')?.slot ?? 0;

/** A standby that has none is told by that word. */
const nameOf = (slot: number): string => (slot === 0 ? 'A standby' : `Worker ${slot}`);

/** The machine that a report comes from. */
const actorOf = (entry: JournalEntry): string => {
  const { place, slot } = entry.event as { place?: unknown; slot?: unknown };
  return `worker-${String(place ?? slot)}`;
};

const isOrder = (effect: Effect, actor: string): boolean =>
  'send' in effect &&
  effect.send === actor &&
  (effect.event as { type?: unknown } | null)?.type === 'worker.start';

const isAboutPid =
  (pid: number) =>
  ({ event }: JournalEntry): boolean =>
    event.pid === pid;

/** Which limit was behind a kill. */
const killLimit = (cause: string, { settings }: Chapter): string => {
  if (cause.includes('ready in time')) return ` (--start-timeout ${durationText(settings.startTimeoutMs)})`;
  if (cause.includes('drain timeout')) return ` (--drain-timeout ${durationText(settings.drainTimeoutMs)})`;
  if (cause.includes('silent') && settings.watchdogMs !== null)
    return ` (--watchdog ${durationText(settings.watchdogMs)})`;
  return '';
};

/** How the process before it ended, and why it was killed if it was. */
const endOf = (chapter: Chapter, end: JournalEntry): Reason => {
  const exited = factIn(end, 'worker.exited');
  if (exited === null) {
    const { slot, message } = factIn(end, 'spawn.failed') ?? { slot: 0, message: '' };
    const text = `worker ${slot} could not be started: ${message}`;
    return { text, sentences: [sentence(end, `Worker ${slot} could not be started: ${message}.`)] };
  }
  const { slot, pid } = exited;
  const killed = lastBefore(
    chapter,
    end,
    (entry) => isType('worker.killing')(entry) && isAboutPid(pid)(entry),
  );
  const cause = factIn(killed, 'worker.killing')?.cause;
  const who = `worker before it in slot ${slot}, pid ${pid},`;
  const why = cause === undefined ? '' : `, since ${cause}${killLimit(cause, chapter)}`;
  return {
    text: `the ${who} ${exitText(exited)}${why}`,
    sentences: [sentence(end, `The ${who} ${exitText(exited)}${why}.`)],
  };
};

/** Another process of the slot had ended, or could not be started. */
const afterEnd = ({ chapter, spawned }: WorkerLife, end: JournalEntry): Reason => {
  const { text, sentences } = endOf(chapter, end);
  const { respawn, respawnDelayMs } = chapter.settings;
  const limit = `--respawn ${respawn}, --respawn-delay ${durationText(respawnDelayMs)}`;
  const delayed = chapter.facts.find(
    (entry) => entry.seq > end.seq && isType('worker.delayed')(entry) && actorOf(entry) === actorOf(spawned),
  );
  const delay = factIn(delayed, 'worker.delayed');
  if (delayed === undefined || delay === null) return { text, sentences };
  const wait =
    delay.delayMs === 0
      ? `The next one was started at once: the worker had lived for long enough (${limit}).`
      : `The next one had to wait ${durationText(delay.delayMs)}: young deaths in a row ${delay.youngDeaths} (${limit}).`;
  return { text, sentences: [...sentences, sentence(delayed, wait)] };
};

/** The supervisor has ordered the slot to be filled. */
const afterOrder = (
  chapters: readonly Chapter[],
  { chapter, slot }: WorkerLife,
  order: JournalEntry,
): Reason => {
  const scale = factIn(order, 'scale.requested');
  if (scale !== null) {
    const text = `another number of workers was asked for ${viaText(scale.via)}`;
    return {
      text,
      sentences: [sentence(order, `Another number of workers was asked for ${viaText(scale.via)}.`)],
    };
  }
  const exceeded = factIn(order, 'memory.exceeded') ?? factIn(order, 'memory.measured');
  if (exceeded !== null) {
    const text = 'the worker in its slot used more memory than --max-memory allows';
    return {
      text,
      sentences: [sentence(order, `Worker ${exceeded.slot} used more memory than --max-memory allows.`)],
    };
  }
  const refused = factIn(order, 'reload.refused');
  if (refused !== null) {
    const text = `generation ${refused.generation} was ${outcomeText(refused)}, for which the workers had left`;
    return {
      text,
      sentences: [
        sentence(
          order,
          `Generation ${refused.generation} was ${outcomeText(refused)} (${refused.reason}): ${refused.detail}.`,
        ),
      ],
    };
  }
  const { generation, settings } = chapter;
  const began = chapter.input?.handover == null ? 'was started' : 'was started by a reload';
  const what = slot === 0 ? `keeps standbys (--standby ${settings.standby})` : 'filled its slots';
  return {
    text: `generation ${generation} ${began} and ${what}`,
    sentences: beginning(chapters, chapter),
  };
};

const startReason = (chapters: readonly Chapter[], life: WorkerLife): Reason => {
  const { chapter, spawned } = life;
  const actor = actorOf(spawned);
  const ended = lastBefore(
    chapter,
    spawned,
    (entry) => isType('worker.exited', 'spawn.failed')(entry) && actorOf(entry) === actor,
  );
  const ordered = lastBefore(chapter, spawned, ({ effects }) =>
    effects.some((effect) => isOrder(effect, actor)),
  );
  if (ended !== undefined && ended.seq > (ordered?.seq ?? 0)) return afterEnd(life, ended);
  if (ordered !== undefined) return afterOrder(chapters, life, ordered);
  return { text: 'the journal does not say', sentences: beginning(chapters, chapter) };
};

/** One step of a life, as a sentence; null for one that says nothing new. */
const stepText = (
  entry: JournalEntry,
  { slot }: WorkerLife,
  ready: JournalEntry | undefined,
): string | null => {
  const fact = entry.event as { readonly type: string; readonly [key: string]: unknown };
  switch (fact.type) {
    case 'worker.ready':
      return `It was ready after ${durationText(Number(fact.bootMs))}.`;
    case 'worker.promoted':
      return `It took slot ${slot}, as a standby that was ready.`;
    case 'worker.silent':
      return `It had not said takeover for ${durationText(Number(fact.waitedMs))}.`;
    case 'worker.failed':
      return `It had failed (${fact.reason}): ${fact.detail}.`;
    case 'memory.exceeded':
      return `It used more memory than --max-memory allows.`;
    case 'worker.draining':
      return `It was asked to leave within ${durationText(Number(fact.limitMs))} (--drain-timeout): ${fact.cause}.`;
    case 'worker.killing':
      return `Its process group was sent SIGKILL: ${fact.cause}.`;
    case 'worker.exited': {
      const how = exitText(fact as unknown as { code: number | null; signal: string | null });
      return `${nameOf(slot)} ${how}${ready === undefined ? ', and had never been ready' : `, ${between(ready, entry)} after it was ready`}.`;
    }
    default:
      return null;
  }
};

const endReason = (
  chapters: readonly Chapter[],
  { chapter }: WorkerLife,
  steps: readonly JournalEntry[],
): string => {
  const exit = steps.findLast(isType('worker.exited'));
  const ended = factIn(exit, 'worker.exited');
  const killing = factIn(steps.findLast(isType('worker.killing')), 'worker.killing');
  const draining = factIn(steps.findLast(isType('worker.draining')), 'worker.draining');
  const now = steps.at(-1)?.event.type;
  if (killing !== null)
    return `It was killed because ${killing.cause}${killLimit(killing.cause, chapter)}${ended === null ? '; its end is not in the journal' : ''}.`;
  if (draining !== null)
    return `It was asked to leave because ${draining.cause}${ended === null ? ', and leaves' : `, and ${exitText(ended)}`}.`;
  if (ended !== null) return `Nobody had asked it to leave when it ${exitText(ended)}.`;
  const refused = factIn(refusalOf(chapters, chapter), 'reload.refused');
  if (refused !== null)
    return `It was ended with its generation, which was ${outcomeText(refused)} (${refused.reason}).`;
  return now === 'worker.ready'
    ? 'It serves, as far as the journal goes.'
    : 'It is not ready yet, as far as the journal goes.';
};

/** Why a worker's process was started, and why it ended if it did. */
export const explainWorker = (chapters: readonly Chapter[], life: WorkerLife): Answer => {
  const { chapter, slot, pid, spawned } = life;
  const reason = startReason(chapters, life);
  const next = chapter.facts.find(
    (entry) => entry.seq > spawned.seq && isType('worker.spawned')(entry) && isAboutPid(pid)(entry),
  );
  const steps = chapter.facts.filter(
    (entry) =>
      entry.seq > spawned.seq && (next === undefined || entry.seq < next.seq) && isAboutPid(pid)(entry),
  );
  const ready = steps.find(isType('worker.ready'));
  const told = steps.flatMap((entry) => {
    const text = stepText(entry, life, ready);
    return text === null ? [] : [sentence(entry, text)];
  });
  const leaving = steps.find(isType('worker.draining', 'worker.killing'));
  const causes =
    leaving === undefined ? [] : endings(chapters, chapter).filter(({ time }) => time <= leaving.time);
  return {
    subject: `${nameOf(slot)}, pid ${pid}, of generation ${chapter.generation}`,
    reason: `It was started because ${reason.text}. ${endReason(chapters, life, steps)}`,
    sentences: inOrder([
      ...reason.sentences,
      sentence(spawned, `${nameOf(spawnedSlot(spawned))} was started, pid ${pid}.`),
      ...causes.slice(-1),
      ...told,
    ]),
  };
};
