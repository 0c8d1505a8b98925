/**
 * `tanist why`: why a process was started or ended, or a reload refused, from the journal, in plain sentences.
 */
import { existsSync } from 'node:fs';
import { findTarget, type TargetQuery } from '../../client/target.js';
import { glance } from '../../client/waiting.js';
import { TanistError } from '../../errors.js';
import { type Chapter, History } from '../../journal/history.js';
import type { Answer } from '../../journal/narration.js';
import { explainLastReload } from '../../journal/reload-answer.js';
import { explainSupervisor } from '../../journal/supervisor-answer.js';
import { explainWorker, livesIn, type WorkerLife } from '../../journal/worker-answer.js';
import { readJournal } from '../../os/journal-reader.js';
import { reportError } from '../../words/report.js';
import { printable, type Terminal } from '../../words/terminal.js';

/** What is asked about. */
export type Question =
  /** A slot, or else a process. */
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'last-reload' }
  /** Every slot, and the last reload. */
  | { readonly kind: 'all' };

export interface WhyArguments {
  readonly question: Question;
  readonly target: TargetQuery;
  /** Absolute; null: the journal of the daemon that is meant. */
  readonly journal: string | null;
  readonly json: boolean;
}

export const why = async (args: WhyArguments, terminal: Terminal): Promise<number> => {
  try {
    const { path, name } = await journalOf(args);
    const chapters = chaptersIn(path, name);
    const answers = answersTo(args.question, chapters, path);
    terminal.out(
      args.json ? `${JSON.stringify({ journal: path, answers })}\n` : answers.map(answerText).join('\n'),
    );
    return 0;
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

interface Source {
  readonly path: string;
  /** Null: whoever is in it. */
  readonly name: string | null;
}

const journalOf = async ({ journal, target: query }: WhyArguments): Promise<Source> => {
  if (journal !== null) return { path: journal, name: query.kind === 'name' ? query.name : null };
  const target = await findTarget(query);
  const reply = await glance(target, new AbortController().signal);
  if (reply.kind !== 'answer') {
    throw new TanistError(
      'TANIST_NOT_RUNNING',
      `${printable(target.name)} cannot be asked where its journal is: it does not ${reply.kind === 'silent' ? 'answer' : 'run'}`,
      { hint: 'Name the file with --journal.' },
    );
  }
  const { name, journal: path } = reply.value;
  if (!path) throw new TanistError('TANIST_NO_JOURNAL', `${printable(name)} has no journal`);
  return { path, name };
};

/** The file that was rotated away is read first, if there is one. */
const chaptersIn = (path: string, name: string | null): readonly Chapter[] => {
  const history = new History();
  for (const file of [`${path}.1`, path]) {
    if (file !== path && !existsSync(file)) continue;
    for (const { entry } of readJournal(file)) if (entry !== null) history.add(entry);
  }
  return name === null ? history.chapters : history.named(name);
};

const unknown = (what: string, path: string): TanistError =>
  new TanistError('TANIST_UNKNOWN_TO_JOURNAL', `the journal ${path} knows nothing of ${what}`);

const lastLife = (
  chapters: readonly Chapter[],
  test: (life: WorkerLife) => boolean,
): WorkerLife | undefined => chapters.flatMap(livesIn).findLast(test);

/** Generations that were in charge at some time: refused ones have had slots of the same numbers. */
const inCharge = (chapters: readonly Chapter[]): readonly Chapter[] =>
  chapters.filter(
    ({ input, facts }) => !input?.handover || facts.some(({ event }) => event.type === 'takeover.charged'),
  );

/** The latest process of each slot of the generation that was in charge last. */
const latestSlots = (chapters: readonly Chapter[]): readonly WorkerLife[] => {
  const chapter = inCharge(chapters).findLast((one) => livesIn(one).length > 0);
  const bySlot = new Map((chapter === undefined ? [] : livesIn(chapter)).map((life) => [life.slot, life]));
  return [...bySlot.values()].filter(({ slot }) => slot > 0).sort((one, other) => one.slot - other.slot);
};

const answersTo = (question: Question, chapters: readonly Chapter[], path: string): readonly Answer[] => {
  switch (question.kind) {
    case 'number': {
      const { number } = question;
      const life = lastLife(inCharge(chapters), ({ slot }) => slot === number);
      return life === undefined ? [aboutPid(number, chapters, path)] : [explainWorker(chapters, life)];
    }
    case 'slot': {
      const life = lastLife(inCharge(chapters), ({ slot }) => slot === question.slot);
      if (life === undefined) throw unknown(`slot ${question.slot}`, path);
      return [explainWorker(chapters, life)];
    }
    case 'pid':
      return [aboutPid(question.pid, chapters, path)];
    case 'last-reload': {
      const answer = explainLastReload(chapters);
      if (answer === null) throw unknown('a reload', path);
      return [answer];
    }
    case 'all': {
      const reload = explainLastReload(chapters);
      const answers = latestSlots(chapters).map((life) => explainWorker(chapters, life));
      const all = reload === null ? answers : [...answers, reload];
      const last = chapters.at(-1);
      if (all.length > 0) return all;
      if (last === undefined) throw unknown('any supervisor', path);
      return [explainSupervisor(chapters, last)];
    }
  }
};

const aboutPid = (pid: number, chapters: readonly Chapter[], path: string): Answer => {
  const life = lastLife(chapters, (one) => one.pid === pid);
  const supervisor = chapters.findLast((chapter) => chapter.pid === pid);
  if (life !== undefined && (supervisor === undefined || life.spawned.time > supervisor.begin.time))
    return explainWorker(chapters, life);
  if (supervisor === undefined) throw unknown(`a process ${pid}`, path);
  return explainSupervisor(chapters, supervisor);
};

const answerText = ({ subject, reason, sentences }: Answer): string => {
  const lines = sentences.map(({ time, seq, text }) => `  ${time}  ${printable(text)} [${seq}]`);
  return `${printable(subject)}: ${printable(reason)}\n${lines.join('\n')}\n`;
};
