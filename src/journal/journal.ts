/**
 * The journal of one supervisor: its recorder, the file it is written to, and who listens to it.
 */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import type { SupervisorContext } from '../../machines/supervisor.js';
import type { JournalFile } from '../os/journal-file.js';
import { firstSeqAfter, formatEntry, type JournalEntry, SEQ_BLOCK } from './entry.js';
import { createFeed, type Feed } from './feed.js';
import { createRecorder, type SnapshotCause } from './recorder.js';

export interface JournalOptions {
  readonly generation: number;
  readonly pid: number;
  readonly tanist: string;
  readonly now: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
  /** Null: recorded only while somebody listens. */
  readonly file: JournalFile | null;
  /** Tells an operator that lines are lost, or that writing works again. */
  readonly tell: (level: 'warn', event: string, msg: string, fields: object) => void;
}

export interface Journal {
  /** To be called before the supervisor is started. */
  attach(supervisor: AnyActorRef): void;
  /** For the control socket. */
  readonly listen: Feed['listen'];
  /** Writes what has been processed, at once: the process is about to exit. */
  flush(): void;
}

/** An entry that JSON has no words for is missing, and a replay says so. */
const lineOf = (entry: JournalEntry): string => {
  try {
    return formatEntry(entry);
  } catch {
    return '';
  }
};

/** Only the supervisor in charge, while no other generation writes to the file. */
const mayRotate = (supervisor: AnyActorRef): boolean => {
  const { context, status } = supervisor.getSnapshot() as AnyMachineSnapshot;
  const { link, inCharge } = context as SupervisorContext;
  return status === 'active' && link === 'none' && inCharge;
};

const LOCKING = 'idle.locking';

export const createJournal = (options: JournalOptions): Journal => {
  const { file, generation, tell } = options;
  let supervisor: AnyActorRef | null = null;
  let stop: (() => void) | null = null;
  let lost = 0;
  /** What was recorded before the lock was ours: where somebody else has it, the file is his. */
  let held: JournalEntry[] | null = file === null ? null : [];

  /** A file begins with how things are, so that it can be replayed by itself. */
  const head = (journal: JournalFile, cause: SnapshotCause, fields: object = {}): boolean => {
    const isWritten = journal.append(recorder.snapshots(cause, fields).map(lineOf).join(''));
    if (isWritten) journal.headed();
    return isWritten;
  };

  const append = (journal: JournalFile, lines: readonly string[]): void => {
    if (!journal.append(lines.join(''))) {
      if (lost === 0)
        tell('warn', 'journal.failed', `the journal ${journal.path} cannot be written`, {
          path: journal.path,
        });
      lost += lines.length;
      return;
    }
    if (lost > 0 && head(journal, 'resumed', { lost })) {
      tell('warn', 'journal.resumed', `${lost} lines of the journal could not be written`, { lost });
      lost = 0;
    }
    const turn = supervisor === null ? null : journal.turn(mayRotate(supervisor));
    if (turn !== null) head(journal, turn);
  };

  /** The entries that may be written now. */
  const released = (entries: readonly JournalEntry[]): readonly JournalEntry[] => {
    if (held === null) return entries;
    held.push(...entries);
    const own = held.filter(({ actor }) => actor === 'supervisor');
    if (own.some(({ event }) => event.type === 'lock.held')) {
      detach();
      return [];
    }
    if (own.at(-1)?.to === LOCKING) return [];
    const all = held;
    held = null;
    return all;
  };

  const write = (entries: readonly JournalEntry[]): void => {
    const ready = released(entries);
    const lines = ready.map(lineOf);
    if (file !== null && lines.length > 0) append(file, lines);
    feed.push(ready, lines);
  };

  const recorder = createRecorder({
    ...options,
    firstSeq: Math.max(firstSeqAfter(file?.lastSeq ?? 0), (generation - 1) * SEQ_BLOCK + 1),
    write,
  });

  const detach = (): void => {
    stop?.();
    stop = null;
  };

  const record = (): void => {
    if (stop === null && supervisor !== null) stop = recorder.attach(supervisor);
  };

  const feed = createFeed({
    record: () => {
      record();
      return () => {
        if (file === null) detach();
      };
    },
    isRecorded: file !== null,
    snapshots: recorder.snapshots,
    now: options.now,
    setTimer: options.setTimer,
  });

  return {
    attach(actor) {
      supervisor = actor;
      if (file !== null) record();
    },
    listen: feed.listen,
    flush: () => recorder.flush(),
  };
};
