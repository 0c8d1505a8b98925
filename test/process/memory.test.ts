import { describe, expect, it, onTestFinished } from 'vitest';
import { Generations, MODES, type Start, who, workerPid } from './generations.js';
import { get, isRunning, type LogLine } from './harness.js';
import { Load } from './load.js';
import { GOOD, newWorld, perl, SERVING } from './workers.js';

/** Node itself needs about 50 MB. */
const LIMIT = 150_000_000;
const GROWTH = 200_000_000;
const REST_MS = 400;
/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 5;
const LIMITED = ['--max-memory', `${LIMIT / 1e6}MB`, '--respawn-delay', `${REST_MS}ms`] as const;

/** A daemon whose only worker has a limit of memory. */
const limited = async ({ options = [], ...start }: Start = {}) => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  const { daemon, status, address } = await world.started({ ...start, options: [...LIMITED, ...options] });
  const pid = workerPid(status);
  return { world, daemon, address, pid, grow: () => get(address, `/grow?bytes=${GROWTH}`) };
};

describe('a worker that uses more memory than it may', () => {
  it('is replaced: the second one is ready first, and only then the first one leaves', async () => {
    const { world, daemon, pid, address, grow } = await limited();
    const gate = world.path('gate');
    world.release({ version: 'two', gate });
    await grow();
    const exceeded = await daemon.line('memory.exceeded');
    expect(exceeded).toMatchObject({ level: 'warn', slot: 1, pid, limitBytes: LIMIT });
    // It may be measured while it still grows.
    expect(exceeded.memoryBytes).toBeGreaterThan(LIMIT);
    expect(exceeded.msg).toMatch(/^worker 1 uses \d+(\.\d)? MB, more than 150 MB: it is to be replaced$/);
    // As long as the second one boots, the first one serves.
    const during = await daemon.status(
      'a worker beside the slot',
      ({ workers: [worker] }) =>
        typeof worker?.relief?.pid === 'number' && (worker.memoryBytes ?? 0) > GROWTH,
    );
    expect(during.state).toBe('running');
    expect(during.workers).toMatchObject([{ pid, state: 'ready', relief: { state: 'starting' } }]);
    expect(during.workers[0]?.memoryBytes).toBeGreaterThan(GROWTH);
    expect((await world.tanist('status')).stdout).toMatch(
      /slot .* memory .*\n *1 .* ready .* 2\d\d\.\d MB .*\n *1 .* starting .* beside the slot/,
    );
    expect(await who(address)).toMatchObject({ pid, version: 'one' });
    world.open(gate);
    const after = await daemon.status(
      'the second one alone',
      ({ workers: [worker] }) => worker?.pid !== pid && worker?.relief === null,
    );
    expect(after).toMatchObject({ state: 'running', generation: 1 });
    expect(after.workers).toMatchObject([{ slot: 1, state: 'ready', respawns: 1, lastExit: { code: 0 } }]);
    expect(after.workers[0]?.pid).toBe(during.workers[0]?.relief?.pid);
    expect(isRunning(pid)).toBe(false);
    expect(await who(address)).toMatchObject({ pid: after.workers[0]?.pid, version: 'two' });
    const draining = await daemon.line('worker.draining', (line) => line.pid === pid);
    expect(draining.msg).toMatch(/^the replaced worker 1 is asked to leave .*, more than 150 MB$/);
  });

  for (const mode of MODES)
    it(`costs no request (${mode})`, async () => {
      const { world, daemon, grow, address } = await limited({ mode, options: ['--workers', '2'] });
      const load = new Load(address);
      await grow();
      await daemon.line('worker.exited');
      const after = await daemon.status(
        'two workers, nobody beside them',
        ({ state, workers }) => state === 'running' && workers.every(({ relief }) => relief === null),
      );
      await daemon.line('worker.ready', ({ pid }) => after.workers.some((worker) => worker.pid === pid));
      expect((await load.stop()).failures).toEqual([]);
      expect(after.workers.map(({ respawns }) => respawns).sort()).toEqual([0, 1]);
      expect((await world.tanist('stop')).status).toBe(0);
      await world.empty();
    });

  for (const ready of ['takeover', 'alive=100ms'])
    it(`never serves beside the one that replaces it in an exclusive daemon (${ready})`, async () => {
      const { world, pid, grow } = await limited({ mode: 'exclusive', options: ['--ready', ready] });
      const first = await world.step('serving', 1);
      await grow();
      const serving = await world.step('serving', 1, (step) => step.pid !== first.pid);
      expect(serving.doubles).toEqual([]);
      expect(first.pid).toBe(pid);
      const steps = world.steps().filter(({ step }) => step !== 'leaving' && step !== 'started');
      expect(steps.map((step) => [step.step, step.pid])).toEqual([
        ['serving', pid],
        ['left', pid],
        ['serving', serving.pid],
      ]);
      const booted = world.steps().findIndex(({ step, pid: other }) => step === 'started' && other !== pid);
      const left = world.steps().findIndex(({ step }) => step === 'left');
      // Where it can wait for its answer it boots while the first one serves.
      expect(booted < left).toBe(ready === 'takeover');
    });

  it('serves on when what is to replace it fails, and that is not tried again at once', async () => {
    const { world, daemon, pid, address, grow } = await limited();
    world.release({ version: 'bad', boot: 'crash' });
    await grow();
    const [first, second] = await daemon.manyLines(2, 'worker.failed');
    expect(first?.level).toBe('error');
    expect(first?.msg).toMatch(
      /^the replacement of worker 1 failed \(worker-exited\): .*; the worker serves on, it is tried again in 0.4 s$/,
    );
    expect(timeOf(second) - timeOf(first)).toBeGreaterThanOrEqual(REST_MS - ROUNDING_MS);
    expect(await who(address)).toMatchObject({ pid, version: 'one' });
    world.release({ version: 'good' });
    await daemon.status('the one that is good', ({ workers: [worker] }) => worker?.pid !== pid);
    expect(await who(address)).toMatchObject({ version: 'good' });
  });

  it('is told once, however long it stays so', async () => {
    const { world, daemon, pid, grow } = await limited();
    world.release({ boot: 'crash' });
    await grow();
    // Several readings later.
    await daemon.manyLines(3, 'worker.failed');
    expect(daemon.lines().filter(({ event }) => event === 'memory.exceeded')).toMatchObject([{ pid }]);
  });

  it('waits with its replacement for the end of a reload, which replaces it in any case', async () => {
    const { world, daemon, pid, grow } = await limited();
    const gate = world.path('gate');
    world.release({ version: 'two', gate });
    await grow();
    const relief = await daemon.line('worker.spawned', (line) => line.pid !== pid);
    const reload = world.reload();
    const withdrawn = await daemon.line('worker.draining', (line) => line.pid === relief.pid);
    expect(withdrawn.msg).toMatch(/^the replacement of worker 1 is asked to leave .*not needed any more$/);
    world.open(gate);
    expect((await reload).verdict).toMatchObject({ outcome: 'promoted' });
    expect((await daemon.settled(2)).workers).toMatchObject([{ respawns: 0, relief: null }]);
    expect(isRunning(relief.pid ?? 0)).toBe(false);
  });

  it('leaves with the one that was to replace it when the daemon stops', async () => {
    const { world, daemon, pid, grow } = await limited({ options: ['--drain-timeout', '500ms'] });
    world.release({ boot: 'hang' });
    await grow();
    await daemon.line('worker.spawned', (line) => line.pid !== pid);
    expect((await world.tanist('stop', '--json')).status).toBe(0);
    await world.empty();
  });
});

