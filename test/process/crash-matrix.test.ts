/**
 * Somebody is killed or stopped at each step of a hand-over, on real processes (test/crash).
 *
 * `npm run matrix` plays all cells and takes minutes; here are those of the table in ARCHITECTURE.md.
 */
import { expect, it } from 'vitest';
import { playCells, tableOf } from '../crash/matrix.js';
import { cellText, fewCells } from '../crash/steps.js';

/** Four cells at a time, of which one takes two to ten seconds on two busy cores, and three times that on crowded ones. */
const LIMIT_MS = 540_000;

it(
  'whoever is killed or hangs at whatever step of a hand-over: the service is not lost, the verdict is true, nobody is left, and exclusive generations are never active together',
  async () => {
    const rows = await playCells(fewCells);
    console.log(tableOf(rows));
    expect(rows.length).toBeGreaterThan(50);
    const wrong = rows.flatMap((row) => row.wrong.map((words) => `${cellText(row.cell)}: ${words}`));
    expect(wrong).toEqual([]);
  },
  LIMIT_MS,
);
