/**
 * Why a generation began, and why it ended.
 */
import type { JournalEntry } from './entry.js';
import type { Chapter } from './history.js';
import {
  type Answer,
  factIn,
  inOrder,
  isType,
  outcomeText,
  type Sentence,
  sentence,
  viaText,
} from './narration.js';

/** The generation that started this one; undefined for a first one, and where the journal begins later. */
export const predecessorOf = (chapters: readonly Chapter[], chapter: Chapter): Chapter | undefined => {
  const record = chapter.input?.handover?.record;
  if (record === undefined) return undefined;
  return chapters.findLast(
    ({ pid, generation, begin }) =>
      pid === record.predecessor.pid && generation < chapter.generation && begin.time <= chapter.begin.time,
  );
};

/** The request for the reload that started a generation. */
export const requestOf = (predecessor: Chapter, generation: number): JournalEntry | undefined => {
  const started = predecessor.facts.find(
    (entry) => factIn(entry, 'reload.started')?.generation === generation,
  );
  const last =
    started ?? predecessor.facts.find((entry) => factIn(entry, 'reload.refused')?.generation === generation);
  if (last === undefined) return undefined;
  return (
    predecessor.facts.findLast(
      (entry) =>
        entry.seq < last.seq &&
        isType('reload.requested', 'hangup.received')(entry) &&
        entry.to !== entry.from,
    ) ??
    predecessor.facts.findLast(
      (entry) => entry.seq < last.seq && isType('reload.requested', 'hangup.received')(entry),
    )
  );
};

const wayOf = (request: JournalEntry): string =>
  viaText(factIn(request, 'reload.requested')?.via ?? 'SIGHUP');

/** How a generation came to be, in the order in which it happened. */
export const beginning = (chapters: readonly Chapter[], chapter: Chapter): readonly Sentence[] => {
  const { begin, generation, pid, input, settings } = chapter;
  if (input === null)
    return [
      sentence(
        begin,
        `The journal of generation ${generation} (pid ${pid}) begins here; what was before is not in it.`,
      ),
    ];
  if (input.handover === null)
    return [sentence(begin, `${settings.name} was started: generation ${generation}, pid ${pid}.`)];
  const predecessor = predecessorOf(chapters, chapter);
  const request = predecessor && requestOf(predecessor, generation);
  const started = sentence(
    begin,
    `Generation ${generation} began, pid ${pid}, started by generation ${predecessor?.generation ?? '?'} (pid ${input.handover.record.predecessor.pid}).`,
  );
  return request === undefined
    ? [started]
    : [sentence(request, `A reload was asked for ${wayOf(request)}.`), started];
};

const END_TYPES = [
  'stop.requested',
  'hangup.received',
  'reload.promoted',
  'takeover.failed',
  'anchor.ended',
] as const;

const endingText = (entry: JournalEntry): string | null => {
  const stop = factIn(entry, 'stop.requested');
  if (stop !== null) return `A stop was asked for ${viaText(stop.via)}.`;
  const promoted = factIn(entry, 'reload.promoted');
  if (promoted !== null)
    return `Generation ${promoted.generation} (pid ${promoted.pid}) took charge; this one leaves.`;
  const failed = factIn(entry, 'takeover.failed');
  if (failed !== null)
    return `It had failed (${failed.reason}): ${failed.detail}; it waited to be ended by its predecessor.`;
  return null;
};

/** How the generation before decided about this one; undefined where it was not refused. */
export const refusalOf = (chapters: readonly Chapter[], chapter: Chapter): JournalEntry | undefined =>
  predecessorOf(chapters, chapter)?.facts.find(
    (entry) => factIn(entry, 'reload.refused')?.generation === chapter.generation,
  );

const refusal = (entry: JournalEntry): Sentence => {
  const fact = factIn(entry, 'reload.refused');
  return sentence(
    entry,
    `Generation ${entry.generation} ${fact === null ? 'refused' : outcomeText(fact)} generation ${fact?.generation} and ended it (${fact?.reason}): ${fact?.detail}.`,
  );
};

/** Facts that a generation ends because of. */
export const endings = (chapters: readonly Chapter[], chapter: Chapter): readonly Sentence[] => {
  const own = chapter.facts.filter(isType(...END_TYPES)).flatMap((entry) => {
    const text = endingText(entry);
    return text === null ? [] : [sentence(entry, text)];
  });
  const refused = refusalOf(chapters, chapter);
  return refused === undefined ? own : [...own, refusal(refused)];
};

/** The last word about a supervisor; null for one whose end was somebody else's. */
const finalWord = ({ last, facts, generation }: Chapter, wasRefused: boolean): Sentence | null => {
  const final = facts.findLast(({ status }) => status !== undefined);
  if (final?.status === 'error')
    return sentence(final, `Generation ${generation} failed: ${final.error ?? 'for an unknown reason'}.`);
  if (final !== undefined)
    return sentence(
      final,
      `Generation ${generation} ended ${final.to === 'failed' ? 'with a failure' : 'in order'}.`,
    );
  if (wasRefused) return null;
  const state = facts.at(-1)?.to ?? last.to;
  return sentence(
    last,
    `The journal has no more of generation ${generation}: it is in the state ${state}, or was killed since.`,
  );
};

/** Why a supervisor runs, or does not any more. */
export const explainSupervisor = (chapters: readonly Chapter[], chapter: Chapter): Answer => {
  const begun = beginning(chapters, chapter);
  const ends = endings(chapters, chapter);
  const final = finalWord(chapter, refusalOf(chapters, chapter) !== undefined);
  const { generation, pid } = chapter;
  const words = [...begun, ...ends.slice(-1), ...(final === null ? [] : [final])];
  return {
    subject: `The supervisor of generation ${generation}, pid ${pid}`,
    reason: words.map(({ text }) => text).join(' '),
    sentences: inOrder([...begun, ...ends, ...(final === null ? [] : [final])]),
  };
};
