import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { firstOf, launched, reloadTo, shellSaid } from './anchors.js';
import { type Daemons, newDaemons } from './daemons.js';
import { ended, MODES, post, who, workerPid, workerPids } from './generations.js';
import { type Daemon, fixture, get, isRunning } from './harness.js';

interface Defect {
  readonly action?: string;
  readonly actor?: string;
  readonly hostLives?: boolean;
}

/** Throws at SIGWINCH in every supervisor of `tanist run`. */
const throwing = (how: 'exception' | 'rejection' = 'exception') => ({
  NODE_OPTIONS: `--import=${pathToFileURL(fixture('throws.mjs'))}`,
  THROWS: how,
});

/** The service, under a supervisor of which some generation has a defect. */
const defective = (
  world: Daemons,
  defects: readonly (Defect | null)[],
  options: Readonly<Record<string, unknown>> = {},
): Daemon => {
  const settings = {
    name: 'service',
    command: fixture('service.mjs'),
    listen: ['127.0.0.1:0'],
    logLevel: 'debug',
    ...options,
  };
  return world.launch([JSON.stringify(settings)], {
    script: fixture('defective.mjs'),
    env: { ...world.serviceEnv, DEFECTS: JSON.stringify(defects) },
  });
};

const addressOf = ({ listeners }: { listeners: readonly { address: string }[] }): string =>
  listeners[0]?.address ?? '';

/** Nothing of the daemon is left: no process, no pid file, no socket. */
const expectNothingLeft = async (world: Daemons): Promise<void> => {
  await world.empty();
  expect(world.remains()).toEqual([]);
};

/** The generation is in charge of everything, and can be replaced in turn. */
const expectInCharge = async (world: Daemons, daemon: Daemon, generation: number): Promise<void> => {
  const status = await daemon.settled(generation);
  expect(world.pid()).toBe(status.pid);
  const answer = await who(addressOf(status));
  expect(answer.generation).toBe(generation);
  expect(workerPids(status)).toContain(answer.pid);
};