describe('a worker within its limit of memory', () => {
  it('is measured and left alone, whatever language it is written in', async () => {
    const daemon = newWorld().run(['--max-memory', '1GiB', '--listen', '127.0.0.1:0', ...perl(...SERVING)]);
    const { workers } = await daemon.status(
      'a measured worker',
      ({ state, workers: [worker] }) => state === 'running' && worker?.memoryBytes !== null,
    );
    expect(workers[0]?.memoryBytes).toBeGreaterThan(1_000_000);
    expect(daemon.lines().some(({ event }) => event === 'memory.exceeded')).toBe(false);
  });

  it('is not measured where there is no limit', async () => {
    const { workers } = await newWorld()
      .run(perl(...GOOD))
      .running();
    expect(workers[0]).toMatchObject({ memoryBytes: null, relief: null });
  });
});

describe('--max-memory', () => {
  for (const [size, expected] of [
    ['300', /--max-memory "300": expected a unit after the number, such as 300MB or 300MiB/],
    ['300M', /--max-memory "300M": expected 300MB \(1000s\) or 300MiB \(1024s\)/],
    ['much', /--max-memory "much": expected a size such as 512MiB/],
    ['-5MB', /--max-memory "-5MB": expected a size such as 512MiB/],
    ['0MB', /--max-memory "0MB": expected at least 1MB/],
    ['12kB', /--max-memory "12kB": expected at least 1MB/],
    ['99999999TB', /--max-memory "99999999TB": expected at least 1MB, and no more than 9PB/],
  ] as const)
    it(`refuses ${size} and says what was expected`, async () => {
      const { status, stderr } = await newWorld().tanist('run', '--max-memory', size, '--', 'true');
      expect([status, stderr]).toEqual([2, expect.stringMatching(expected)]);
    });
});

const timeOf = (line: LogLine | undefined): number => Date.parse(String(line?.time));
