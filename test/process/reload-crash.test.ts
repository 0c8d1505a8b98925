import { unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ended,
  exists,
  Generations,
  MODES,
  type Mode,
  reaped,
  type Step,
  type Verdict,
  who,
  workerPid,
  workerPids,
} from './generations.js';
import { type CommandResult, type Daemon, get, isRunning, type LogLine } from './harness.js';

/** Short limits, so that a hung generation is given up soon: 500 ms each, 1 s together. */
const IMPATIENT = ['--takeover-timeout', '500ms', '--drain-timeout', '500ms'];
/** Timers and the log each round to the millisecond. */
const ROUNDING_MS = 2;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

const successorOf = async (daemon: Daemon): Promise<number> =>
  Number((await daemon.line('reload.started')).pid);

const msBetween = (one: LogLine, other: LogLine): number =>
  Date.parse(String(other.time)) - Date.parse(String(one.time));

/** The second generation is in charge of everything, and can be replaced in turn. */
const expectSuccession = async (daemon: Daemon, successor: number): Promise<void> => {
  const status = await daemon.settled(2);
  expect(status.pid).toBe(successor);
  expect(world.pid()).toBe(successor);
  expect(status.lastReload).toMatchObject({ outcome: 'promoted', generation: 2 });
  const address = status.listeners[0]?.address;
  if (address !== undefined) {
    const { generation, pid } = await who(address);
    expect(generation).toBe(2);
    expect(workerPids(status)).toContain(pid);
  }
  expect((await world.tanist('run', '--name', 'service', '--', 'true')).status).toBe(5);
  world.release({});
  expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
};

/** The client's connection was lost with the predecessor: it has asked the successor. */
const expectPromoted = (result: CommandResult): void => {
  expect(result.status).toBe(0);
  const verdict = JSON.parse(result.stdout) as Verdict;
  expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2, reason: null });
};

const servingSteps = (generation: number): Step[] =>
  world.steps().filter((one) => one.step === 'serving' && one.generation === generation);

describe.each(MODES)('a supervisor that is killed during a reload, %s', (mode: Mode) => {
  it('S39: is succeeded, if it was the predecessor, by a successor that had not asked yet: their socket tells, no pid is polled', async () => {
    const gate = world.path('gate');
    const { daemon, status } = await world.started({ mode, options: ['--workers', '2'] });
    world.release({ version: 'two', gate });
    const client = world.tanist('reload', '--json');
    const successor = await successorOf(daemon);
    await world.step('started', 2);
    const joined = world.tanist('reload', '--json');
    await daemon.line('reload.joined', ({ supervisorPid }) => supervisorPid === successor);
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.line('predecessor.dead', ({ supervisorPid }) => supervisorPid === successor);
    world.open(gate);
    for (const waiting of [client, joined]) expectPromoted(await waiting);
    for (const pid of workerPids(status)) await ended(pid);
    await expectSuccession(daemon, successor);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
  });

  it('leaves nothing behind, if it was the successor, and the predecessor serves on', async () => {
    const { daemon, status, address } = await world.started({ mode });
    world.release({ version: 'broken', boot: 'hang' });
    const reload = world.reload();
    const successor = await successorOf(daemon);
    const { pid } = await world.step('started', 2);
    await daemon.line('worker.spawned', ({ generation }) => generation === 2);
    process.kill(successor, 'SIGKILL');
    const { verdict } = await reload;
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'exited', generation: 2 });
    expect(verdict.detail).toMatch(/exited by SIGKILL before it took charge/);
    expect(exists(successor)).toBe(false);
    await ended(pid);
    expect(await who(address)).toMatchObject({ generation: 1, pid: workerPid(status) });
    world.release({});
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });
});

