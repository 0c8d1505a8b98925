/**
 * One cell of the matrix, on real processes: a reload, a step, somebody who is killed or stopped there, and whether
 * all is as it must be.
 */
import type { ReloadVerdict } from '../../machines/status.js';
import { isRunning, until } from '../process/harness.js';
import { intervalsOf, marksIn, overlaps } from './activity.js';
import { type ProbeReport, Prober } from './prober.js';
import { Scene, StepMissed, TAKEOVER_TIMEOUT_MS } from './scene.js';
import { type Cell, expectationOf } from './steps.js';

/** A new connection must be answered within the takeover timeout and a second. */
const LIMIT_MS = TAKEOVER_TIMEOUT_MS + 1_000;
/** Answers that show that somebody serves. */
const SOME = 5;

export interface Row {
  readonly cell: Cell;
  /** What `tanist reload` said, and what became of it. */
  readonly verdict: string;
  readonly probes: ProbeReport;
  /** Processes that were left after the stop. */
  readonly orphans: number;
  /** Pairs of workers of two generations that were active together, in words. */
  readonly together: readonly string[];
  /** Everything that is not as it must be, in words. */
  readonly wrong: readonly string[];
  readonly durationMs: number;
}

const wordsOf = ({ outcome, reason }: Pick<ReloadVerdict, 'outcome' | 'reason'>): string =>
  reason === null ? outcome : `${outcome}: ${reason}`;

/** Plays the reload of a cell; what is not as it must be is added to `wrong`. */
const play = async (cell: Cell, scene: Scene, prober: Prober, wrong: string[]): Promise<string> => {
  const check = (good: boolean, words: string) => {
    if (!good) wrong.push(words);
  };
  const served = (when: string) => {
    const already = prober.answered;
    return until(`answers ${when}`, () => prober.answered >= already + SOME);
  };
  const expected = expectationOf(cell);
  await served('before the reload');
  const { victim, told } = await scene.strike();
  const answer = await told;
  const verdict = wordsOf(answer.verdict);
  check(expected.verdicts.includes(verdict), `said ${verdict}, expected ${expected.verdicts.join(' or ')}`);
  check(answer.status === (verdict === 'promoted' ? 0 : 4), `the verdict came with status ${answer.status}`);
  await served('after the verdict');
  const hangsInCharge =
    cell.victim.role === 'successor' && cell.strike === 'SIGSTOP' && verdict === 'promoted';
  // Nobody is there to judge a supervisor in charge; everybody else who hangs is ended.
  if (hangsInCharge) process.kill(victim, 'SIGCONT');
  else await until(`the end of ${victim}, which was struck`, () => !isRunning(victim));
  const afterwards = expected.afterwards ?? verdict;
  const status = await scene.daemon.settled(afterwards === 'promoted' ? 2 : 1);
  check(scene.pidInFile() === status.pid, `the pid file says ${scene.pidInFile()}, not ${status.pid}`);
  const last = status.lastReload === null ? 'nothing' : wordsOf(status.lastReload);
  check(last === afterwards, `the status says ${last} of the reload, expected ${afterwards}`);
  await served('at the end');
  return last === verdict ? verdict : `${verdict}, then ${last}`;
};

const NO_PROBES: ProbeReport = { answered: 0, unanswered: [], cut: 0, longestMs: 0 };

/** Each once, with how often it was said. */
const counted = (words: readonly string[]): readonly string[] =>
  [...new Set(words)].map((one) => `${words.filter((other) => other === one).length} connections: ${one}`);

/** Of the log of a cell that went wrong: a reload writes some 3,000. */
const LOG_CHARACTERS = 8_000;

/** One try. */
const tryCell = async (cell: Cell): Promise<Omit<Row, 'durationMs'> | StepMissed> => {
  const wrong: string[] = [];
  const scene = new Scene(cell);
  let missed: StepMissed | null = null;
  const failed = (error: unknown) => {
    if (error instanceof StepMissed) missed = error;
    else wrong.push(error instanceof Error ? error.message : String(error));
    return 'none';
  };
  let probes = NO_PROBES;
  let verdict = 'none';
  try {
    const prober = new Prober(await scene.started(), LIMIT_MS);
    verdict = await play(cell, scene, prober, wrong).catch(failed);
    probes = await prober.stop();
    wrong.push(...counted(probes.unanswered));
    await scene.stop();
  } catch (error) {
    failed(error);
  }
  try {
    const orphans = scene.world.processes().length;
    if (orphans > 0) wrong.push(`${orphans} processes were left`);
    const intervals = intervalsOf(marksIn(scene.activity));
    const together = overlaps(intervals);
    if (cell.mode === 'exclusive') wrong.push(...together);
    // A worker that is killed takes the connection along that it was answering; one that leaves finishes it.
    const killed = intervals.filter(({ ended }) => !ended).length;
    if (probes.cut > killed) wrong.push(`${probes.cut} connections were cut by ${killed} workers' deaths`);
    if (wrong.length > 0) wrong.push(`the log ends with\n${scene.daemon.log().slice(-LOG_CHARACTERS)}`);
    return wrong.length === 0 && missed !== null
      ? missed
      : { cell, verdict, probes, orphans, together, wrong };
  } finally {
    await scene.world.dispose();
  }
};

/** A step that is missed is tried again; that nobody was struck, and all was well, proves nothing. */
const TRIES = 3;

export const playCell = async (cell: Cell): Promise<Row> => {
  const startedAtMs = performance.now();
  const misses: string[] = [];
  while (misses.length < TRIES) {
    const row = await tryCell(cell);
    const durationMs = performance.now() - startedAtMs;
    if (!(row instanceof StepMissed)) return { ...row, durationMs };
    misses.push(row.message);
  }
  const durationMs = performance.now() - startedAtMs;
  return { cell, verdict: 'none', probes: NO_PROBES, orphans: 0, together: [], wrong: misses, durationMs };
};
