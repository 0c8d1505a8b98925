import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReloadReason, ReloadVerdict, Status } from '../../machines/status.js';
import { Generations, MODES, type Mode, type Start, type Version, who, workerPids } from './generations.js';
import { type CommandResult, type Daemon, fixture, isRunning, type LogLine } from './harness.js';
import { Load } from './load.js';

const PROBATION_MS = 3_000;
const ON_PROBATION = ['--probation', `${PROBATION_MS}ms`] as const;
/** Longer than anything that goes wrong in it takes, on a busy machine. */
const LASTING = ['--probation', '60s'] as const;
const CHECKED = [...ON_PROBATION, '--health', 'http=/health'] as const;
/** Checks are a second apart: the third is two seconds after the first. */
const THREE_CHECKS_MS = 2_000;
/** The default, which is longer than anything here takes. */
const DRAIN_TIMEOUT_MS = 30_000;
/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 5;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

/** A daemon whose releases are directories behind a symlink; the first is good. */
const started = (mode: Mode, options: readonly string[] = [], how: Start = {}) => {
  world.deploy('one');
  return world.started({
    mode,
    options,
    command: ['server.mjs'],
    cwd: world.path('current'),
    ...how,
  });
};

const deployAndReload = (version: Version): Promise<CommandResult> => {
  world.deploy('two', version);
  return world.tanist('reload', '--json');
};

const verdictOf = ({ stdout }: CommandResult): ReloadVerdict => JSON.parse(stdout) as ReloadVerdict;

/** The client, the status and both generations' logs say the same. */
const expectRolledBack = async (
  daemon: Daemon,
  result: CommandResult,
  reason: ReloadReason,
  detail: RegExp,
): Promise<ReloadVerdict> => {
  const verdict = verdictOf(result);
  expect(result.status).toBe(4);
  expect(verdict).toMatchObject({
    outcome: 'rolled-back',
    reason,
    detail: expect.stringMatching(detail),
    generation: 2,
  });
  const { lastReload } = await daemon.running(1);
  expect(lastReload).toMatchObject({ outcome: 'rolled-back', reason, detail: verdict.detail });
  const told = await daemon.line('reload.refused', ({ generation }) => generation === 2);
  expect(told).toMatchObject({ level: 'error', outcome: 'rolled-back', supervisorPid: daemon.pid });
  expect(told.msg).toMatch(
    /^generation 2 is rolled back \(.*\): .*; this generation (goes on|starts its workers again)$/,
  );
  return verdict;
};

const failureOf = (daemon: Daemon): Promise<LogLine> =>
  daemon.line('takeover.failed', ({ supervisorPid }) => supervisorPid !== daemon.pid);

/** The workers of the first generation are those of before, or new ones of the program they were started with. */
const expectOldGeneration = async (mode: Mode, daemon: Daemon, before: Status): Promise<void> => {
  const after = await daemon.running(1);
  expect(after.pid).toBe(daemon.pid);
  const [old, now] = [workerPids(before), workerPids(after)];
  if (mode === 'overlap') expect(now).toEqual(old);
  else expect(now.filter((pid) => old.includes(pid))).toEqual([]);
  for (const pid of now) {
    const { version, generation } = await world.step('started', 1, (step) => step.pid === pid);
    expect({ version, generation }).toEqual({ version: 'one', generation: 1 });
  }
  expect(await who(after.listeners[0]?.address ?? '')).toMatchObject({ version: 'one', generation: 1 });
  if (mode === 'exclusive') expect(world.together()).toEqual([]);
};

/** The old generation is as good as before: a good release replaces it. */
const expectReloadable = async (daemon: Daemon): Promise<void> => {
  world.deploy('three');
  expect(verdictOf(await world.tanist('reload', '--json'))).toMatchObject({
    outcome: 'promoted',
    generation: 3,
  });
  await daemon.settled(3);
};

describe('X18: a worker that crashes in the probation brings the old generation back, of which the release has moved', () => {
  for (const mode of MODES) {
    it.each([500, 1_500])(`${mode}, after %i ms`, async (crashMs) => {
      const { daemon, status, address } = await started(mode, [...LASTING, '--workers', '2']);
      const load = new Load(address, { kept: false });
      const result = await deployAndReload({ crashMs });
      const verdict = await expectRolledBack(
        daemon,
        result,
        'worker-exited',
        /^worker [12] \(pid \d+\) exited with status 1 after it was ready$/,
      );
      expect(verdict.durationMs).toBeGreaterThanOrEqual(crashMs);
      expect(await failureOf(daemon)).toMatchObject({ outcome: 'rolled-back', reason: 'worker-exited' });
      await expectOldGeneration(mode, daemon, status);
      const { failures, answers } = await load.stop();
      // The other worker of the generation is drained, and the one that crashes has answered everybody.
      expect(failures).toEqual([]);
      expect(answers.get(2) ?? 0).toBeGreaterThan(0);
    });
  }
});

