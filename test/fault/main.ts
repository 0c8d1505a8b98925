/**
 * npm run fault -- 100000 [first seed]: as many seeded runs as wanted, outside of the test runner, on every processor.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { campaign, explain } from './campaign.js';

const BATCH = 250;

interface Part {
  readonly first: number;
  readonly count: number;
}

interface Outcome {
  readonly text: string;
  /** What a seed of this part broke, in words; null for nothing. */
  readonly problem: string | null;
}

const play = async (part: Part): Promise<Outcome> => {
  const { failed, runs, steps, successors, faults } = await campaign(part.first, part.count);
  const text = `seeds ${part.first} to ${part.first + runs - 1}: ${steps} steps, ${successors} successors, ${faults} faults`;
  return { text, problem: failed === null ? null : await explain(failed) };
};

const [, , count = '2000', first = process.env.TANIST_SEED ?? '1'] = process.argv;

/** In threads, since a run is nothing but computing. The first part that fails ends it. */
const playAll = async (): Promise<void> => {
  const begin = performance.now();
  const end = Number(first) + Number(count);
  let next = Number(first);
  const one = async (): Promise<void> => {
    // One for many parts: what it has compiled it keeps.
    const worker = new Worker(fileURLToPath(import.meta.url));
    while (next < end) {
      const part: Part = { first: next, count: Math.min(BATCH, end - next) };
      next += part.count;
      worker.postMessage(part);
      const [{ text, problem }] = (await once(worker, 'message')) as [Outcome];
      console.log(`${text}, ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
      if (problem === null) continue;
      console.log(problem);
      next = end;
      process.exitCode = 1;
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
};

if (isMainThread) await playAll();
else parentPort?.on('message', async (part: Part) => parentPort?.postMessage(await play(part)));