describe('an exception in a supervisor that is alone', () => {
  it.each([
    ['exception', 'an exception nobody catches'],
    ['rejection', 'a promise nobody looks after'],
  ] as const)(
    'S21: lets the workers finish, ends all, logs the stack and exits 1, if nobody catches it (%s)',
    async (how, words) => {
      const world = newDaemons();
      const unix = world.path('public');
      const { daemon, status, address } = await world.started({
        options: ['--workers', '2', '--listen', `unix:${unix}`],
        env: throwing(how),
      });
      const gate = world.path('gate');
      const slow = get(address, `/slow?until=${gate}`);
      await world.step('answering', 1);
      process.kill(daemon.pid, 'SIGWINCH');
      const crashed = await daemon.line('supervisor.crashed');
      expect(crashed.level).toBe('fatal');
      expect(crashed.msg).toContain(words);
      expect(crashed.msg).toMatch(/throws\.mjs:\d+/);
      const waiting = await daemon.line('emergency.waiting');
      expect(waiting.msg).toMatch(/^waits at most 30 s for the workers to leave, pid \d+, \d+;/);
      for (const pid of workerPids(status)) expect(waiting.msg).toContain(String(pid));
      world.open(gate);
      expect((await slow).status).toBe(200);
      expect(await daemon.exit()).toEqual({ code: 1, signal: null });
      await expectNothingLeft(world);
      expect(existsSync(unix)).toBe(false);
      expect(daemon.stderr()).toContain(`error TANIST_INTERNAL: the supervisor has failed: ${words}`);
      // No slot was filled again, whatever its machine wanted.
      expect(daemon.lines().filter(({ event }) => event === 'worker.spawned')).toHaveLength(2);
    },
  );

  it.each([
    ['an action that throws', { action: 'beginReload' }, 'SIGUSR2'],
    ['an actor in error', { actor: 'reaper' }, 'SIGWINCH'],
  ] as const)('ends all in order if it is %s', async (_, defect, signal) => {
    const world = newDaemons();
    const daemon = defective(world, [defect], { handoff: 'exclusive', workers: 2 });
    await daemon.running();
    process.kill(daemon.pid, signal);
    expect((await daemon.line('supervisor.crashed')).msg).toMatch(/has a defect[\s\S]*defective\.mjs/);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    await expectNothingLeft(world);
    expect(world.steps().filter(({ step }) => step === 'left')).toHaveLength(2);
    expect(daemon.stdout()).toMatch(
      /^the end: TANIST_INTERNAL: the supervisor has failed: the a\w+ \w+ has a defect/,
    );
  });

  it('kills the process groups of workers that do not leave within the drain timeout', async () => {
    const world = newDaemons();
    world.release({ stubborn: true });
    const { daemon, status } = await world.started({
      options: ['--drain-timeout', '300ms'],
      env: throwing(),
    });
    process.kill(daemon.pid, 'SIGWINCH');
    const waiting = await daemon.line('emergency.waiting');
    const killing = await daemon.line('emergency.killing');
    expect(killing.msg).toContain(`pid ${workerPid(status)}: they did not leave within the drain timeout`);
    expect(Date.parse(String(killing.time)) - Date.parse(String(waiting.time))).toBeGreaterThanOrEqual(298);
    expect((await daemon.exit()).code).toBe(1);
    await expectNothingLeft(world);
  });

  it.each(['SIGTERM', 'control'])('kills at once when a stop is asked for meanwhile, by %s', async (via) => {
    const world = newDaemons();
    world.release({ stubborn: true });
    const { daemon } = await world.started({ env: throwing() });
    process.kill(daemon.pid, 'SIGWINCH');
    await daemon.line('emergency.waiting');
    await world.step('leaving', 1);
    // Nothing else is heard.
    process.kill(daemon.pid, 'SIGUSR2');
    await daemon.line('emergency.ignored');
    if (via === 'SIGTERM') process.kill(daemon.pid, via);
    // The connection ends with the process.
    const asked = via === 'control' ? post(world.controlPath, '/stop').catch(() => null) : null;
    expect((await daemon.line('emergency.killing')).msg).toContain(`a stop was asked for by ${via}`);
    expect((await daemon.exit()).code).toBe(1);
    await asked;
    await expectNothingLeft(world);
  });

  it('answers whoever asks meanwhile that it has failed', async () => {
    const world = newDaemons();
    const gate = world.path('gate');
    world.release({ leave: gate });
    const { daemon } = await world.started({ env: throwing() });
    process.kill(daemon.pid, 'SIGWINCH');
    await daemon.line('emergency.waiting');
    const reload = await world.tanist('reload');
    expect(reload.status).toBe(1);
    expect(reload.stderr).toMatch(
      /^error TANIST_INTERNAL: the supervisor has failed: an exception nobody catches/,
    );
    expect(await get(`unix:${world.controlPath}`, '/healthz')).toMatchObject({ status: 503 });
    world.open(gate);
    expect((await daemon.exit()).code).toBe(1);
  });

  it('leaves a program around it alive: the handle says how it ended, and all is given back', async () => {
    const world = newDaemons();
    const daemon = defective(world, [{ actor: 'reaper', hostLives: true }]);
    const { listeners } = await daemon.running();
    process.kill(daemon.pid, 'SIGWINCH');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(daemon.stdout()).toMatch(/^the end: TANIST_INTERNAL: .*\nstill here\n$/);
    await expect(get(addressOf({ listeners }))).rejects.toThrow(/ECONNREFUSED/);
    await expectNothingLeft(world);
  });

  it('tells a command that waits for a daemonized start why there is none', async () => {
    const world = newDaemons();
    const gate = world.path('gate');
    world.release({ gate });
    const log = world.path('service.log');
    const daemon = world.run(
      ['--daemonize', '--name', 'service', '--listen', '127.0.0.1:0', '--', fixture('service.mjs')],
      { env: { ...world.serviceEnv, ...throwing() }, log },
    );
    const { supervisorPid } = await daemon.line('worker.spawned');
    await world.step('started', 1);
    process.kill(supervisorPid, 'SIGWINCH');
    expect((await daemon.exit()).code).toBe(1);
    expect(daemon.stderr()).toMatch(
      /^error TANIST_INTERNAL: the supervisor has failed: an exception nobody catches/,
    );
    await world.empty();
  });

  it('tells the anchor, which ends with the reason', async () => {
    const world = newDaemons();
    const daemon = await launched(world, { env: throwing() });
    const anchor = await firstOf(daemon);
    const second = await reloadTo(world, daemon, 2);
    process.kill(second, 'SIGWINCH');
    expect(await shellSaid(daemon)).toBe('status 1');
    expect((await daemon.line('service.concluded')).supervisorPid).toBe(anchor);
    expect(daemon.stderr()).toContain(
      'error TANIST_INTERNAL: the supervisor has failed: an exception nobody catches',
    );
    await expectNothingLeft(world);
  });

  it('of an anchor ends it, and the service stops in order as if it had been killed', async () => {
    const world = newDaemons();
    const daemon = await launched(world, { env: throwing() });
    const anchor = await firstOf(daemon);
    const second = await reloadTo(world, daemon, 2);
    await daemon.line('anchor.introduced');
    process.kill(anchor, 'SIGWINCH');
    expect(await shellSaid(daemon)).toBe('status 1');
    expect((await daemon.line('anchor.ended')).supervisorPid).toBe(second);
    await expectNothingLeft(world);
  });
});

