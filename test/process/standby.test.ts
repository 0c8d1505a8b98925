import { describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../machines/status.js';
import { Generations, MODES, type Start, type Version, who, workerPid } from './generations.js';
import { type Daemon, fixture, get, isRunning, until } from './harness.js';
import { gone, newWorld, perl, SERVING } from './workers.js';

const REST_MS = 200;
/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 5;
const QUICK = ['--respawn-delay', `${REST_MS}ms`] as const;

/** Waits until so many standbys wait for a slot, and every slot is filled. */
const spared = (daemon: Daemon, count = 1, generation = 1): Promise<Status> =>
  daemon.status(
    `${count} standbys that are ready`,
    (status) =>
      status.state === 'running' &&
      status.generation === generation &&
      status.standby.length === count &&
      status.standby.every(({ state }) => state === 'ready'),
  );

const sparePid = ({ standby: [spare] }: Status): number => {
  if (typeof spare?.pid !== 'number') throw new Error('no standby runs');
  return spare.pid;
};

/** A daemon with a standby that is ready. */
const withStandby = async (
  { options = [], ...start }: Start = {},
  version: (world: Generations) => Version = () => ({}),
) => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  world.release(version(world));
  const { daemon, address } = await world.started({
    ...start,
    options: ['--standby', '1', ...QUICK, ...options],
  });
  const status = await spared(daemon);
  return { world, daemon, address, status, pid: workerPid(status), spare: sparePid(status) };
};

