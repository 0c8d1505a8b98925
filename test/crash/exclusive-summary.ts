/**
 * Many runs against exclusive daemons in a few numbers.
 */
import { median } from '../load/summary.js';
import type { ExclusiveResult } from './exclusive-run.js';

export const summaryOf = (results: readonly ExclusiveResult[]): string => {
  const sum = (count: (result: ExclusiveResult) => number): number =>
    results.map(count).reduce((one, other) => one + other, 0);
  const gaps = results.flatMap(({ shortestGapMs }) => (shortestGapMs === null ? [] : [shortestGapMs]));
  const killed = new Map<string, number>();
  for (const { plan } of results) {
    const who = plan.step === null ? 'a supervisor alone' : plan.struck;
    killed.set(who, (killed.get(who) ?? 0) + 1);
  }
  return [
    `${results.length} runs; killed: ${[...killed].map(([who, runs]) => `${who} ${runs}`).join(', ')}`,
    `workers that were active: ${sum(({ workers }) => workers)}; generations: ${sum(({ generations }) => generations)}`,
    `hand-overs from one generation to another: ${gaps.length} runs; shortest gap ${Math.min(...gaps).toFixed(1)} ms, median ${median(gaps).toFixed(1)} ms`,
    `cold starts refused while workers lived: ${sum(({ refusedStarts }) => refusedStarts)}`,
    `runs in which two generations were active together, or that ended otherwise than they must: ${results.filter(({ wrong }) => wrong.length > 0).length}`,
  ].join('\n');
};