describe.each(MODES)('an exception in one of two generations, %s', (handoff) => {
  it.each([
    ['when the successor starts', 'recordSuccessor'],
    ['when the hand-over begins', 'phaseGranting'],
    ['when the successor is in charge', 'recordPromoted'],
  ])('leaves the service to the successor if it is the predecessor, %s', async (_, action) => {
    const world = newDaemons();
    const daemon = defective(world, [{ action }, null], { handoff, workers: 2 });
    const first = await daemon.running();
    world.release({ version: 'two' });
    const client = world.tanist('reload', '--json');
    const left = await daemon.line('emergency.left');
    expect(left.msg).toMatch(/^the successor, pid \d+, takes charge$/);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    for (const pid of workerPids(first)) await ended(pid);
    await expectInCharge(world, daemon, 2);
    // Whoever waited has asked the successor.
    const { status, stdout } = await client;
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { outcome: 'promoted', generation: 2 }]);
    if (handoff === 'exclusive') expect(world.together()).toEqual([]);
  });

  it.each([
    ['when it has asked', 'phaseTakeover', 'refused'],
    ['when its workers may serve', 'admitSlots', 'rolled-back'],
    ['when it has decided the reload', 'recordCharge', 'rolled-back'],
  ])('lets the predecessor go on if it is the successor, %s', async (_, action, outcome) => {
    const world = newDaemons();
    const daemon = defective(world, [null, { action }], { handoff });
    await daemon.running();
    world.release({ version: 'two' });
    const client = world.tanist('reload', '--json');
    expect((await daemon.line('emergency.left')).msg).toMatch(
      new RegExp(`^the predecessor, pid ${daemon.pid}, goes on`),
    );
    const { status, stdout } = await client;
    expect([status, JSON.parse(stdout)]).toMatchObject([
      4,
      {
        outcome,
        reason: 'exited',
        detail: expect.stringContaining(`the action ${action} has a defect`),
      },
    ]);
    await expectInCharge(world, daemon, 1);
    const { pid } = await world.step('started', 2);
    await ended(pid);
    if (handoff === 'exclusive') expect(world.together()).toEqual([]);
  });

  it('gives everything back if it is the predecessor and the successor fails as well', async () => {
    const world = newDaemons();
    const gate = world.path('gate');
    world.release({ leave: gate });
    const daemon = defective(world, [{ action: 'recordSuccessor' }, { action: 'recordWorker' }], { handoff });
    const first = await daemon.running();
    world.release({ version: 'two' });
    process.kill(daemon.pid, 'SIGUSR2');
    await daemon.line('emergency.alone');
    expect(isRunning(workerPid(first))).toBe(true);
    world.open(gate);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    await expectNothingLeft(world);
  });
});