describe('a supervisor that is killed while the workers of an exclusive predecessor drain', () => {
  /** A reload in which the old worker was asked to leave, and waits for the gate. */
  const draining = async (leaver: { leave?: string; stubborn?: boolean }, options: string[] = []) => {
    world.release({ version: 'one', ...leaver });
    const { daemon, status } = await world.started({ mode: 'exclusive', options });
    world.release({ version: 'two' });
    const client = world.tanist('reload', '--json');
    const successor = await successorOf(daemon);
    await world.step('leaving', 1);
    return { daemon, client, successor, old: workerPid(status), address: status.listeners[0]?.address ?? '' };
  };

  it('is succeeded, if it was the predecessor, when its last worker has left', async () => {
    const leave = world.path('leave');
    const { daemon, client, successor, old } = await draining({ leave });
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.line('predecessor.dead');
    expect(isRunning(old)).toBe(true);
    expect(servingSteps(2)).toEqual([]);
    world.open(leave);
    expectPromoted(await client);
    await world.step('serving', 2);
    await ended(old);
    expect(world.together()).toEqual([]);
    await expectSuccession(daemon, successor);
  });

  it('is succeeded, if it was the predecessor, after the drain limit has ended its worker', async () => {
    const { daemon, client, successor, old } = await draining({ stubborn: true }, [
      '--drain-timeout',
      '500ms',
    ]);
    process.kill(daemon.pid, 'SIGKILL');
    const dead = await daemon.line('predecessor.dead');
    expectPromoted(await client);
    await world.step('serving', 2);
    const activated = await daemon.line('takeover.activated');
    expect(msBetween(dead, activated)).toBeGreaterThanOrEqual(500 - ROUNDING_MS);
    await ended(old);
    expect(world.together()).toEqual([]);
    await expectSuccession(daemon, successor);
  });

  it('is replaced by the predecessor’s own workers, if it was the successor', async () => {
    const leave = world.path('leave');
    const { daemon, client, successor, old, address } = await draining({ leave });
    const { pid: doomed } = await world.step('started', 2);
    process.kill(successor, 'SIGKILL');
    const { status, stdout } = await client;
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'refused', reason: 'exited', generation: 2 });
    await ended(doomed);
    world.open(leave);
    const again = await world.step('serving', 1, ({ pid }) => pid !== old);
    expect(again.version).toBe('two');
    expect(await who(address)).toMatchObject({ generation: 1, pid: again.pid });
    expect(await daemon.running(1)).toMatchObject({ pid: daemon.pid });
    expect(world.pid()).toBe(daemon.pid);
    expect(servingSteps(2)).toEqual([]);
    expect(world.together()).toEqual([]);
  });
});

describe('a successor that is killed after it took charge', () => {
  it('is followed by the predecessor, which comes back as long as it has not gone', async () => {
    const { daemon, address } = await world.started();
    const slow = get(address, `/slow?until=${world.path('answer')}`);
    await world.step('answering', 1);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted' });
    const successor = await successorOf(daemon);
    const { pid } = await world.step('serving', 2);
    process.kill(successor, 'SIGKILL');
    await ended(pid);
    world.open(world.path('answer'));
    expect((await slow).status).toBe(200);
    const status = await daemon.settled(1);
    expect(status).toMatchObject({
      pid: daemon.pid,
      lastReload: { outcome: 'rolled-back', reason: 'exited' },
    });
    expect(world.pid()).toBe(daemon.pid);
    expect(await who(address)).toMatchObject({ generation: 1 });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });
});

describe('a predecessor that hangs', () => {
  it('S38: is left behind when it serves beside the successor, and killed when it does not go', async () => {
    const gate = world.path('gate');
    const { daemon, status } = await world.started({ mode: 'overlap', options: IMPATIENT });
    world.release({ gate });
    const client = world.tanist('reload', '--json');
    const successor = await successorOf(daemon);
    await world.step('started', 2);
    process.kill(daemon.pid, 'SIGSTOP');
    world.open(gate);
    const committed = await daemon.line('takeover.committed');
    const killed = await daemon.line('predecessor.killed', ({ pid }) => pid === daemon.pid);
    expect(msBetween(committed, killed)).toBeGreaterThanOrEqual(1_000 - ROUNDING_MS);
    expect(await daemon.exit()).toEqual({ code: null, signal: 'SIGKILL' });
    expectPromoted(await client);
    await ended(workerPid(status));
    await expectSuccession(daemon, successor);
  });

  it('S38: is killed first when its workers must not serve beside the successor’s', async () => {
    const gate = world.path('gate');
    const { daemon, status } = await world.started({ mode: 'exclusive', options: IMPATIENT });
    world.release({ gate });
    const client = world.tanist('reload', '--json');
    const successor = await successorOf(daemon);
    await world.step('started', 2);
    process.kill(daemon.pid, 'SIGSTOP');
    world.open(gate);
    const asked = await daemon.line('takeover.asked');
    const killed = await daemon.line('predecessor.killed', ({ pid }) => pid === daemon.pid);
    expect(msBetween(asked, killed)).toBeGreaterThanOrEqual(500 - ROUNDING_MS);
    expect(await daemon.exit()).toEqual({ code: null, signal: 'SIGKILL' });
    expectPromoted(await client);
    await world.step('serving', 2);
    await ended(workerPid(status));
    expect(world.together()).toEqual([]);
    await expectSuccession(daemon, successor);
  });

  it('S38: is killed when it hangs while its workers drain', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon, status } = await world.started({ mode: 'exclusive', options: IMPATIENT });
    world.release({});
    const client = world.tanist('reload', '--json');
    const successor = await successorOf(daemon);
    const left = world.step('leaving', 1);
    await left;
    process.kill(daemon.pid, 'SIGSTOP');
    world.open(leave);
    const killed = await daemon.line('predecessor.killed', ({ pid }) => pid === daemon.pid);
    // The predecessor's own line may be later than its word, from which on it is waited for.
    const asked = await daemon.line('takeover.asked');
    expect(msBetween(asked, killed)).toBeGreaterThanOrEqual(1_000 - ROUNDING_MS);
    expectPromoted(await client);
    await world.step('serving', 2);
    await ended(workerPid(status));
    await expectSuccession(daemon, successor);
  });
});

