/**
 * How long things take without load: start, reload, refusal, respawn.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../load/summary.js';
import { get, root, type World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { difference, type Effort, exact, type Figure, spread, times } from './figure.js';
import { KillAndAsk } from './kill-and-ask.js';
import { bootMs, deathMs, firstAnswer, freePort, lifeMs } from './plain.js';
import { PlainSpare } from './plain-spare.js';

/** A program of Node that does nothing: so much of a start is nobody's but Node's. */
const EMPTY = ['--eval', ''];

/** A start needs one Node beside the worker, a reload two, one after the other: the command and the successor. */
const emptyText = (count: number, values: readonly number[]): string =>
  `Node that does nothing, ${count === 1 ? 'once' : 'twice'}: ${(count * median(values)).toFixed(0)} ms`;

export const measureStart = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => {
  const [floor, empty]: [number[], number[]] = [[], []];
  const measured = await times(repetitions, async () => {
    floor.push(await bootMs(world, 1));
    empty.push(await lifeMs(world, EMPTY));
    const port = await freePort();
    const service = new MeasuredDaemon(world, 'start', ['--listen', `127.0.0.1:${port}`]);
    const startedAt = performance.now();
    service.launch();
    await firstAnswer(port);
    const tookMs = performance.now() - startedAt;
    await service.daemon.running();
    await service.stop();
    return tookMs;
  });
  return [
    difference('start: command → first answer, minus boot', 250, measured, {
      what: `${emptyText(1, empty)}; boot, 1 process`,
      values: floor,
    }),
  ];
};

export const measureReload = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => {
  const service = new MeasuredDaemon(world, 'reload', ['--listen', '127.0.0.1:0', '--workers', '2']);
  await service.start();
  const [floor, empty]: [number[], number[]] = [[], []];
  const measured = await times(repetitions, async () => {
    floor.push(await bootMs(world, 2));
    empty.push(await lifeMs(world, EMPTY));
    return service.reload();
  });
  await service.stop();
  return [
    difference('reload of 2 workers: command → verdict, minus boot', 350, measured, {
      what: `${emptyText(2, empty)}; boot, 2 processes at once`,
      values: floor,
    }),
  ];
};

const EXITS = `${root}test/bench/exits.mjs`;
const EXIT_LIMIT_MS = 1_000;

export const measureRefusal = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => {
  const service = new MeasuredDaemon(world, 'refusal', ['--listen', '127.0.0.1:0', '--workers', '2']);
  await service.start();
  service.releases.deploy('exits', EXITS);
  const floor: number[] = [];
  const measured = await times(repetitions, async () => {
    floor.push(await lifeMs(world, [EXITS]));
    return service.reload('refused');
  });
  await service.stop();
  return [
    {
      what: 'successor that exits at once: command → verdict',
      target: `≤ ${EXIT_LIMIT_MS} ms`,
      measured: spread(measured),
      floor: `its own life: ${spread(floor)}`,
      missed: median(measured) > EXIT_LIMIT_MS,
    },
  ];
};

/** A worker that was ready for longer than this is replaced at once. */
const RESPAWN_DELAY_MS = 200;

export const measureRespawn = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => {
  const service = new MeasuredDaemon(world, 'respawn', [
    ...['--listen', '127.0.0.1:0', '--respawn', 'adaptive', '--respawn-delay', `${RESPAWN_DELAY_MS}ms`],
  ]);
  const address = await service.start();
  const floor: number[] = [];
  const measured = await times(repetitions, async () => {
    floor.push(await bootMs(world, 1));
    await pause(RESPAWN_DELAY_MS * 2);
    const victim = (await service.daemon.running()).workers[0]?.pid ?? 0;
    const startedAt = performance.now();
    process.kill(victim, 'SIGKILL');
    const { body } = await get(address);
    const tookMs = performance.now() - startedAt;
    if (JSON.parse(body).pid === victim) throw new Error('the killed worker has answered');
    return tookMs;
  });
  await service.stop();
  return [
    difference('SIGKILL of a worker → answer by its replacement, minus boot', 100, measured, {
      what: 'boot, 1 process',
      values: floor,
    }),
  ];
};

/** The issue's own number: the figure is a median of so many. */
const PROMOTIONS = 20;
const PROMOTION_LIMIT_MS = 10;

const plainGapsMs = async (world: World): Promise<readonly number[]> => {
  const plain = await PlainSpare.start(world);
  const client = new KillAndAsk(plain.port);
  const gaps = await times(PROMOTIONS, async () => (await client.gap(await plain.victim())).tookMs);
  await client.stop();
  await plain.stop();
  return gaps;
};

/** The only worker is killed, and a request is sent directly after the signal. The service boots for long. */
export const measureStandby = async (world: World): Promise<readonly Figure[]> => {
  const service = new MeasuredDaemon(world, 'standby', [
    ...['--listen', '127.0.0.1:0', '--standby', '1', '--respawn-delay', `${RESPAWN_DELAY_MS}ms`],
    // Read by nobody: whoever reads the log as it comes needs a processor just then.
    ...['--log-file', world.path('standby.log')],
  ]);
  const address = await service.start();
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const client = new KillAndAsk(port);
  let [refused, reset] = [0, 0];
  const measured = await times(PROMOTIONS, async () => {
    const { workers } = await service.daemon.status(
      'a standby that waits',
      ({ state, standby: [spare] }) => state === 'running' && spare?.state === 'ready',
    );
    const gap = await client.gap(workers[0]?.pid ?? 0);
    refused += gap.refused;
    reset += gap.reset;
    return gap.tookMs;
  });
  await client.stop();
  await service.stop();
  const deaths = await times(PROMOTIONS, () => deathMs(world));
  return [
    {
      what: 'SIGKILL of the only worker → answer by its standby',
      target: `≤ ${PROMOTION_LIMIT_MS} ms`,
      measured: `${exact(measured)}; the first of this supervisor ${measured[0]?.toFixed(1)}`,
      floor: `the same by hand: ${exact(await plainGapsMs(world))}; until its exit is told: ${exact(deaths)}`,
      missed: median(measured) > PROMOTION_LIMIT_MS,
    },
    {
      what: `connections refused in ${PROMOTIONS} kills (reset: ${reset})`,
      target: '0',
      measured: String(refused),
      floor: '',
      missed: refused > 0,
    },
  ];
};
