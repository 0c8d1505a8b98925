/**
 * Many light workers: what each of them costs, and whether that grows with their number.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { root, type World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { type Figure, reported, times } from './figure.js';
import { end } from './plain.js';

const WORKER = `${root}test/examples/worker.pl`;
const FEW = 10;
const MANY = 50;
const REPETITIONS = 3;
/** Two shared cores: times within this factor count as equal. */
const TOLERANCE = 1.3;

interface Cost {
  readonly startMs: number;
  readonly reloadMs: number;
  readonly floorMs: number;
}

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
  const reloadMs = await service.reload();
  await service.stop();
  return { startMs, reloadMs, floorMs: await floorMs(world, count) };
};

/** The least of three: other programs can only make it longer, and a slope of noise says nothing. */
const leastCost = async (world: World, count: number): Promise<Cost> => {
  const costs = await times(REPETITIONS, () => costOf(world, count));
  return {
    startMs: Math.min(...costs.map((cost) => cost.startMs)),
    reloadMs: Math.min(...costs.map((cost) => cost.reloadMs)),
    floorMs: Math.min(...costs.map((cost) => cost.floorMs)),
  };
};

export const measureMany = async (world: World): Promise<readonly Figure[]> => {
  const [one, few, many] = [
    await leastCost(world, 1),
    await leastCost(world, FEW),
    await leastCost(world, MANY),
  ];
  const each = (pick: (cost: Cost) => number) => ({
    few: (pick(few) - pick(one)) / (FEW - 1),
    many: (pick(many) - pick(few)) / (MANY - FEW),
  });
  const growth = (what: string, pick: (cost: Cost) => number): Figure => {
    const cost = each(pick);
    const floor = each((all) => all.floorMs);
    return {
      what: `  ${what}, for each more worker`,
      target: 'no growth',
      measured: `up to ${FEW}: ${cost.few.toFixed(1)} ms, up to ${MANY}: ${cost.many.toFixed(1)} ms`,
      floor: `${floor.few.toFixed(1)} ms, ${floor.many.toFixed(1)} ms`,
      missed: cost.many > cost.few * TOLERANCE,
    };
  };
  const floor = `plain Node starts ${MANY}: ${many.floorMs.toFixed(0)} ms`;
  return [
    reported(`${MANY} light workers (Perl): start all`, `${many.startMs.toFixed(0)} ms`, floor),
    reported(`${MANY} light workers (Perl): reload all`, `${many.reloadMs.toFixed(0)} ms`),
    growth('start', (cost) => cost.startMs),
    growth('reload', (cost) => cost.reloadMs),
  ];
};
