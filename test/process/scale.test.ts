import { rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Generations } from './generations.js';
import { isRunning } from './harness.js';
import { Load } from './load.js';
import { GOOD, give, library, newWorld, perl, SERVING } from './workers.js';

const LISTEN = ['--listen', '127.0.0.1:0'] as const;

describe('tanist scale', () => {
  it('starts more workers, and returns when they are ready', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, ...perl(...SERVING)]);
    const before = await daemon.running();
    const { status, stdout } = await world.tanist('scale', '3', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'scaled', workers: 3, from: 1, reason: null });
    const after = await daemon.running();
    expect(after.workers.map(({ slot, state }) => [slot, state])).toEqual([
      [1, 'ready'],
      [2, 'ready'],
      [3, 'ready'],
    ]);
    expect(after.workers[0]?.pid).toBe(before.workers[0]?.pid);
  });

  it('drains those of the highest numbers, and returns when they are gone', async () => {
    const world = newWorld();
    const daemon = world.run(['--workers', '3', ...LISTEN, ...perl(...SERVING)]);
    const before = await daemon.running();
    const { status, stdout } = await world.tanist('scale', '1');
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^scaled from 3 to 1 workers after \d+ ms\n$/),
    ]);
    const after = await daemon.running();
    expect(after.workers.map(({ pid }) => pid)).toEqual([before.workers[0]?.pid]);
    expect(before.workers.slice(1).some(({ pid }) => isRunning(pid ?? 0))).toBe(false);
    expect((await daemon.line('worker.draining')).msg).toMatch(/there are to be fewer workers/);
  });

  it('loses no request up and down', async () => {
    const world = new Generations();
    onTestFinished(() => world.dispose());
    const { address } = await world.started({ options: ['--workers', '2'] });
    const load = new Load(address);
    for (const workers of ['3', '1', '2']) expect((await world.tanist('scale', workers)).status).toBe(0);
    const { failures, answers } = await load.stop();
    expect(failures).toEqual([]);
    expect(answers.get(1)).toBeGreaterThan(0);
  });

  it('keeps its number through a reload, and a new start goes back to --workers', async () => {
    const world = newWorld();
    const args = [...LISTEN, '--name', 'scaled', ...perl(...GOOD)];
    const daemon = world.run(args);
    await daemon.running();
    expect((await world.tanist('scale', '3')).status).toBe(0);
    expect((await world.tanist('reload')).status).toBe(0);
    expect((await daemon.settled(2)).workers.length).toBe(3);
    // A generation further, and down again.
    expect((await world.tanist('scale', '2')).status).toBe(0);
    expect((await world.tanist('reload')).status).toBe(0);
    expect((await daemon.settled(3)).workers.length).toBe(2);
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    expect((await world.run(args).running()).workers.length).toBe(1);
  });

  it('is refused while a reload is under way, and nothing changes', async () => {
    const world = newWorld();
    const slow = world.run([...LISTEN, ...perl(`await ${world.path('ready-SLOT')}`, ...SERVING)]);
    give(world.path('ready-1'));
    await slow.line('worker.ready');
    // The next generation's worker waits.
    rmSync(world.path('ready-1'));
    const reload = world.tanist('reload', '--json');
    await slow.line('reload.started');
    const { status, stderr } = await world.tanist('scale', '2');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/TANIST_SCALE_REFUSED: refused \(reloading\)/),
    ]);
    give(world.path('ready-1'));
    expect((await reload).status).toBe(0);
    expect((await slow.settled(2)).workers.length).toBe(1);
  });

  it('says what is missing when a new worker does not get ready in time, and the number stays', async () => {
    const world = newWorld();
    const daemon = world.run([
      ...['--start-timeout', '300ms', '--drain-timeout', '300ms', '--takeover-timeout', '200ms', ...LISTEN],
      ...perl(`await ${world.path('ready-SLOT')}`, ...SERVING),
    ]);
    give(world.path('ready-1'));
    await daemon.running();
    const { status, stdout } = await world.tanist('scale', '2', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'incomplete',
      reason: 'timeout',
      detail: 'not ready yet: worker 2',
    });
    give(world.path('ready-2'));
    expect((await daemon.running()).workers.length).toBe(2);
  });

  it('wants a number that can be, and says so', async () => {
    const world = newWorld();
    for (const [words, message] of [
      [['0'], /N "0": expected a whole number from 1 to 1024/],
      [['many'], /N "many": expected a whole number/],
      [[], /N is missing/],
      [['2', '3'], /unexpected word "3"/],
    ] as const) {
      const { status, stderr } = await world.tanist('scale', ...words);
      expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
    expect((await world.tanist('scale', '2')).status).toBe(3);
  });

  it('takes twenty light workers up and down', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, ...perl(...GOOD)]);
    await daemon.running();
    for (const workers of [20, 1, 20]) {
      expect((await world.tanist('scale', String(workers))).status).toBe(0);
      expect((await daemon.running()).workers.length).toBe(workers);
    }
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  });
});

describe('the signals of scaling', () => {
  it('SIGTTIN starts one worker more, SIGTTOU ends one, and never the last', async () => {
    const daemon = newWorld().run([...LISTEN, ...library()]);
    const { pid } = await daemon.running();
    process.kill(pid, 'SIGTTIN');
    await daemon.status('two workers', ({ state, workers }) => state === 'running' && workers.length === 2);
    process.kill(pid, 'SIGTTOU');
    await daemon.status('one worker', ({ state, workers }) => state === 'running' && workers.length === 1);
    process.kill(pid, 'SIGTTOU');
    const refused = await daemon.line('scale.requested', ({ msg }) => /refused/.test(msg));
    expect([refused.level, refused.msg]).toEqual([
      'warn',
      expect.stringMatching(/0 workers: there may be 1 to 1024/),
    ]);
    expect((await daemon.running()).workers.length).toBe(1);
  });
});
