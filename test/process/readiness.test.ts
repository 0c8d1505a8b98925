import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { get, isRunning, until } from './harness.js';
import { GOOD, give, gone, library, newWorld, perl, SERVING, said, words } from './workers.js';

const LISTEN = ['--listen', '127.0.0.1:0'] as const;

const timeOf = (line: { readonly [key: string]: unknown } | undefined): number =>
  Date.parse(String(line?.time));

describe('--ready takeover', () => {
  it('waits for the word: idle until one worker is ready, respawning until all are', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--workers',
      '2',
      ...perl('note started', `await ${world.path('go-SLOT')}`, ...GOOD),
    ]);
    await said(daemon, 'started', 2);
    const before = await daemon.statusNow();
    expect(before).toMatchObject({ state: 'idle', workers: [{ state: 'starting' }, { state: 'starting' }] });
    give(world.path('go-2'));
    await daemon.status('one ready', ({ state }) => state === 'respawning');
    expect((await daemon.statusNow())?.workers).toMatchObject([{ state: 'starting' }, { state: 'ready' }]);
    give(world.path('go-1'));
    await daemon.running();
    expect((await daemon.statusNow())?.workers).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
  });
});

describe('--ready alive', () => {
  it('is ready when it has lived so long, and not before', async () => {
    const world = newWorld();
    const daemon = world.run(['--ready', 'alive=300ms', '--', 'sleep', '1000']);
    const ready = await daemon.line('worker.ready');
    const spawned = await daemon.line('worker.spawned');
    expect(timeOf(ready) - timeOf(spawned)).toBeGreaterThanOrEqual(298);
    expect((await daemon.running()).workers[0]?.pid).toBe(spawned.pid);
  });

  it('is not ready when it dies before, and is respawned', async () => {
    const world = newWorld();
    const daemon = world.run(['--ready', 'alive=60s', '--respawn-delay', '20ms', '--', 'sh', '-c', 'exit 4']);
    await daemon.manyLines(3, 'worker.exited', ({ code }) => code === 4);
    expect(daemon.lines().filter(({ event }) => event === 'worker.ready')).toEqual([]);
    expect(await daemon.statusNow()).toMatchObject({ state: 'idle' });
  });

  it('answers a program that speaks the protocol all the same', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--ready',
      'alive=50ms',
      ...perl('say takeover', 'hear', 'say takeover', 'hear', 'rest'),
    ]);
    await said(daemon, 'heard ok', 2);
    await daemon.running();
  });
});

describe('--ready http', () => {
  it('is ready when it answers well on its own socket, which nobody else has', async () => {
    const world = newWorld();
    const healthy = world.path('healthy');
    const daemon = world.run([...LISTEN, '--workers', '2', '--ready', 'http=/health', ...library()], {
      env: { HEALTHY_FILE: healthy },
    });
    await said(daemon, 'answers 500 to /health', 6);
    const { listeners, workers, state } = (await daemon.statusNow()) ?? {
      listeners: [],
      workers: [],
      state: null,
    };
    expect([state, ...workers.map((worker) => worker.state)]).toEqual(['idle', 'starting', 'starting']);
    // Whoever connects to the shared listener is not answered by a worker that is not ready.
    const answer = get(listeners[0]?.address ?? '');
    const pids = new Set(
      words(daemon)
        .filter(({ text }) => text.startsWith('answers'))
        .map(({ pid }) => pid),
    );
    expect(pids).toEqual(new Set(workers.map(({ pid }) => pid)));
    expect(daemon.stdout()).not.toMatch(/serving| to \/$/m);
    give(healthy);
    await daemon.running();
    expect(await answer).toMatchObject({ status: 200 });
    await said(daemon, 'answers 200 to /');
    expect((await world.tanist('stop')).status).toBe(0);
    expect(readdirSync(world.directory).filter((name) => name.includes('probe'))).toEqual([]);
  });

  it('asks only a worker that has said takeover', async () => {
    const world = newWorld();
    const [go, healthy] = [world.path('go'), world.path('healthy')];
    const daemon = world.run([
      '--ready',
      'http=/',
      ...perl('note started', `await ${go}`, 'say takeover', `probed ${healthy}`, ...['hear', 'rest']),
    ]);
    await said(daemon, 'started');
    expect(await daemon.statusNow()).toMatchObject({ workers: [{ state: 'starting' }] });
    give(go);
    await said(daemon, 'probed badly', 2);
    expect(daemon.stdout()).not.toMatch('heard ok');
    give(healthy);
    await said(daemon, 'heard ok');
  });
});

describe('--start-timeout', () => {
  it('X18: ends a worker that stays silent with its process group, and fills the slot again after a wait', async () => {
    const world = newWorld();
    const worker = perl('ignore TERM', 'fork', 'hang');
    const daemon = world.run(['--start-timeout', '300ms', '--respawn-delay', '250ms', ...worker]);
    const failed = await daemon.line('worker.failed');
    const spawned = await daemon.line('worker.spawned');
    expect(failed).toMatchObject({ reason: 'start-timeout', pid: spawned.pid, slot: 1 });
    expect(failed.msg).toBe(`worker 1 (pid ${spawned.pid}) did not say takeover within 300 ms`);
    expect(timeOf(failed) - timeOf(spawned)).toBeGreaterThanOrEqual(298);
    expect(await daemon.line('worker.exited')).toMatchObject({ pid: spawned.pid, signal: 'SIGKILL' });
    const grandchild = words(daemon).find(({ text }) => text === `grandchild of ${spawned.pid}`);
    await gone(grandchild?.pid ?? 0);
    const delays = await daemon.manyLines(3, 'worker.delayed');
    expect(delays.slice(0, 3).map(({ delayMs }) => delayMs)).toEqual([100, 200, 250]);
    expect(await daemon.statusNow()).toMatchObject({ state: 'idle', generation: 1, pid: daemon.pid });
  });

  it('ends a worker whose probe was never well, and says what it answered', async () => {
    const world = newWorld();
    const daemon = world.run(
      [...LISTEN, '--start-timeout', '600ms', '--ready', 'http=/health', ...library()],
      {
        env: { HEALTHY_FILE: world.path('never') },
      },
    );
    const failed = await daemon.line('worker.failed');
    expect(failed.reason).toBe('not-ready');
    expect(failed.msg).toMatch(/was probed at \/health for 600 ms: it answered 500$/);
    await daemon.manyLines(2, 'worker.spawned');
  });

  it('is no limit for a worker that is ready', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, '--start-timeout', '250ms', ...perl(...SERVING)]);
    const { workers } = await daemon.running();
    const ready = await daemon.line('worker.ready');
    await until('the limit', () => Date.now() - timeOf(ready) > 300);
    expect((await daemon.running()).workers[0]).toMatchObject({ pid: workers[0]?.pid, respawns: 0 });
    expect(isRunning(workers[0]?.pid ?? 0)).toBe(true);
  });
});
