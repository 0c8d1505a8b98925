/**
 * Many light workers: what each of them costs, and whether that grows with their number.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { root, type World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { type Figure, reported, times } from './figure.js';
import { end } from './plain.js';

const WORKER = `${root}test/examples/worker.pl`;
/** What is reported. */
const SOME = 50;
/** Four times as many: below that the slope shows when V8 collects and compiles, and not what a worker costs. */
const MANY = 200;
const REPETITIONS = 3;
/** Two shared cores: times within this factor count as equal. */
const TOLERANCE = 1.3;

interface Cost {
  readonly startMs: number;
  readonly reloadMs: number;
  readonly floorMs: number;
  /** What the first supervisor has computed until its workers were ready, and its successor until it was alone. */
  readonly startCpuMs: number;
  readonly reloadCpuMs: number;
}

const NS_PER_MS = 1e6;

/** The processor time of all threads; the first field of schedstat, in nanoseconds. */
const cpuMsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'))
    .reduce((sum, text) => sum + Number(text.split(' ')[0]) / NS_PER_MS, 0);

/** As many of the same interpreter as plain Node starts them, until each has loaded and spoken. */
const floorMs = async (world: World, count: number): Promise<number> => {
  const startedAt = performance.now();
  const children = Array.from({ length: count }, () =>
    spawn('perl', ['-MIO::Handle', '-MIO::Select', '-MSocket', '-e', '$| = 1; print "."; sleep 60'], {
      env: world.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
  const tookMs = performance.now() - startedAt;
  await Promise.all(children.map(end));
  return tookMs;
};

const costOf = async (world: World, count: number): Promise<Cost> => {
  const service = new MeasuredDaemon(world, 'many', ['--listen', '127.0.0.1:0', '--workers', String(count)]);
  const startedAtMs = Date.now();
  service.launch(['perl', WORKER]);
  // The log says when, to the millisecond; asking for the status would cost what is measured.
  const lines = await service.daemon.manyLines(count, 'worker.ready');
  const startMs = Math.max(...lines.map(({ time }) => Date.parse(String(time)))) - startedAtMs;
  const startCpuMs = cpuMsOf(service.daemon.pid);
  const reloadMs = await service.reload();
  const { pid } = await service.daemon.running(2);
  const reloadCpuMs = cpuMsOf(pid);
  await service.stop();
  return { startMs, reloadMs, floorMs: await floorMs(world, count), startCpuMs, reloadCpuMs };
};

/** The least of three: other programs can only make it longer. */
const leastCost = async (world: World, count: number): Promise<Cost> => {
  const costs = await times(REPETITIONS, () => costOf(world, count));
  const least = (pick: (cost: Cost) => number) => Math.min(...costs.map(pick));
  return {
    startMs: least((cost) => cost.startMs),
    reloadMs: least((cost) => cost.reloadMs),
    floorMs: least((cost) => cost.floorMs),
    startCpuMs: least((cost) => cost.startCpuMs),
    reloadCpuMs: least((cost) => cost.reloadCpuMs),
  };
};

export const measureMany = async (world: World): Promise<readonly Figure[]> => {
  const [one, some, many] = [
    await leastCost(world, 1),
    await leastCost(world, SOME),
    await leastCost(world, MANY),
  ];
  const growth = (what: string, pick: (cost: Cost) => number): Figure => {
    const upToSome = (pick(some) - pick(one)) / (SOME - 1);
    const upToMany = (pick(many) - pick(some)) / (MANY - SOME);
    return {
      what: `  supervisor's processor time for each more worker, ${what}`,
      target: 'no growth',
      measured: `up to ${SOME}: ${upToSome.toFixed(1)} ms, up to ${MANY}: ${upToMany.toFixed(1)} ms`,
      floor: '',
      missed: upToMany > upToSome * TOLERANCE,
    };
  };
  const floor = `plain Node starts ${SOME}: ${some.floorMs.toFixed(0)} ms`;
  return [
    reported(`${SOME} light workers (Perl): start all`, `${some.startMs.toFixed(0)} ms`, floor),
    reported(`${SOME} light workers (Perl): reload all`, `${some.reloadMs.toFixed(0)} ms`),
    growth('start', (cost) => cost.startCpuMs),
    growth('reload', (cost) => cost.reloadCpuMs),
  ];
};
