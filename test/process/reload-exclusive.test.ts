import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  descriptorsOf,
  ended,
  Generations,
  MODES,
  type Mode,
  reaped,
  type Step,
  who,
  workerPid,
} from './generations.js';
import { fixture, isRunning, type LogLine, until } from './harness.js';

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  flockSync(descriptor: number, operation: 'exnb'): void;
};

/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 2;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

const msBetween = (one: LogLine, other: LogLine): number =>
  Date.parse(String(other.time)) - Date.parse(String(one.time));

const namesOf = (steps: readonly Step[]): string[] =>
  steps.map(({ generation, step }) => `${generation} ${step}`);

const isLockFree = (): boolean => {
  const descriptor = openSync(world.pidFile, 'r');
  try {
    flockSync(descriptor, 'exnb');
    return true;
  } catch {
    // Held.
    return false;
  } finally {
    closeSync(descriptor);
  }
};

describe('S41: in exclusive mode the old worker has fully exited before the new one is told ok', () => {
  it.each([
    ['JavaScript', [fixture('resource.mjs')]],
    ['Perl', ['perl', fixture('resource.pl')]],
    ['Python', ['python3', fixture('resource.py')]],
  ] as const)('%s', async (_, command) => {
    const leave = world.path('leave');
    // Exclusive is what a daemon without listeners is by default.
    const daemon = world.run(['--name', 'service', '--', ...command], {
      env: { JOURNAL: world.journal, LEAVE: leave },
    });
    await world.step('serving', 1);
    const first = world.reload();
    await daemon.line('takeover.asked');
    const { pid } = await world.step('leaving', 1);
    expect(namesOf(world.steps())).not.toContain('2 serving');
    expect(isRunning(pid)).toBe(true);
    expect((await daemon.statusNow())?.state).toBe('handoff');
    world.open(leave);
    expect((await first).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    await world.step('serving', 2);
    await daemon.settled(2);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
    await world.step('serving', 3);
    expect(world.together()).toEqual([]);
    const order = namesOf(world.steps()).filter((name) => /left|serving/.test(name));
    expect(order).toEqual(['1 serving', '1 left', '2 serving', '2 left', '3 serving']);
  });
});

describe.each(MODES)('the hand-over, %s', (mode: Mode) => {
  it('S38: goes step by step: asked, granted, served, pid written, told', async () => {
    const { daemon } = await world.started({ mode });
    await world.reload();
    const { pid: successor } = await daemon.settled(2);
    const lines = daemon.lines().filter(({ event }) => event !== 'worker.ready');
    const begun = lines.findIndex(({ event }) => event === 'handoff.begun');
    const ofSuccessor = lines.filter(({ supervisorPid }) => supervisorPid === successor);
    const steps = [
      'takeover.asked',
      'takeover.activated',
      'takeover.charged',
      'pid.written',
      'control.claimed',
    ];
    expect(ofSuccessor.map(({ event }) => event).filter((event) => steps.includes(event))).toEqual(steps);
    const isOther = ({ supervisorPid }: LogLine) => supervisorPid !== successor;
    const ofOther = lines.slice(begun).filter(isOther);
    const told = ofOther
      .map(({ event }) => event)
      .filter((event) => /^(handoff|worker|reload)\.[a-z]+$/.test(event));
    const drain = ['worker.draining', 'worker.exited'];
    const charge = ['reload.activated', 'reload.promoted'];
    const rest = mode === 'overlap' ? [...charge, ...drain] : [...drain, ...charge];
    expect(told).toEqual(['handoff.begun', ...rest]);
    // What one of them does because the other has said something; all else is as fast as each of them.
    const written = lines.findIndex((line) => line.event === 'pid.written' && !isOther(line));
    const last = mode === 'overlap' ? 'handoff.begun' : 'worker.exited';
    expect(lines.findIndex((line) => line.event === last && isOther(line))).toBeLessThan(written);
    expect(lines.findIndex((line) => line.event === 'reload.promoted' && isOther(line))).toBeGreaterThan(
      written,
    );
  });

  it('X4: goes on when the old worker drains too long: the drain limit ends it, and nobody else', async () => {
    world.release({ stubborn: true });
    const options = ['--drain-timeout', '1s', '--takeover-timeout', '1s', '--no-anchor'];
    const { daemon, status, address } = await world.started({ mode, options });
    const old = workerPid(status);
    world.release({ version: 'two' });
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    // From here on the old one is deaf: what it accepted before would never be answered.
    await world.step('leaving', 1);
    // In overlap mode the new one serves before it has gone.
    if (mode === 'overlap') expect(isRunning(old)).toBe(true);
    expect(await who(address)).toMatchObject({ generation: 2, version: 'two' });

    const ofOld = ({ pid }: LogLine) => pid === old;
    const asked = await daemon.line('worker.draining', ofOld);
    const exited = await daemon.line('worker.exited', ofOld);
    expect(exited).toMatchObject({ signal: 'SIGKILL' });
    expect(msBetween(asked, exited)).toBeGreaterThanOrEqual(1_000 - ROUNDING_MS);
    const after = await daemon.settled(2);
    await reaped(daemon.pid);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(after.workers[0]).toMatchObject({ state: 'ready', respawns: 0 });
    expect(daemon.lines().filter(({ event }) => event === 'predecessor.killed')).toEqual([]);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
  });

  it('X4: no worker ever holds the lock', async () => {
    world.release({ stubborn: true });
    const options = ['--drain-timeout', '500ms'];
    const { daemon, status } = await world.started({ mode, options });
    await world.reload();
    const after = await daemon.running(2);
    const [pid, old] = [workerPid(after), workerPid(status)];
    for (const worker of [pid, old].filter(isRunning)) {
      expect([...descriptorsOf(worker).values()]).not.toContain(world.pidFile);
    }
    expect(isLockFree()).toBe(false);
    for (const supervisor of [after.pid, daemon.pid]) {
      if (isRunning(supervisor)) process.kill(supervisor, 'SIGKILL');
      await ended(supervisor);
    }
    await world.step('leaving', 2);
    // It is deaf, and lives on: what it holds does not matter.
    // The last thread of a supervisor may outlive its first, and what it has open with it, for a moment.
    await until('a free lock', isLockFree);
    expect(isRunning(pid)).toBe(true);
  });
});

describe('exclusive mode with a program that does not know the protocol', () => {
  const start = (ready: string) =>
    world.started({ mode: 'exclusive', options: ['--ready', ready], command: [fixture('plain.mjs')] });

  it('starts the new worker only when the old one has exited', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon, address } = await start('alive=200ms');
    expect(await who(address)).toMatchObject({ version: 'one', generation: 1 });
    world.release({ version: 'two' });
    const reload = world.reload();
    await world.step('leaving', 1);
    await daemon.line('takeover.asked');
    expect(world.steps().some(({ generation }) => generation === 2)).toBe(false);
    world.open(leave);
    expect((await reload).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    await daemon.settled(2);
    expect(await who(address)).toMatchObject({ version: 'two', generation: 2 });
    expect(world.together()).toEqual([]);
    const names = namesOf(world.steps());
    expect(names.indexOf('2 started')).toBeGreaterThan(names.indexOf('1 left'));
  });

  it('starts its own worker again when the new one fails', async () => {
    const { daemon, status, address } = await start('alive=1s');
    world.release({ version: 'broken', boot: 'crash' });
    const reload = world.reload();
    await world.step('started', 2);
    world.release({ version: 'again' });
    expect((await reload).verdict).toMatchObject({
      // It serves as soon as it lives.
      outcome: 'rolled-back',
      reason: 'worker-exited',
      generation: 2,
    });
    const after = await daemon.running(1);
    expect(after.pid).toBe(status.pid);
    expect(workerPid(after)).not.toBe(workerPid(status));
    expect(await who(address)).toMatchObject({ generation: 1, pid: workerPid(after) });
    expect(world.together()).toEqual([]);
  });
});
