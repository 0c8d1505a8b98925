/**
 * npm run fault -- 100000 [first seed]: as many seeded runs as wanted, outside of the test runner.
 */
import { campaign, explain } from './campaign.js';

const [, , count = '2000', first = process.env.TANIST_SEED ?? '1'] = process.argv;
const BATCH = 1_000;
const begin = performance.now();
const end = Number(first) + Number(count);
for (let seed = Number(first); seed < end; seed += BATCH) {
  const { failed, runs, steps, successors, faults } = await campaign(seed, Math.min(BATCH, end - seed));
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `seeds ${seed} to ${seed + runs - 1}: ${steps} steps, ${successors} successors, ${faults} faults, ${seconds} s`,
  );
  if (failed === null) continue;
  console.log(await explain(failed));
  process.exitCode = 1;
  break;
}