describe('a standby', () => {
  it('is booted when every slot serves, serves nobody, and has no slot', async () => {
    const { world, daemon, address, status, pid } = await withStandby();
    expect(status.workers).toMatchObject([{ slot: 1, pid, state: 'ready' }]);
    expect(status.standby).toMatchObject([{ slot: 0, state: 'ready', generation: 1, respawns: 0 }]);
    const lines = daemon.lines();
    const ready = lines.findIndex(({ event, slot }) => event === 'worker.ready' && slot === 1);
    const booted = lines.findIndex(({ event, slot }) => event === 'worker.spawned' && slot === 0);
    expect(ready).toBeLessThan(booted);
    expect(await world.step('started', 1, ({ slot }) => slot === 0)).toMatchObject({ pid: sparePid(status) });
    for (let count = 0; count < 10; count += 1) expect((await who(address)).pid).toBe(pid);
    expect(world.steps().filter(({ step }) => step === 'serving')).toMatchObject([{ pid }]);
    expect((await world.tanist('status')).stdout).toMatch(/\n *1 .* ready .*\n *0 .* ready /);
  });

  for (const mode of MODES)
    it(`fills the slot of a worker that is killed, whatever a boot takes, and another is booted (${mode})`, async () => {
      const { world, daemon, address, pid, spare } = await withStandby({ mode });
      const gate = world.path('gate');
      world.release({ version: 'two', gate });
      process.kill(pid, 'SIGKILL');
      // Nobody who is started from now on gets ready.
      expect(await who(address)).toMatchObject({ pid: spare, version: 'one' });
      const promoted = await daemon.line('worker.promoted');
      expect(promoted).toMatchObject({ level: 'info', slot: 1, pid: spare });
      const during = await daemon.status(
        'another standby',
        ({ standby }) => standby[0]?.state === 'starting' && standby[0].pid !== null,
      );
      expect(during.state).toBe('running');
      expect(during.workers).toMatchObject([
        { slot: 1, pid: spare, state: 'ready', respawns: 1, lastExit: { signal: 'SIGKILL' } },
      ]);
      expect((await world.step('serving', 1, (step) => step.pid === spare)).doubles).toEqual([]);
      world.open(gate);
      const next = sparePid(await spared(daemon));
      process.kill(spare, 'SIGKILL');
      expect(await who(address)).toMatchObject({ pid: next, version: 'two' });
    });

  it('fills one of two slots that are emptied at once, and the other one is filled as ever', async () => {
    const { daemon, status, spare } = await withStandby({ options: ['--workers', '2'] });
    for (const { pid } of status.workers) process.kill(pid ?? 0, 'SIGKILL');
    const after = await daemon.status(
      'both slots filled anew',
      ({ state, workers }) => state === 'running' && workers.every(({ respawns }) => respawns === 1),
    );
    expect(after.workers.map(({ pid }) => pid)).toContain(spare);
    expect(after.workers.map(({ slot }) => slot)).toEqual([1, 2]);
    await spared(daemon);
  });

  it('that is probed is ready when its own socket answers, and serves when it is promoted', async () => {
    const { daemon, address, pid, spare } = await withStandby({ options: ['--ready', 'http=/health'] });
    process.kill(pid, 'SIGKILL');
    expect((await who(address)).pid).toBe(spare);
    await spared(daemon);
  });

  it('of an unchanged program is held back and promoted, too', async () => {
    const { daemon, address, pid, spare } = await withStandby({
      command: [fixture('adopted/http.cjs')],
    });
    expect((await who(address)).pid).toBe(pid);
    process.kill(pid, 'SIGKILL');
    expect((await who(address)).pid).toBe(spare);
    await spared(daemon);
  });

  it('of another language waits for its ok as any worker does', async () => {
    const daemon = newWorld().run([
      ...['--standby', '1', '--listen', '127.0.0.1:0', ...QUICK],
      ...perl(...SERVING),
    ]);
    const status = await spared(daemon);
    const address = status.listeners[0]?.address ?? '';
    expect((await get(address)).body).toContain(String(workerPid(status)));
    process.kill(workerPid(status), 'SIGKILL');
    expect((await get(address)).body).toContain(String(sparePid(status)));
  });

  it('that is killed is booted again, and no worker is touched', async () => {
    const { daemon, pid, spare } = await withStandby();
    process.kill(spare, 'SIGKILL');
    const after = await daemon.status(
      'another standby',
      ({ standby: [next] }) => next?.state === 'ready' && next.pid !== spare,
    );
    expect(after.workers).toMatchObject([{ pid, respawns: 0 }]);
    expect(after.standby).toMatchObject([{ respawns: 1, lastExit: { signal: 'SIGKILL' } }]);
  });

  it('that does not come up costs nothing, and counts for no limit', async () => {
    const { world, daemon, address, pid, spare } = await withStandby({
      options: ['--respawn-limit', '2/1m'],
    });
    world.release({ version: 'bad', boot: 'crash' });
    process.kill(spare, 'SIGKILL');
    await daemon.manyLines(5, 'worker.delayed', ({ slot }) => slot === 0);
    const { state, workers } = await daemon.running();
    expect([state, workers[0]?.pid]).toEqual(['running', pid]);
    world.release({ version: 'good' });
    const next = sparePid(await spared(daemon));
    process.kill(pid, 'SIGKILL');
    expect(await who(address)).toMatchObject({ pid: next, version: 'good' });
  });

  it('waits as long as any slot before it is booted anew, when those that serve die young', async () => {
    const { daemon, pid, spare } = await withStandby({ options: ['--respawn', 'fixed'] });
    process.kill(pid, 'SIGKILL');
    const exited = await daemon.line('worker.exited', (line) => line.pid === pid);
    const booted = await daemon.line(
      'worker.spawned',
      (line) => line.slot === 0 && line.pid !== spare && line.pid !== pid,
    );
    expect(Date.parse(String(booted.time)) - Date.parse(String(exited.time))).toBeGreaterThanOrEqual(
      REST_MS - ROUNDING_MS,
    );
    const delayed = await daemon.line('worker.delayed');
    expect(delayed.msg).toMatch(/^another standby is booted in 0\.2 s/);
  });
});

