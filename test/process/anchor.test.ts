import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  firstOf,
  frozen,
  holdings,
  IMPATIENT,
  launched,
  listeningSockets,
  reloadTo,
  shellSaid,
} from './anchors.js';
import { ended, Generations, MODES, type Mode, reaped, who, workerPid } from './generations.js';
import { get, isRunning, until } from './harness.js';

/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 2;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

/** Nothing runs and nothing is left; the shell heard the truth. */
const expectEnd = async (daemon: Awaited<ReturnType<typeof launched>>, status: number): Promise<void> => {
  expect(await shellSaid(daemon)).toBe(`status ${status}`);
  await world.empty();
  if (status !== 1) expect(world.remains()).toEqual([]);
};

describe.each(MODES)('the first process in the foreground, %s', (mode: Mode) => {
  const options = ['--handoff', mode];

  it('X17: stays over three reloads, owns nothing, and ends with the status of the service', async () => {
    const daemon = await launched(world, { options });
    const first = await firstOf(daemon);
    expect((await daemon.statusNow())?.anchor).toBeNull();
    const pids = [first];
    for (const generation of [2, 3, 4]) {
      pids.push(await reloadTo(world, daemon, generation));
      const status = await daemon.settled(generation);
      expect(status.anchor).toEqual({ pid: first });
      expect(await who(status.listeners[0]?.address ?? '')).toMatchObject({ generation });
      expect(world.pid()).toBe(status.pid);
      // One end of the socket pair: no lock, no listener, no control socket, no life pipe. It closes them on its own.
      await until(
        () => `the first process to have let go of ${holdings(first, world).slice(1).join(', ')}`,
        () => holdings(first, world).length <= 1,
      );
      const [pair] = holdings(first, world);
      expect(pair).toMatch(/^socket:/);
      expect(listeningSockets()).not.toContain(pair);
      await world.only(daemon.pid, first, status.pid, workerPid(status));
    }
    expect(new Set(pids).size).toBe(4);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
    expect((await world.tanist('stop')).status).toBe(0);
    await expectEnd(daemon, 0);
  });

  it('X17: passes SIGTERM on, to a reload that is under way, too', async () => {
    const daemon = await launched(world, { options });
    await reloadTo(world, daemon, 2);
    world.release({ gate: world.path('never') });
    const reload = world.reload();
    await world.step('started', 3);
    process.kill(await firstOf(daemon), 'SIGTERM');
    expect((await reload).verdict).toMatchObject({ outcome: 'refused', reason: 'stopped', generation: 3 });
    await expectEnd(daemon, 0);
  });

  it('X17: killed, takes the service with it, in order', async () => {
    const daemon = await launched(world, { options });
    const pid = await reloadTo(world, daemon, 3);
    process.kill(await firstOf(daemon), 'SIGKILL');
    await daemon.line('anchor.ended', ({ supervisorPid }) => supervisorPid === pid);
    expect(await shellSaid(daemon)).toBe('status 137');
    await world.empty();
    expect(world.remains()).toEqual([]);
    const [left] = world.steps().filter(({ step, generation }) => step === 'left' && generation === 3);
    expect(left).toBeDefined();
  });
});

