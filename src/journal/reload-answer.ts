/**
 * How the last reload ended, and why.
 */
import type { ReloadVerdict } from '../../machines/status.js';
import type { JournalEntry } from './entry.js';
import type { Chapter } from './history.js';
import {
  type Answer,
  between,
  durationText,
  exitText,
  factIn,
  inOrder,
  isType,
  limitText,
  outcomeText,
  type Sentence,
  sentence,
  viaText,
} from './narration.js';

/** A reload, from the request on, as the generation saw it that was asked. */
interface Attempt {
  readonly chapter: Chapter;
  readonly request: JournalEntry;
  /** Everything behind the request, to the next one that began another. */
  readonly rest: readonly JournalEntry[];
}

const isRequest = isType('reload.requested', 'hangup.received');

/** Whether a request began a reload, or was refused at once: one that joined another is neither. */
const decides = (entry: JournalEntry): boolean =>
  isRequest(entry) && (entry.to !== entry.from || answerOf(entry) !== null || entry.effects.some(isStart));

const isStart = (effect: JournalEntry['effects'][number]): boolean =>
  'spawn' in effect && effect.src === 'reloadMachine';

/** A verdict that was given at once. */
const answerOf = ({ effects }: JournalEntry): ReloadVerdict | null => {
  for (const effect of effects) {
    if (!('send' in effect) || effect.send !== 'control') continue;
    const { type, verdict } = effect.event as { type?: unknown; verdict?: ReloadVerdict };
    if (type === 'control.answer' && verdict !== undefined) return verdict;
  }
  return null;
};

const attemptsIn = (chapter: Chapter): readonly Attempt[] => {
  const { facts } = chapter;
  const places = facts.flatMap((entry, index) => (decides(entry) ? [index] : []));
  return places.map((place, index) => ({
    chapter,
    request: facts[place] as JournalEntry,
    rest: facts.slice(place + 1, places[index + 1]),
  }));
};

const lastAttempt = (chapters: readonly Chapter[]): Attempt | undefined =>
  chapters
    .flatMap(attemptsIn)
    .sort((one, other) => Date.parse(one.request.time) - Date.parse(other.request.time))
    .at(-1);

const wayOf = (request: JournalEntry): string =>
  viaText(factIn(request, 'reload.requested')?.via ?? 'SIGHUP');

/** What the new generation has recorded of itself. */
const successorOf = (chapters: readonly Chapter[], { rest }: Attempt): Chapter | undefined => {
  const started = rest.map((entry) => factIn(entry, 'reload.started')).find((fact) => fact !== null);
  return chapters.findLast(
    ({ pid, generation }) => pid === started?.pid && generation === started?.generation,
  );
};

const successorText = (entry: JournalEntry): string | null => {
  const spawned = factIn(entry, 'worker.spawned');
  if (spawned !== null) return `Its worker ${spawned.slot} was started, pid ${spawned.pid}.`;
  const ready = factIn(entry, 'worker.ready');
  if (ready !== null) return `Its worker ${ready.slot} was ready after ${durationText(ready.bootMs)}.`;
  const exited = factIn(entry, 'worker.exited');
  if (exited !== null) return `Its worker ${exited.slot}, pid ${exited.pid}, ${exitText(exited)}.`;
  const silent = factIn(entry, 'worker.silent');
  if (silent !== null)
    return `Its worker ${silent.slot} had not said takeover for ${durationText(silent.waitedMs)}.`;
  const unspawned = factIn(entry, 'spawn.failed');
  if (unspawned !== null) return `Its worker ${unspawned.slot} could not be started: ${unspawned.message}.`;
  switch (entry.event.type) {
    case 'takeover.asked':
      return 'It asked for takeover: every worker was ready.';
    case 'takeover.activated':
      return 'Its workers may serve.';
    case 'takeover.charged':
      return 'It took charge.';
    case 'predecessor.dead':
      return 'Its predecessor was dead: it went on alone.';
    case 'predecessor.gone':
      return 'Its predecessor was gone.';
    default:
      return null;
  }
};

/** What the new generation did until it was decided. */
const successorSentences = (
  chapter: Chapter | undefined,
  until: JournalEntry | undefined,
): readonly Sentence[] => {
  const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until.time) + 1;
  return (chapter?.facts ?? []).flatMap((entry) => {
    const text = Date.parse(entry.time) > end ? null : successorText(entry);
    return text === null ? [] : [sentence(entry, text)];
  });
};

const predecessorText = ({ request, chapter }: Attempt, entry: JournalEntry): string | null => {
  const started = factIn(entry, 'reload.started');
  if (started !== null)
    return `Generation ${started.generation} was started, pid ${started.pid}, ${between(request, entry)} after the request.`;
  if (entry.event.type === 'handoff.begun') return `Generation ${chapter.generation} granted the takeover.`;
  const activated = factIn(entry, 'reload.activated');
  if (activated !== null && activated.probationMs > 0)
    return `The workers of the new generation served, on probation for ${durationText(activated.probationMs)}, ${between(request, entry)} after the request.`;
  const promoted = factIn(entry, 'reload.promoted');
  if (promoted !== null)
    return `Generation ${promoted.generation} was in charge, ${between(request, entry)} after the request.`;
  const refused = factIn(entry, 'reload.refused');
  if (refused !== null) {
    const limit = limitText(refused.reason, chapter.settings);
    return `Generation ${refused.generation} was ${outcomeText(refused)} (${refused.reason}): ${refused.detail}${limit === null ? '' : `; ${limit}`}.`;
  }
  if (entry.event.type === 'successor.lost') return 'It died after it had taken charge.';
  return null;
};

const reasonOf = ({ request, chapter }: Attempt, decision: JournalEntry | undefined): string => {
  const { generation } = chapter;
  const refused = factIn(decision, 'reload.refused');
  if (refused !== null && decision !== undefined) {
    const limit = limitText(refused.reason, chapter.settings);
    return `It was ${outcomeText(refused)} (${refused.reason}) after ${between(request, decision)}: ${refused.detail}${limit === null ? '' : `; ${limit}`}. Generation ${generation} went on.`;
  }
  const promoted = factIn(decision, 'reload.promoted');
  if (promoted !== null && decision !== undefined)
    return `It succeeded after ${between(request, decision)}: generation ${promoted.generation} (pid ${promoted.pid}) took charge.`;
  const answer = answerOf(request);
  if (answer !== null) return `It was ${answer.outcome} at once (${answer.reason}): ${answer.detail}.`;
  return 'It is not decided, as far as the journal goes.';
};

/** Null where nobody has asked for a reload, as far as the journal goes. */
export const explainLastReload = (chapters: readonly Chapter[]): Answer | null => {
  const attempt = lastAttempt(chapters);
  if (attempt === undefined) return null;
  const { chapter, request, rest } = attempt;
  const decision = rest.findLast(isType('reload.refused')) ?? rest.find(isType('reload.promoted'));
  const told = rest.flatMap((entry) => {
    const text = predecessorText(attempt, entry);
    return text === null ? [] : [sentence(entry, text)];
  });
  return {
    subject: `The last reload, asked for ${wayOf(request)} in generation ${chapter.generation}`,
    reason: reasonOf(attempt, decision),
    sentences: inOrder([
      sentence(request, `A reload was asked for ${wayOf(request)}.`),
      ...told,
      ...successorSentences(successorOf(chapters, attempt), decision),
    ]),
  };
};
