/**
 * Attacks on exclusive mode: npm run exclusive -- RUNS [FIRST SEED].
 */
import { someAtATime } from './at-a-time.js';
import { planOf } from './exclusive-plan.js';
import { playExclusive } from './exclusive-run.js';
import { summaryOf } from './exclusive-summary.js';

const [, , count = '500', first = '1'] = process.argv;
const seeds = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
const startedAtMs = performance.now();
const seconds = () => ((performance.now() - startedAtMs) / 1_000).toFixed(0);
const TOLD_EVERY = 20;
let played = 0;
const results = await someAtATime(seeds.map(planOf), playExclusive, ({ wrong }) => {
  played += 1;
  if (played % TOLD_EVERY === 0) process.stderr.write(`${played} of ${seeds.length} runs, ${seconds()} s\n`);
  for (const words of wrong) process.stderr.write(`WRONG: ${words}\n`);
});
process.stdout.write(`${summaryOf(results)}\nin ${seconds()} s\n`);
process.exit(results.length > 0 && results.every(({ wrong }) => wrong.length === 0) ? 0 : 1);