describe('the anchor', () => {
  it.each(['SIGINT', 'SIGQUIT'] as const)(
    'X17: passes %s on, as Ctrl-C in its terminal sends it',
    async (signal) => {
      const daemon = await launched(world);
      const pid = await reloadTo(world, daemon, 2);
      // From then on it has no other way to say it.
      await daemon.line('service.charged');
      process.kill(await firstOf(daemon), signal);
      const heard = await daemon.line('stop.requested', ({ supervisorPid }) => supervisorPid === pid);
      expect(heard).toMatchObject({ via: signal, anchorStops: 1 });
      await expectEnd(daemon, 0);
      expect(world.steps().filter(({ step }) => step === 'left')).toHaveLength(2);
    },
  );

  it.each(['SIGUSR2', 'SIGHUP'] as const)(
    'X17: passes %s on, and the service is reloaded',
    async (signal) => {
      const daemon = await launched(world);
      await reloadTo(world, daemon, 2);
      const first = await firstOf(daemon);
      process.kill(first, signal);
      const { listeners } = await daemon.settled(3);
      expect(await who(listeners[0]?.address ?? '')).toMatchObject({ generation: 3 });
      process.kill(first, signal);
      expect((await daemon.settled(4)).anchor).toEqual({ pid: first });
    },
  );

  it('X17: passes a second stop on, which kills at once', async () => {
    const daemon = await launched(world);
    world.release({ stubborn: true });
    const pid = await reloadTo(world, daemon, 2);
    const first = await firstOf(daemon);
    process.kill(first, 'SIGTERM');
    await world.step('leaving', 2);
    const heard = await daemon.line('stop.requested', ({ supervisorPid }) => supervisorPid === pid);
    process.kill(first, 'SIGTERM');
    const killing = await daemon.line('worker.killing', ({ supervisorPid }) => supervisorPid === pid);
    expect(Date.parse(String(killing.time)) - Date.parse(String(heard.time))).toBeLessThan(30_000);
    await expectEnd(daemon, 0);
  });

  it('X17: a stop that a service manager asks of every supervisor at once is one stop', async () => {
    const daemon = await launched(world);
    const pid = await reloadTo(world, daemon, 2);
    const { listeners } = await daemon.settled(2);
    const slow = get(listeners[0]?.address ?? '', `/slow?until=${world.path('answer')}`);
    await world.step('answering', 2);
    for (const one of [pid, await firstOf(daemon)]) process.kill(one, 'SIGTERM');
    await daemon.manyLines(2, 'stop.requested', ({ supervisorPid }) => supervisorPid === pid);
    world.open(world.path('answer'));
    expect((await slow).status).toBe(200);
    await expectEnd(daemon, 0);
  });

  it('X17: fails, and says so, when the supervisor in charge is killed', async () => {
    const daemon = await launched(world);
    const pid = await reloadTo(world, daemon, 3);
    process.kill(pid, 'SIGKILL');
    await expectEnd(daemon, 1);
    expect(daemon.stderr()).toMatch(
      new RegExp(`TANIST_SERVICE_LOST: the service ended without a word: generation 3 \\(pid ${pid}\\)`),
    );
  });

  it('X17: ends with status 6 when a later generation reaches its respawn limit', async () => {
    const options = ['--respawn-limit', '2/1m', '--respawn-delay', '50ms'];
    const daemon = await launched(world, { options });
    await reloadTo(world, daemon, 3);
    world.release({ boot: 'crash' });
    process.kill(workerPid(await daemon.settled(3)), 'SIGKILL');
    await expectEnd(daemon, 6);
    expect(daemon.stderr()).toContain('TANIST_RESPAWN_LIMIT');
  });

  it('X17: is untouched by a reload that fails', async () => {
    const daemon = await launched(world);
    const pid = await reloadTo(world, daemon, 2);
    const first = await firstOf(daemon);
    const before = await daemon.settled(2);
    world.release({ boot: 'crash' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    expect(await daemon.settled(2)).toMatchObject({ pid, workers: before.workers, anchor: { pid: first } });
    world.release({});
    process.kill(first, 'SIGUSR2');
    expect(await daemon.settled(4)).toMatchObject({ anchor: { pid: first } });
    process.kill(first, 'SIGTERM');
    await expectEnd(daemon, 0);
  });

  it('X17: kills a supervisor that hangs and does not carry out a stop, and fails', async () => {
    const daemon = await launched(world, { options: IMPATIENT });
    const pid = await reloadTo(world, daemon, 2);
    await frozen(pid);
    process.kill(await firstOf(daemon), 'SIGTERM');
    const asked = await daemon.line('stop.requested');
    const sent = await daemon.line('signal.sent');
    expect(sent).toMatchObject({ pid, signal: 'SIGKILL' });
    expect(Date.parse(String(sent.time)) - Date.parse(String(asked.time))).toBeGreaterThanOrEqual(
      3 * 400 - ROUNDING_MS,
    );
    await expectEnd(daemon, 1);
    expect(daemon.stderr()).toMatch(
      /TANIST_STOP_OVERDUE: generation 2 \(pid \d+\) did not stop within 1.2 s/,
    );
  });

  it('X17: follows the successor when the supervisor in charge is killed in the middle of a reload', async () => {
    const daemon = await launched(world);
    const pid = await reloadTo(world, daemon, 2);
    const first = await firstOf(daemon);
    const gate = world.path('gate');
    world.release({ gate });
    process.kill(first, 'SIGUSR2');
    await world.step('started', 3);
    process.kill(pid, 'SIGKILL');
    world.open(gate);
    expect(await daemon.settled(3)).toMatchObject({ anchor: { pid: first } });
    await daemon.line('service.charged', ({ generation: _, ...line }) => line.generation !== 2);
    process.kill(first, 'SIGTERM');
    await expectEnd(daemon, 0);
  });

  it('X17: is heard by a generation that comes back, its successor having died in charge', async () => {
    const daemon = await launched(world);
    const pid = await reloadTo(world, daemon, 2);
    const first = await firstOf(daemon);
    const { listeners } = await daemon.settled(2);
    const slow = get(listeners[0]?.address ?? '', `/slow?until=${world.path('answer')}`);
    await world.step('answering', 2);
    await world.reload();
    await world.step('leaving', 2);
    const successor = await daemon.line('reload.promoted', ({ supervisorPid }) => supervisorPid === pid);
    process.kill(Number(successor.pid), 'SIGKILL');
    expect((await daemon.line('successor.lost')).level).toBe('error');
    world.open(world.path('answer'));
    expect((await slow).status).toBe(200);
    expect(await daemon.settled(2)).toMatchObject({ pid, anchor: { pid: first } });
    process.kill(first, 'SIGTERM');
    await expectEnd(daemon, 0);
  });
});

describe('a first process that is no anchor', () => {
  it('X17: does not end the service when it is killed in the middle of its first reload', async () => {
    const daemon = await launched(world);
    const first = await firstOf(daemon);
    const gate = world.path('gate');
    world.release({ gate });
    process.kill(first, 'SIGUSR2');
    await world.step('started', 2);
    process.kill(first, 'SIGKILL');
    world.open(gate);
    expect(await shellSaid(daemon)).toBe('status 137');
    expect(await daemon.settled(2)).toMatchObject({ anchor: null });
    await reloadTo(world, daemon, 3);
    expect(await daemon.settled(3)).toMatchObject({ anchor: null });
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  });

  it('X17: ends with status 0 at the first reload, with --no-anchor, and the service goes on', async () => {
    const daemon = await launched(world, { options: ['--no-anchor'] });
    const first = await firstOf(daemon);
    await world.reload();
    expect(await shellSaid(daemon)).toBe('status 0');
    await ended(first);
    const status = await daemon.settled(2);
    expect(status.anchor).toBeNull();
    expect(isRunning(status.pid)).toBe(true);
  });

  it('X17: hears SIGTERM while its own workers still leave, and its exit status is that of both', async () => {
    const daemon = await launched(world);
    const first = await firstOf(daemon);
    const { listeners } = await daemon.running();
    const slow = get(listeners[0]?.address ?? '', `/slow?until=${world.path('answer')}`);
    await world.step('answering', 1);
    await world.reload();
    await world.step('serving', 2);
    process.kill(first, 'SIGTERM');
    await world.step('leaving', 2);
    world.open(world.path('answer'));
    expect((await slow).status).toBe(200);
    await expectEnd(daemon, 0);
    await until('the end', () => !isRunning(first));
    await reaped(daemon.pid);
  });
});
