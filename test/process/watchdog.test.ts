import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, get, isRunning, until } from './harness.js';
import { library, newWorld, perl, said } from './workers.js';

/** Longer than a busy machine lets a worker wait for its turn. */
const WATCHDOG_MS = 1_000;
const WATCHED = ['--watchdog', `${WATCHDOG_MS}ms`, '--listen', '127.0.0.1:0'] as const;
const QUICK = ['--respawn-delay', '100ms'] as const;

describe('X13: a hung worker', () => {
  it('of tanist/worker is noticed by its event loop, killed and replaced', async () => {
    const daemon = newWorld().run([...WATCHED, ...QUICK, '--', fixture('hangs.mjs')]);
    const { workers, listeners } = await daemon.running();
    const [hung] = workers;
    const address = listeners[0]?.address ?? '';
    expect((await get(address)).body).toContain(String(hung?.pid));
    // Its event loop never turns again; the answer never comes.
    const lost = get(address, '/hang').catch((error: Error) => error.message);
    const killing = await daemon.line('worker.killing', ({ pid }) => pid === hung?.pid);
    expect(killing.msg).toMatch(/silent for 1 s after it had pinged/);
    await daemon.status(
      'a replacement',
      ({ state, workers: [worker] }) => state === 'running' && worker?.respawns === 1,
    );
    expect(await lost).toMatch(/hang up|reset/);
    expect((await get(address)).status).toBe(200);
    expect(isRunning(hung?.pid ?? 0)).toBe(false);
  });

  it('that was stopped by a signal is noticed', async () => {
    const daemon = newWorld().run([...WATCHED, ...QUICK, ...library()]);
    const { workers } = await daemon.running();
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    await daemon.line('worker.killing', (line) => line.pid === pid);
    await daemon.line('worker.ready', (line) => line.pid !== pid);
  });

  it('of another language is noticed once it has pinged', async () => {
    const daemon = newWorld().run([
      ...WATCHED,
      ...QUICK,
      ...perl('say takeover', 'hear', 'say ping', 'hear', 'note hangs', 'hang'),
    ]);
    const pid = await said(daemon, 'hangs');
    const killing = await daemon.line('worker.killing', (line) => line.pid === pid);
    expect(killing.msg).toMatch(/silent/);
    await said(daemon, 'hangs', 2);
  });
});

describe('a worker under a watchdog', () => {
  it('is left alone when it never pings', async () => {
    const world = newWorld();
    const daemon = world.run([
      ...['--watchdog', '50ms', '--workers', '2', '--listen', '127.0.0.1:0'],
      ...perl('say takeover', 'hear', 'serve'),
    ]);
    const before = await daemon.running();
    // Many times as long as the watchdog: a whole reload.
    expect((await world.tanist('reload', '--json')).status).toBe(0);
    expect(daemon.lines().filter(({ event }) => event === 'worker.killing')).toEqual([]);
    expect((await daemon.settled(2)).workers.map(({ respawns }) => respawns)).toEqual([0, 0]);
    expect(before.workers.length).toBe(2);
  });

  it('is not killed when its supervisor was suspended', async () => {
    const world = newWorld();
    const ticks = world.path('ticks');
    // A worker that pings often, and counts its pings in a file.
    const daemon = world.run([...WATCHED, '--', fixture('pings-often.mjs'), ticks]);
    const { workers, pid } = await daemon.running();
    await until('the first pings', () => existsSync(ticks));
    process.kill(pid, 'SIGSTOP');
    const before = readFileSync(ticks, 'utf8').length;
    // Each ping comes 20 ms after the one before: nobody reads them for three times as long as the watchdog.
    await until('unread pings', () => readFileSync(ticks, 'utf8').length > before + (3 * WATCHDOG_MS) / 20);
    process.kill(pid, 'SIGCONT');
    const after = await daemon.running();
    expect((await get(after.listeners[0]?.address ?? '')).status).toBe(200);
    expect(daemon.lines().filter(({ event }) => event === 'worker.killing')).toEqual([]);
    expect(after.workers.map((worker) => worker.pid)).toEqual(workers.map((worker) => worker.pid));
  });

  it('of a successor that hangs is a failure of the successor', async () => {
    const world = newWorld();
    const hang = world.path('hang');
    const daemon = world.run([
      ...WATCHED,
      ...['--ready', 'http=/', '--', fixture('pings-and-hangs.mjs'), hang],
    ]);
    const before = await daemon.running();
    writeFileSync(hang, '');
    const { status, stdout } = await world.tanist('reload', '--json');
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'refused',
      reason: 'worker-exited',
      detail: expect.stringMatching(/silent for 1 s/),
    });
    const after = await daemon.running();
    expect(after.workers.map(({ pid }) => pid)).toEqual(before.workers.map(({ pid }) => pid));
  });

  it('and idle is not killed: its library pings by itself', async () => {
    const world = newWorld();
    const daemon = world.run(['--watchdog', '600ms', '--listen', '127.0.0.1:0', ...library()]);
    const { workers } = await daemon.running();
    // Four reloads take several times as long as the watchdog.
    for (const generation of [2, 3, 4, 5]) {
      expect((await world.tanist('reload', '--json')).status).toBe(0);
      await daemon.settled(generation);
    }
    expect(daemon.lines().filter(({ event }) => event === 'worker.killing')).toEqual([]);
    expect(workers.length).toBe(1);
  });
});
