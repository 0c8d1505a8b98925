/**
 * npm run soak [-- --seconds 600] [--seed N] [--rate 100]: ten minutes of load, deaths and reloads, and what has grown in them.
 *
 * Exits 0 only if no request failed that no death explains, every verdict was right, and nothing has grown.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isFailure } from '../load/plan.js';
import { summarise } from '../load/summary.js';
import { World } from '../process/harness.js';
import { growthIn, holdingsTable } from './holdings.js';
import { Soak } from './soak.js';

const MS_PER_SECOND = 1_000;
const LOG_TAIL_CHARS = 6_000;
const SEEDS = 2 ** 31;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string' },
    rate: { type: 'string', default: '100' },
  },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % SEEDS : Number(values.seed);
const ratePerSecond = Number(values.rate);
if (!(seconds > 0 && ratePerSecond > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('--seconds, --rate: expected a number above 0; --seed: expected a whole number\n');
  process.exit(2);
}

const world = new World();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    await world.dispose();
    process.exit(1);
  });
}

const startedAtMs = performance.now();
const say = (what: string): void => {
  const at = ((performance.now() - startedAtMs) / MS_PER_SECOND).toFixed(1);
  process.stderr.write(`${at.padStart(6)} s  ${what}\n`);
};

const soak = async (): Promise<readonly string[]> => {
  const { samples, killed, promoted, refused, series, wrong } = await new Soak(
    world,
    seed,
    ratePerSecond,
  ).play(seconds * MS_PER_SECOND, say);
  const { requests, failed, lost, p50Ms, p99Ms, maxMs } = summarise(samples);
  const ms = [p50Ms, p99Ms, maxMs].map((value) => value.toFixed(0)).join(', ');
  process.stdout.write(
    `${requests} requests: ${failed} failed, ${lost} lost with a worker that was killed; median, p99, longest: ${ms} ms\n` +
      `${killed} workers killed, ${promoted} reloads promoted, ${refused} refused\n` +
      `${holdingsTable(series)}\n`,
  );
  const failures = samples.filter(({ outcome }) => isFailure(outcome));
  const words = failures.slice(0, 5).map(({ outcome, detail }) => `a request failed: ${outcome} ${detail}`);
  return [...wrong, ...words, ...(requests === 0 ? ['there was no load'] : []), ...series.flatMap(growthIn)];
};

process.stdout.write(`soak of ${seconds} s, seed ${seed}\n`);
const wrong = await soak().catch((error: unknown) => [
  error instanceof Error ? (error.stack ?? error.message) : String(error),
]);
for (const words of wrong) process.stdout.write(`WRONG: ${words}\n`);
if (wrong.length > 0) {
  for (const name of readdirSync(world.directory).filter((file) => file.startsWith('log-')))
    process.stderr.write(
      `${name} ends with\n${readFileSync(world.path(name), 'utf8').slice(-LOG_TAIL_CHARS)}\n`,
    );
}
await world.dispose();
process.exit(wrong.length === 0 ? 0 : 1);