describe('a health check during the probation', () => {
  it.each(MODES)('that fails three times in a row brings the old generation back (%s)', async (mode) => {
    const { daemon, status } = await started(mode, CHECKED);
    const result = await deployAndReload({ health: 500 });
    const verdict = await expectRolledBack(
      daemon,
      result,
      'health-failed',
      /^worker 1 \(pid \d+\) failed 3 health checks of \/health in a row: it answered 500$/,
    );
    expect(verdict.durationMs).toBeGreaterThanOrEqual(THREE_CHECKS_MS - ROUNDING_MS);
    expect(await failureOf(daemon)).toMatchObject({ outcome: 'rolled-back', reason: 'health-failed' });
    const checks = await daemon.manyLines(3, 'worker.checked');
    expect(checks.map(({ failures }) => failures)).toEqual([1, 2, 3]);
    await expectOldGeneration(mode, daemon, status);
  });

  it('that fails twice and then passes is no failure', async () => {
    const { daemon } = await started('overlap', CHECKED);
    const verdict = verdictOf(await deployAndReload({ health: [500, 500, 200] }));
    expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    expect(verdict.durationMs).toBeGreaterThanOrEqual(PROBATION_MS - ROUNDING_MS);
    const checks = await daemon.manyLines(3, 'worker.checked');
    expect(checks.slice(0, 3).map(({ passed }) => passed)).toEqual([false, false, true]);
    await daemon.settled(2);
    // Nobody asks any more: the next check would have been due before the end of the drain.
    expect(daemon.lines().filter(({ event }) => event === 'worker.checked').length).toBeLessThanOrEqual(4);
  });

  it('keeps a generation on probation until the last check of every worker has passed', async () => {
    const { daemon } = await started('overlap', ['--probation', '100ms', '--health', 'http=/health']);
    const verdict = verdictOf(await deployAndReload({ health: [500, 500, 200] }));
    expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    expect(verdict.durationMs).toBeGreaterThanOrEqual(THREE_CHECKS_MS - ROUNDING_MS);
    await daemon.settled(2);
  });

  it.each(MODES)('that is not answered is one that fails (%s)', async (mode) => {
    const { daemon, status } = await started(mode, CHECKED);
    const result = await deployAndReload({ deaf: true });
    const verdict = await expectRolledBack(
      daemon,
      result,
      'health-failed',
      /failed 3 health checks of \/health in a row: no answer within 1000 ms; it is asked on its private probe socket \(TANIST_PROBE_FD\)/,
    );
    expect(verdict.durationMs).toBeGreaterThanOrEqual(3_000 - ROUNDING_MS);
    const killed = daemon.lines().filter(({ event }) => event === 'worker.killing');
    if (mode === 'overlap') expect(killed).toEqual([]);
    await expectOldGeneration(mode, daemon, status);
    // Exclusive: the old workers did not wait until it had drained.
    expect(Date.now() - Date.parse(String(verdict.at))).toBeLessThan(DRAIN_TIMEOUT_MS);
  });

  it('is answered by an unchanged program of Node, too', async () => {
    const program = { command: [fixture('adopted/http.cjs')] };
    const { daemon } = await world.started({ options: CHECKED, ...program });
    expect(verdictOf(await world.tanist('reload', '--json'))).toMatchObject({ outcome: 'promoted' });
    const checks = await daemon.manyLines(3, 'worker.checked');
    expect(checks.every(({ passed }) => passed)).toBe(true);
  });
});

describe('other failures in the probation', () => {
  it('are a worker that hangs, for the watchdog', async () => {
    const { daemon, status } = await started('overlap', [...LASTING, '--watchdog', '1500ms']);
    const result = await deployAndReload({ hangMs: 100 });
    await expectRolledBack(
      daemon,
      result,
      'worker-exited',
      /it has been silent for 1\.5 s after it had pinged/,
    );
    await expectOldGeneration('overlap', daemon, status);
  });

  it.each(MODES)('are the end of its supervisor, which is killed (%s)', async (mode) => {
    const { daemon, status } = await started(mode, ['--probation', `${2 * PROBATION_MS}ms`]);
    const client = deployAndReload({});
    const { pid = 0 } = await daemon.line('reload.started');
    await world.step('serving', 2);
    process.kill(pid, 'SIGKILL');
    const killed =
      /^generation 2 \(pid \d+\) exited by SIGKILL before it took charge, while its workers served$/;
    await expectRolledBack(daemon, await client, 'exited', killed);
    await expectOldGeneration(mode, daemon, status);
    await expectReloadable(daemon);
  });

  it.each(MODES)('are a supervisor that hangs until it should have taken charge (%s)', async (mode) => {
    const options = ['--probation', '800ms', '--takeover-timeout', '700ms'];
    const { daemon, status } = await started(mode, options);
    const client = deployAndReload({});
    const { pid = 0 } = await daemon.line('reload.started');
    const activated = await daemon.line('reload.activated');
    process.kill(pid, 'SIGSTOP');
    const silent = /^generation 2 did not take charge within 1\.5 s from the moment its workers served$/;
    const { at } = await expectRolledBack(daemon, await client, 'takeover-timeout', silent);
    expect(Date.parse(at) - Date.parse(String(activated.time))).toBeGreaterThanOrEqual(1_500 - ROUNDING_MS);
    await expectOldGeneration(mode, daemon, status);
  });
});

