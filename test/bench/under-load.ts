/**
 * What clients see while a service is reloaded again and again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Load } from '../load/load.js';
import { isFailure, monotonicMs, type Sample } from '../load/plan.js';
import {
  ascending,
  outside,
  percentile,
  type Summary,
  summarise,
  type Window,
  within,
} from '../load/summary.js';
import type { World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { type Effort, type Figure, reported, times } from './figure.js';
import { bootMs, end, firstAnswer, startPlain } from './plain.js';

/** Between two reloads, so that there is something to compare with. */
const CALM_MS = 250;
const RATIO_LIMIT = 2;
/** Boots beside a plain service: enough for a percentile, few enough to be quick. */
const PLAIN_BOOTS = 10;
/** The ratio of two percentiles is noise to a fifth: the round in the middle counts. */
const ROUNDS = 3;

interface Run {
  readonly samples: readonly Sample[];
  readonly busy: readonly Window[];
}

/** Puts a service under load and does something disturbing, with a calm moment before each time. */
const disturb = async (
  world: World,
  address: string,
  count: number,
  disturbance: () => Promise<unknown>,
): Promise<Run> => {
  const load = new Load(address, world.env);
  // The first requests compile both ends.
  await pause(CALM_MS * 4);
  const warmAtMs = monotonicMs();
  const busy = await times(count, async () => {
    await pause(CALM_MS);
    const fromMs = monotonicMs();
    await disturbance();
    return { fromMs, toMs: monotonicMs() };
  });
  await pause(CALM_MS);
  const samples = await load.stop();
  return { samples: samples.filter((one) => one.dueAtMs >= warmAtMs || isFailure(one.outcome)), busy };
};

const failuresText = ({ failed, requests, byFailure }: Summary): string => {
  const kinds = Object.entries(byFailure).filter(([, count]) => count > 0);
  const by = kinds.length === 0 ? '' : ` (${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')})`;
  return `${failed} of ${requests}${by}`;
};

const latencyText = (samples: readonly Sample[]): string => {
  const { p50Ms, p99Ms, maxMs } = summarise(samples);
  return `p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(1)} ms`;
};

const lagText = (samples: readonly Sample[]): string => {
  const lags = ascending(samples.map(({ lagMs }) => lagMs));
  return `the generator's own lateness: p50 ${percentile(lags, 0.5).toFixed(1)}, p99 ${percentile(lags, 0.99).toFixed(1)} ms`;
};

const ratioOf = ({ samples, busy }: Run): number =>
  summarise(within(samples, busy)).p99Ms / summarise(outside(samples, busy)).p99Ms;

const reloadUnderLoad = async (
  world: World,
  mode: 'overlap' | 'exclusive',
  { reloadsUnderLoad }: Effort,
): Promise<Run> => {
  const service = new MeasuredDaemon(world, mode, [
    ...['--handoff', mode, '--listen', '127.0.0.1:0', '--workers', '2'],
  ]);
  const address = await service.start();
  const run = await disturb(world, address, reloadsUnderLoad, () => service.reload());
  await service.stop();
  return run;
};

/** The price of the machine: two copies of the service boot beside one that serves. */
const bootUnderLoad = async (world: World, { reloadsUnderLoad }: Effort): Promise<Run> => {
  const plain = await startPlain(world);
  await firstAnswer(plain.port);
  const count = Math.min(PLAIN_BOOTS, reloadsUnderLoad);
  const run = await disturb(world, `127.0.0.1:${plain.port}`, count, () => bootMs(world, 2));
  await end(plain.child);
  return run;
};

const failedFigure = (what: string, { samples }: Run): Figure => {
  const summary = summarise(samples);
  return { what, target: '0', measured: failuresText(summary), floor: '', missed: summary.failed > 0 };
};

export const measureOverlap = async (world: World, effort: Effort): Promise<readonly Figure[]> => {
  const plain = await bootUnderLoad(world, effort);
  const rounds = (await times(ROUNDS, () => reloadUnderLoad(world, 'overlap', effort))).sort(
    (one, other) => ratioOf(one) - ratioOf(other),
  );
  const run = rounds[Math.floor(ROUNDS / 2)] as Run;
  const { samples, busy } = run;
  const ratio = ratioOf(run);
  return [
    failedFigure(`failed requests over ${ROUNDS * effort.reloadsUnderLoad} reloads, overlap`, {
      samples: rounds.flatMap((round) => round.samples),
      busy: [],
    }),
    {
      what: 'p99 during reloads / p99 outside, overlap',
      target: `≤ ${RATIO_LIMIT}`,
      measured: `${ratio.toFixed(2)} (${rounds.map((round) => ratioOf(round).toFixed(2)).join(', ')})`,
      floor: `two plain boots beside a plain service: ${ratioOf(plain).toFixed(2)}`,
      missed: ratio > RATIO_LIMIT,
    },
    reported('  during', latencyText(within(samples, busy)), latencyText(within(plain.samples, plain.busy))),
    reported(
      '  outside',
      latencyText(outside(samples, busy)),
      latencyText(outside(plain.samples, plain.busy)),
    ),
    reported('  of it', lagText(samples), lagText(plain.samples)),
  ];
};

export const measureExclusive = async (world: World, effort: Effort): Promise<readonly Figure[]> => {
  const run = await reloadUnderLoad(world, 'exclusive', effort);
  const { samples, busy } = run;
  return [
    failedFigure(`failed requests over ${effort.reloadsUnderLoad} reloads, exclusive (they wait)`, run),
    reported('  during', latencyText(within(samples, busy))),
    reported('  outside', latencyText(outside(samples, busy))),
  ];
};
