/**
 * Many cells, some at a time, and the table of what became of them.
 */
import Table from 'cli-table3';
import { someAtATime } from './at-a-time.js';
import { playCell, type Row } from './cell.js';
import { type Cell, victimText } from './steps.js';

/** Plays the cells; `onRow` sees each as soon as it is over. Rows are in the order of the cells. */
export const playCells = (cells: readonly Cell[], onRow?: (row: Row) => void): Promise<readonly Row[]> =>
  someAtATime(cells, playCell, onRow);

export const tableOf = (rows: readonly Row[]): string => {
  const table = new Table({
    head: [
      'mode',
      'step',
      'strike',
      'victim',
      'service lost?',
      'longest wait',
      'cut',
      'verdict',
      'orphans?',
      'together?',
      '',
    ],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { cell, probes, verdict, orphans, together, wrong } of rows) {
    table.push([
      cell.mode,
      cell.step,
      cell.strike,
      victimText(cell.victim),
      probes.unanswered.length === 0 ? 'no' : `LOST ${probes.unanswered.length}`,
      `${probes.longestMs.toFixed(0)} ms`,
      probes.cut,
      verdict,
      orphans === 0 ? 'no' : `${orphans}`,
      cell.mode === 'overlap' ? '' : together.length === 0 ? 'no' : `${together.length}`,
      wrong.length === 0 ? 'ok' : 'WRONG',
    ]);
  }
  return table.toString();
};