describe('a generation on probation', () => {
  it('serves beside the old one, which shows the phase, joins a second request and refuses another number of workers', async () => {
    const { daemon, status } = await started('overlap', ['--probation', `${3 * PROBATION_MS}ms`]);
    const first = deployAndReload({});
    const { reload, state } = await daemon.status('a probation', (now) => now.reload?.phase === 'probation');
    expect(state).toBe('handoff');
    const { pid: successor = 0 } = await daemon.line('reload.started');
    expect(reload?.successorPid).toBe(successor);
    expect((await world.tanist('status')).stdout).toMatch(/probation/);
    const second = world.tanist('reload', '--json');
    await daemon.manyLines(2, 'reload.requested');
    const scaled = await world.tanist('scale', '3', '--json');
    expect(scaled.status).not.toBe(0);
    expect(JSON.parse(scaled.stdout)).toMatchObject({ outcome: 'refused', reason: 'reloading' });
    expect(await daemon.statusNow()).toMatchObject({ reload: { phase: 'probation' }, pid: daemon.pid });
    expect(workerPids(status).every(isRunning)).toBe(true);
    const verdicts = [await first, await second].map(verdictOf);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['promoted', 'promoted']);
    expect(verdicts[0]?.durationMs).toBeGreaterThanOrEqual(3 * PROBATION_MS - ROUNDING_MS);
    expect(verdicts[1]?.generation).toBe(2);
    await daemon.settled(2);
  });

  it.each(MODES)('ends with a stop, and nothing of either generation is left (%s)', async (mode) => {
    const { daemon } = await started(mode, LASTING);
    const client = deployAndReload({});
    await world.step('serving', 2);
    const stopped = await world.tanist('stop');
    expect(stopped.status).toBe(0);
    expect(verdictOf(await client)).toMatchObject({ outcome: 'rolled-back', reason: 'stopped' });
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
    expect(world.remains()).toEqual([]);
  });

  it('ends with a stop that its own supervisor was asked for', async () => {
    const { daemon } = await started('overlap', LASTING);
    const client = deployAndReload({});
    const { pid = 0 } = await daemon.line('reload.started');
    await world.step('serving', 2);
    process.kill(pid, 'SIGTERM');
    expect(verdictOf(await client)).toMatchObject({ outcome: 'rolled-back', reason: 'stopped' });
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
  });

  it.each(MODES)('goes on alone when the old supervisor is killed (%s)', async (mode) => {
    const { daemon } = await started(mode, ON_PROBATION);
    const client = deployAndReload({});
    const { pid: successor = 0 } = await daemon.line('reload.started');
    const { pid: worker } = await world.step('serving', 2);
    process.kill(daemon.pid, 'SIGKILL');
    expect(verdictOf(await client)).toMatchObject({
      outcome: 'promoted',
      generation: 2,
      detail: 'the predecessor died during the reload',
    });
    const after = await daemon.settled(2);
    expect(after.pid).toBe(successor);
    expect(workerPids(after)).toEqual([worker]);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
  });

  it('has the probation of its own settings, however short that of the old one was', async () => {
    const config = world.path('config.json');
    writeFileSync(config, JSON.stringify({ takeoverTimeoutMs: 500 }));
    const { daemon } = await started('overlap', ['--config', config]);
    writeFileSync(config, JSON.stringify({ takeoverTimeoutMs: 500, probationMs: 1_500 }));
    const verdict = verdictOf(await deployAndReload({}));
    expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    expect(verdict.durationMs).toBeGreaterThanOrEqual(1_500 - ROUNDING_MS);
    await daemon.settled(2);
  });

  it('is told in plain words to whoever waits for it', async () => {
    const { daemon } = await started('overlap', LASTING);
    world.deploy('two', { crashMs: 0 });
    const { status, stdout } = await world.tanist('reload');
    expect(status).toBe(4);
    expect(stdout).toMatch(
      /^rolled back \(worker-exited\): worker 1 \(pid \d+\) exited with status 1 after it was ready; generation 1 goes on serving\n$/,
    );
    await daemon.running(1);
  });
});
