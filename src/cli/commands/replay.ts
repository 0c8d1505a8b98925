/**
 * `tanist replay`: a journal through the machines as they are shipped.
 */
import { TanistError } from '../../errors.js';
import { type JournalEntry, SNAPSHOT } from '../../journal/entry.js';
import { Replay } from '../../journal/replay.js';
import { readJournal } from '../../os/journal-reader.js';
import { reportError } from '../../words/report.js';
import type { Terminal } from '../../words/terminal.js';
import { type Moment, momentJson, momentText, reportJson, reportText } from '../replay-view.js';

export interface ReplayArguments {
  /** Files of one journal, the oldest first. Absolute. */
  readonly files: readonly string[];
  /** The number of the last event to replay; null for all. */
  readonly until: number | null;
  readonly json: boolean;
}

/** The journal differs from the machine. */
const DIFFERENT = 1;

/** @returns 0: the same; 1: a difference; 2: not a journal, or nothing in it that can be replayed. */
export const replay = (args: ReplayArguments, terminal: Terminal): number => {
  try {
    return args.until === null ? whole(args, terminal) : moment(args, args.until, terminal);
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const whole = ({ files, json }: ReplayArguments, terminal: Terminal): number => {
  const run = new Replay();
  const cut: string[] = [];
  for (const file of files) {
    for (const { number, entry } of readJournal(file)) {
      if (entry === null) cut.push(`${file}, line ${number}`);
      else run.add(entry);
    }
  }
  const { recordings, differences } = run;
  if (recordings.length === 0) throw nothing(files, 'is empty');
  if (differences.length === 0 && recordings.every(({ events, snapshots }) => events + snapshots === 0))
    throw nothing(files, 'has neither a beginning nor a snapshot: nothing of it can be replayed');
  terminal.out(json ? `${JSON.stringify(reportJson(run, cut))}\n` : reportText(run, cut));
  return differences.length === 0 ? 0 : DIFFERENT;
};

const nothing = (files: readonly string[], why: string): TanistError =>
  new TanistError('TANIST_JOURNAL_UNREADABLE', `${files.join(', ')} ${why}`);

const moment = ({ files, json }: ReplayArguments, until: number, terminal: Terminal): number => {
  const run = new Replay();
  let found: JournalEntry | null = null;
  entries: for (const file of files) {
    for (const { entry } of readJournal(file)) {
      if (entry === null) continue;
      // Snapshots behind an event have its number, and belong to it.
      const isBehind = entry.seq !== until || entry.event.type !== SNAPSHOT || entry.pid !== found?.pid;
      if (found !== null && isBehind) break entries;
      run.add(entry);
      if (entry.seq === until) found ??= entry;
    }
  }
  if (found === null) throw missing(run, until);
  const seen: Moment = { run, at: found };
  terminal.out(json ? `${JSON.stringify(momentJson(seen))}\n` : momentText(seen));
  return run.differences.length === 0 ? 0 : DIFFERENT;
};

const missing = ({ recordings }: Replay, until: number): TanistError => {
  const ranges = recordings.map(({ firstSeq, lastSeq }) => `${firstSeq} to ${lastSeq}`);
  return new TanistError('TANIST_USAGE', `--until ${until}: the journal has no such event`, {
    hint:
      ranges.length === 0 ? 'The journal is empty.' : `It has those with the numbers ${ranges.join(', ')}.`,
  });
};
