/**
 * Every cell of the crash-point matrix: npm run matrix [-- WORD…], only those whose names have all the words.
 */
import { playCells, tableOf } from './matrix.js';
import { allCells, cellText } from './steps.js';

const words = process.argv.slice(2);
const cells = allCells.filter((cell) => words.every((word) => cellText(cell).includes(word)));
const startedAtMs = performance.now();
let played = 0;
const rows = await playCells(cells, ({ cell, wrong, durationMs }) => {
  played += 1;
  const seconds = (durationMs / 1_000).toFixed(1);
  process.stderr.write(`${played} of ${cells.length}: ${cellText(cell)}, ${seconds} s\n`);
  for (const words of wrong) process.stderr.write(`  WRONG: ${words}\n`);
});
process.stdout.write(`${tableOf(rows)}\n`);
const wrong = rows.filter((row) => row.wrong.length > 0).length;
const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
process.stdout.write(`${rows.length} cells in ${seconds} s, ${wrong} of them not as they must be\n`);
process.exit(wrong === 0 && rows.length > 0 ? 0 : 1);
