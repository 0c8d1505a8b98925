import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newDaemons } from './daemons.js';
import { descriptorsOf, workerPid } from './generations.js';
import { fixture, isRunning, until } from './harness.js';

describe('a worker of a daemon', () => {
  test('S7: knows that it is none of the supervisor, and where its channel is', async () => {
    const world = newDaemons();
    await world.launch().running();
    expect(await world.takes('started')).toMatchObject({ isSupervisor: false, channel: true });
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'])(
    'S20: the supervisor ends with 0 on %s when its worker has left, and the hook ran',
    async (signal) => {
      const world = newDaemons();
      const gate = world.path('gate');
      const daemon = world.launch([], { plan: { finish: gate } });
      const status = await daemon.running();
      process.kill(daemon.pid, signal);
      await world.takes('leaving');
      expect([isRunning(daemon.pid), world.taken('left')]).toEqual([true, []]);
      world.open(gate);
      expect(await daemon.exit()).toEqual({ code: 0, signal: null });
      expect(world.taken('left').map(({ pid }) => pid)).toEqual([workerPid(status)]);
      expect([world.processes(), world.remains()]).toEqual([[], []]);
    },
  );

  test('S21: an exception that nobody catches is logged with its stack, the hook runs, and the status is 1', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--respawn', 'fixed'], { plan: { boot: 'uncaught' } });
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 1, signal: null });
    expect(daemon.stderr()).toMatch(
      /tanist: an error that nobody caught: ReferenceError: nothing is not defined\n {4}at .*daemon\.mjs/,
    );
    expect(world.taken('left')).toHaveLength(1);
  });

  test('S23: whose function rejects is logged with its stack, the hook runs, and the status is 1', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--respawn', 'fixed'], { plan: { boot: 'throw' } });
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 1, signal: null });
    expect(daemon.stderr()).toMatch(
      /tanist: supervisedProcess has failed: TypeError: nothing works today\n {4}at .*daemon\.mjs/,
    );
    expect(world.taken('left')).toHaveLength(1);
  });

  test('S23: whose function returns ends with 0, without the hook, and another is started', async () => {
    const world = newDaemons();
    const daemon = world.launch([], { plan: { boot: 'return' } });
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 0, signal: null });
    await world.takes('started', 2);
    expect(world.taken('left')).toEqual([]);
  });

  test('S25: leaves with its hook when the supervisor was killed, without asking', async () => {
    const world = newDaemons();
    const daemon = world.launch([], { plan: { define: { pingEveryMs: false } } });
    const status = await daemon.running();
    process.kill(daemon.pid, 'SIGKILL');
    expect(await world.takes('leaving')).toMatchObject({
      pid: workerPid(status),
      code: 'TANIST_SUPERVISOR_GONE',
    });
    await world.takes('left');
    await world.empty();
    expect(world.taken('left')).toHaveLength(1);
  });

  test('S25: asks by itself, and leaves when the supervisor hangs for the ping time-out', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--ping-timeout', '300ms']);
    const pid = workerPid(await daemon.running());
    process.kill(daemon.pid, 'SIGSTOP');
    expect(await world.takes('leaving')).toMatchObject({ pid, code: 'TANIST_SUPERVISOR_GONE' });
    process.kill(daemon.pid, 'SIGCONT');
    await daemon.line('worker.exited', (line) => line.pid === pid);
  });

  test('S26: asking for takeover fails when the supervisor is gone', async () => {
    const world = newDaemons();
    const daemon = world.launch([], { plan: { boot: 'wait' } });
    await world.takes('started');
    process.kill(daemon.pid, 'SIGKILL');
    expect(await world.takes('refused')).toMatchObject({ code: 'TANIST_SUPERVISOR_GONE' });
    await world.empty();
  });

  test('S28: runs its hook once on SIGTERM and ends with 0, and is started again', async () => {
    const world = newDaemons();
    // It cannot be gone before the second signal has come.
    const gate = world.path('gate');
    const daemon = world.launch([], { plan: { finish: gate } });
    const pid = workerPid(await daemon.running());
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGTERM');
    world.open(gate);
    expect(await daemon.line('worker.exited', (line) => line.pid === pid)).toMatchObject({
      code: 0,
      signal: null,
    });
    expect(world.taken('left').map((step) => step.pid)).toEqual([pid]);
    await daemon.status(
      'another worker',
      ({ workers }) => workers[0]?.state === 'ready' && workers[0].pid !== pid,
    );
  });

  test('S28: that cannot know of the signal is not waited for: its hook runs at once', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--drain-timeout', '1h'], { plan: { heeds: 'nothing' } });
    const pid = workerPid(await daemon.running());
    process.kill(pid, 'SIGTERM');
    expect(await daemon.line('worker.exited', (line) => line.pid === pid)).toMatchObject({
      code: 0,
      signal: null,
    });
    expect(world.taken('left')).toHaveLength(1);
  });

  test('that does not come to its end is left behind shortly before the drain time-out, with its hook', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--drain-timeout', '500ms'], { plan: { finish: world.path('never') } });
    const pid = workerPid(await daemon.running());
    process.kill(pid, 'SIGTERM');
    expect(await daemon.line('worker.exited', (line) => line.pid === pid)).toMatchObject({
      code: 0,
      signal: null,
    });
    expect(daemon.stderr()).toContain('tanist: supervisedProcess has not returned in time');
    expect(world.taken('left')).toHaveLength(1);
  });

  test('whose hook throws says so and ends with 1; one that hangs ends at the drain time-out', async () => {
    const world = newDaemons();
    const thrower = world.launch(['--name', 'thrower'], { plan: { shutdown: 'throw' } });
    const one = workerPid(await thrower.running());
    process.kill(one, 'SIGTERM');
    expect(await thrower.line('worker.exited', (line) => line.pid === one)).toMatchObject({ code: 1 });
    expect(thrower.stderr()).toMatch(/hook has failed: RangeError: the mess is too large\n {4}at /);
    const second = newDaemons();
    const hanger = second.launch(['--drain-timeout', '300ms'], { plan: { shutdown: 'hang' } });
    const two = workerPid(await hanger.running());
    process.kill(two, 'SIGTERM');
    expect(await hanger.line('worker.exited', (line) => line.pid === two)).toMatchObject({ code: 1 });
    expect(hanger.stderr()).toContain('not done 300 ms after being asked to leave');
  });

  test('S30: has closed its channel when it has ended: the supervisor keeps no end of it', async () => {
    const world = newDaemons();
    // Control socket, both ends of the life pipe, channel.
    const daemon = world.launch(['--no-anchor']);
    const before = workerPid(await daemon.running());
    const sockets = () =>
      [...descriptorsOf(daemon.pid).values()].filter((name) => name.startsWith('socket:'));
    const kept = await until('a supervisor that nobody asks', () =>
      sockets().length === 4 ? sockets() : null,
    );
    process.kill(before, 'SIGTERM');
    await daemon.status(
      'another worker',
      ({ workers }) => workers[0]?.state === 'ready' && workers[0].pid !== before,
    );
    const after = await until('as many sockets as before', () => (sockets().length === 4 ? sockets() : null));
    // The channel, and nothing else, is another.
    expect(kept.filter((name) => !after.includes(name))).toHaveLength(1);
  });

  test('X14: survives SIGUSR2, sent to it or to the process group of its supervisor', async () => {
    const world = newDaemons();
    const daemon = world.launch();
    const pid = workerPid(await daemon.running());
    process.kill(pid, 'SIGUSR2');
    process.kill(-daemon.pid, 'SIGUSR2');
    await daemon.settled(2);
    const left = world.taken('left').filter((step) => step.pid === pid);
    expect(left).toHaveLength(1);
    expect(await daemon.line('worker.exited', (line) => line.pid === pid)).toMatchObject({
      code: 0,
      signal: null,
    });
  });

  test('X15: starts daemons of their own: they are neither its supervisor’s workers nor successors', async () => {
    const world = newDaemons();
    const outer = world.launch([], {
      plan: { start: [fixture('daemon.mjs'), '--name', 'inner', '--no-fork'] },
    });
    const status = await outer.running();
    const inner = await until('the pid file of the inner daemon', () => {
      try {
        return Number(readFileSync(world.path('inner.pid'), 'utf8')) || null;
      } catch {
        // Not there yet.
        return null;
      }
    });
    expect([inner, workerPid(status), outer.pid]).toHaveLength(
      new Set([inner, workerPid(status), outer.pid]).size,
    );
    await world.takes('serving', 2);
    const innerStatus = await world.tanist('status', '--name', 'inner', '--json');
    expect(JSON.parse(innerStatus.stdout)).toMatchObject({
      name: 'inner',
      generation: 1,
      pid: inner,
      state: 'running',
    });
    // Nothing was said on the outer worker's channel by it.
    expect(outer.lines().filter(({ event }) => event === 'line.rejected')).toEqual([]);
    const outerStatus = await world.tanist('status', '--name', 'daemon', '--json');
    expect(JSON.parse(outerStatus.stdout)).toMatchObject({ pid: outer.pid, workers: [{ respawns: 0 }] });
    expect((await world.tanist('stop', '--name', 'inner')).status).toBe(0);
    expect(isRunning(outer.pid)).toBe(true);
  });

  test('is one of tanist run as well, when it is the command itself', async () => {
    const world = newDaemons();
    const daemon = world.run(['--name', 'outside', '--', fixture('daemon.mjs'), '--text', 'x'], {
      env: { JOURNAL: world.journal },
    });
    await daemon.running();
    expect(await world.takes('started')).toMatchObject({ options: { text: 'x' }, isSupervisor: false });
    expect(world.processes()).toHaveLength(2);
  });
});