describe('the standbys of a generation', () => {
  for (const mode of MODES)
    it(`go with it at a reload, and its successor boots its own once it is in charge (${mode})`, async () => {
      const { world, daemon, spare, address } = await withStandby({ mode });
      world.release({ version: 'two' });
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted' });
      const after = await spared(daemon, 1, 2);
      await gone(spare);
      const lines = daemon.lines().filter(({ generation }) => generation === 2);
      const committed = lines.findIndex(({ event }) => event === 'takeover.committed');
      const booted = lines.findIndex(({ event, slot }) => event === 'worker.spawned' && slot === 0);
      expect([committed >= 0, booted > committed]).toEqual([true, true]);
      expect(await who(address)).toMatchObject({ pid: workerPid(after), version: 'two' });
      process.kill(workerPid(after), 'SIGKILL');
      expect((await who(address)).pid).toBe(sparePid(after));
    });

  it('fill slots while a successor starts, and are there when it is refused', async () => {
    const { world, daemon, address, pid, spare } = await withStandby();
    const gate = world.path('gate');
    world.release({ version: 'slow', gate });
    const reload = world.reload();
    await world.step('started', 2);
    process.kill(pid, 'SIGKILL');
    expect((await who(address)).pid).toBe(spare);
    world.release({ version: 'three' });
    const [first] = world.steps().filter(({ generation }) => generation === 2);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    expect((await reload).verdict).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    const after = await spared(daemon);
    expect(after.workers).toMatchObject([{ pid: spare }]);
  });

  it('come back with the slots when an exclusive hand-over fails while all leave', async () => {
    const leave = (world: Generations) => world.path('leave');
    const { world, daemon, status, spare } = await withStandby({ mode: 'exclusive' }, (world) => ({
      leave: leave(world),
    }));
    world.release({ version: 'two' });
    const reload = world.reload();
    await daemon.line('worker.draining', ({ pid }) => pid === spare);
    const [first] = world.steps().filter(({ generation }) => generation === 2);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    expect((await reload).verdict).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    world.open(leave(world));
    const after = await spared(daemon);
    expect(after.workers[0]?.pid).not.toBe(workerPid(status));
    expect(sparePid(after)).not.toBe(spare);
  });

  it('are drained when the daemon stops, and nothing is left', async () => {
    const { world, daemon, spare } = await withStandby();
    expect((await world.tanist('stop')).status).toBe(0);
    await daemon.line('worker.draining', (line) => line.pid === spare);
    await world.empty();
    expect(world.remains()).toEqual([]);
  });

  it('die with a supervisor that is killed', async () => {
    const { world, daemon, pid, spare } = await withStandby();
    process.kill(daemon.pid, 'SIGKILL');
    await until('the end of both', () => !isRunning(pid) && !isRunning(spare));
    await world.empty();
  });

  it('stay as many when the number of workers is changed', async () => {
    const { world, daemon, pid } = await withStandby();
    for (const workers of [3, 1]) {
      expect((await world.tanist('scale', String(workers))).status).toBe(0);
      expect((await spared(daemon)).workers.length).toBe(workers);
    }
    expect(workerPid(await spared(daemon))).toBe(pid);
  });

  for (const mode of MODES)
    it(`replace a worker that uses too much memory (${mode})`, async () => {
      const { world, daemon, address, pid, spare } = await withStandby({
        mode,
        options: ['--max-memory', '150MB'],
      });
      const gate = world.path('gate');
      world.release({ gate });
      await get(address, '/grow?bytes=200000000');
      const draining = await daemon.line('worker.draining', (line) => line.pid === pid);
      expect(draining.msg).toMatch(/^the replaced worker 1 is asked to leave .*more than 150 MB$/);
      await gone(pid);
      expect((await who(address)).pid).toBe(spare);
      expect(
        (await world.step('serving', 1, (step) => step.pid === spare)).doubles?.length ?? 0,
      ).toBeLessThan(mode === 'overlap' ? 2 : 1);
      world.open(gate);
      await spared(daemon);
    });
});

describe('--standby', () => {
  for (const [words, expected] of [
    [['-1'], /--standby "-1": expected a whole number from 0 to 1024/],
    [['some'], /--standby "some": expected a whole number/],
    [['1', '--ready', 'alive=1s'], /--standby "1": expected --ready takeover or http=\/path/],
  ] as const)
    it(`refuses ${words.join(' ')} and says why`, async () => {
      const { status, stderr } = await newWorld().tanist('run', '--standby', ...words, '--', 'true');
      expect([status, stderr]).toEqual([2, expect.stringMatching(expected)]);
    });
});