describe('a successor that hangs', () => {
  it('is killed when it was granted the takeover and does not take charge', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon, status } = await world.started({
      mode: 'exclusive',
      options: ['--takeover-timeout', '500ms'],
    });
    world.release({});
    const reload = world.reload();
    const successor = await successorOf(daemon);
    await world.step('leaving', 1);
    process.kill(successor, 'SIGSTOP');
    world.open(leave);
    const { verdict } = await reload;
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'takeover-timeout', generation: 2 });
    expect(verdict.detail).toMatch(/did not take charge within 0.5 s of the grant/);
    await reaped(successor);
    await world.step('serving', 1, ({ pid }) => pid !== workerPid(status));
    expect(await daemon.running(1)).toMatchObject({ pid: daemon.pid });
    expect(servingSteps(2)).toEqual([]);
    expect(world.together()).toEqual([]);
  });

  /** A program in tanist's place that asks for takeover, and then does what the text says. */
  const withSuccessor = async (text: string) => {
    const script = world.ownTanist();
    const started = await world.started({ script, options: ['--takeover-timeout', '500ms'] });
    unlinkSync(script);
    writeFileSync(
      script,
      `const { readSync, writeSync } = require('node:fs');
      const line = () => {
        let text = '';
        for (const byte = Buffer.alloc(1); !text.endsWith('\\n'); text += byte) readSync(3, byte);
        return JSON.parse(text);
      };
      const say = (message) => writeSync(3, JSON.stringify(message) + '\\n');
      const { descriptors } = line();
      const heard = (word) => { while (line().say !== word); };
      const hang = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      say({ say: 'takeover' });
      ${text}`,
    );
    return started;
  };

  it.each([
    [
      'when it has the token and says nothing',
      `heard('granted'); readSync(descriptors.token, Buffer.alloc(1)); hang();`,
    ],
    [
      'when it answers the grant with nonsense',
      `heard('granted'); writeSync(3, 'nonsense\\n{"say":7}\\n'); hang();`,
    ],
  ])('is killed %s, and nothing has changed for the workers of the predecessor', async (_, text) => {
    const { daemon, status, address } = await withSuccessor(text);
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'takeover-timeout', generation: 2 });
    expect(verdict.durationMs).toBeGreaterThanOrEqual(500 - ROUNDING_MS);
    await reaped(await successorOf(daemon));
    expect(world.pid()).toBe(daemon.pid);
    expect(await who(address)).toMatchObject({ generation: 1, pid: workerPid(status) });
  });

  it('is not waited for when it ends with the grant in its hands', async () => {
    const { daemon, status, address } = await withSuccessor(`heard('granted'); process.exit(3);`);
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'exited', generation: 2 });
    expect(verdict.durationMs).toBeLessThan(4_000);
    expect(world.pid()).toBe(daemon.pid);
    expect(await who(address)).toMatchObject({ generation: 1, pid: workerPid(status) });
  });
});
