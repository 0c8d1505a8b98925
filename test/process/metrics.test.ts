import { expect, it, onTestFinished } from 'vitest';
import { type ParsedFamily, parseOpenMetrics, sampleValue } from '../unit/openmetrics.js';
import { Generations, MODES, workerPid } from './generations.js';
import { get, until } from './harness.js';
import { Client } from './workers.js';

const newGenerations = (): Generations => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  return world;
};

const scrape = async (world: Generations): Promise<readonly ParsedFamily[]> => {
  const { status, body } = await get(`unix:${world.controlPath}`, '/metrics');
  expect(status).toBe(200);
  return parseOpenMetrics(body);
};

it('GET /metrics answers OpenMetrics, with what the workers and the supervisor use', async () => {
  const world = newGenerations();
  const { status } = await world.started({ options: ['--workers', '2'] });
  const client = new Client(world.controlPath, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.end();
  expect(client.answer).toMatch(
    /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/openmetrics-text; version=1\.0\.0; charset=utf-8\r\n/i,
  );
  expect(client.answer.endsWith('# EOF\n')).toBe(true);
  const families = await scrape(world);
  expect(sampleValue(families, 'tanist_info', { name: 'service', version: status.version })).toBe(1);
  expect(sampleValue(families, 'tanist_workers', { state: 'ready' })).toBe(2);
  for (const slot of ['1', '2']) {
    expect(sampleValue(families, 'tanist_worker_memory_bytes', { slot })).toBeGreaterThan(10_000_000);
    expect(sampleValue(families, 'tanist_worker_cpu_seconds_total', { slot })).toBeGreaterThan(0);
  }
  expect(sampleValue(families, 'tanist_supervisor_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(sampleValue(families, 'tanist_event_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
});

it.each(MODES)('counts go on from generation to generation, %s', async (mode) => {
  const world = newGenerations();
  const { daemon, status } = await world.started({ mode });
  process.kill(workerPid(status), 'SIGKILL');
  await daemon.status('a worker in its place', ({ workers }) => workers[0]?.respawns === 1);
  await daemon.running();
  const counts = async () => {
    const families = await scrape(world);
    const reloads = ['promoted', 'refused', 'rolled-back'].map((outcome) =>
      sampleValue(families, 'tanist_reloads_total', { outcome }),
    );
    return {
      generation: sampleValue(families, 'tanist_generation'),
      respawns: sampleValue(families, 'tanist_worker_respawns_total'),
      reloads,
      durations: sampleValue(families, 'tanist_reload_duration_seconds_count'),
      drains: sampleValue(families, 'tanist_worker_drain_duration_seconds_count'),
    };
  };
  expect(await counts()).toEqual({ generation: 1, respawns: 1, reloads: [0, 0, 0], durations: 0, drains: 0 });
  expect((await world.reload()).status).toBe(200);
  await daemon.settled(2);
  // The worker of the first generation has left, which only the second one can still be asked about.
  await until('the drain of the first worker', async () => (await counts()).drains === 1);
  expect(await counts()).toEqual({ generation: 2, respawns: 1, reloads: [1, 0, 0], durations: 1, drains: 1 });
  world.release({ boot: 'crash' });
  expect((await world.reload()).status).toBe(409);
  await daemon.settled(2);
  world.release({});
  expect((await world.reload()).status).toBe(200);
  await daemon.settled(4);
  await until('the drain of the second worker', async () => (await counts()).drains === 2);
  expect(await counts()).toEqual({ generation: 4, respawns: 1, reloads: [2, 1, 0], durations: 3, drains: 2 });
});
