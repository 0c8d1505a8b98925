import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  descriptorsOf,
  Generations,
  MODES,
  type Mode,
  NAME,
  reaped,
  socketsAtRest,
  socketsOf,
  type Verdict,
  who,
  workerPid,
  workerPids,
} from './generations.js';
import { type CommandResult, type Daemon, fixture, isRunning, root, until } from './harness.js';
import { Load } from './load.js';

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  flockSync(descriptor: number, operation: 'exnb'): void;
};

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'latin1');

const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'latin1');

/** Tries to take the lock, and starts other daemons of the same name, until it is told to stop. */
const strangers = (daemon: Daemon) => {
  let stopped = false;
  let tries = 0;
  let stolen = 0;
  const tryLock = (): void => {
    if (stopped) return;
    const descriptor = openSync(world.pidFile, 'r');
    try {
      flockSync(descriptor, 'exnb');
      stolen += 1;
    } catch {
      // Held, as it should be.
    }
    closeSync(descriptor);
    tries += 1;
    setImmediate(tryLock);
  };
  tryLock();
  const start = async (): Promise<CommandResult[]> => {
    const results: CommandResult[] = [];
    // Another command: the same one would ask for a reload.
    // Two at least, however slow the machine is.
    while (!stopped || results.length < 2)
      results.push(await daemon.world.tanist('run', '--name', NAME, '--', 'true'));
    return results;
  };
  const starts = start();
  return async () => {
    stopped = true;
    return { tries, stolen, starts: await starts };
  };
};

describe.each(MODES)('a reload, %s', (mode: Mode) => {
  it('puts a new generation in the place of the old one, with its port, pid file and control socket', async () => {
    world.release({ version: 'one' });
    const options = ['--workers', '2', '--no-anchor'];
    const { daemon, status: before, address } = await world.started({ mode, options });
    const listener = descriptorsOf(workerPid(before)).get(3);
    const { ino } = statSync(world.pidFile);
    expect(world.pid()).toBe(daemon.pid);

    world.release({ version: 'two' });
    const result = await world.tanist('reload', '--json');
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const verdict = JSON.parse(result.stdout) as Verdict;
    expect(verdict).toMatchObject({ outcome: 'promoted', reason: null, detail: null, generation: 2 });

    const after = await daemon.settled(2);
    expect(after.lastReload).toMatchObject({ outcome: 'promoted', generation: 2, ids: verdict.ids });
    expect(after.listeners).toEqual(before.listeners);
    expect(workerPids(after)).toHaveLength(2);
    expect(workerPids(after).filter((pid) => workerPids(before).includes(pid))).toEqual([]);
    for (const pid of [...workerPids(before), daemon.pid]) await reaped(pid);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });

    expect(listener).toMatch(/^socket:/);
    for (const pid of workerPids(after)) expect(descriptorsOf(pid).get(3)).toBe(listener);
    expect(await who(address)).toMatchObject({ generation: 2, version: 'two' });
    expect(after.pid).not.toBe(daemon.pid);
    expect(world.pid()).toBe(after.pid);
    expect(statSync(world.pidFile).ino).toBe(ino);
    await world.only(after.pid, ...workerPids(after));
    if (mode === 'exclusive') expect(world.together()).toEqual([]);

    expect(await world.tanist('stop')).toMatchObject({ status: 0 });
    await world.empty();
    expect(world.remains()).toEqual([]);
  });

  it('never leaves the lock free: a stranger is told with status 5 that it is held', async () => {
    const { daemon } = await world.started({ mode });
    const stop = strangers(daemon);
    for (const generation of [2, 3, 4]) {
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation });
      await daemon.settled(generation);
    }
    const { tries, stolen, starts } = await stop();
    expect(tries).toBeGreaterThan(100);
    expect(stolen).toBe(0);
    expect(starts.length).toBeGreaterThan(1);
    for (const { status, stderr } of starts) {
      expect(status).toBe(5);
      expect(stderr).toContain('TANIST_LOCK_HELD');
    }
  });

  it('loses no request of clients with and without keep-alive, five times in a row', async () => {
    const { daemon, address } = await world.started({ mode });
    const load = new Load(address);
    for (const generation of [2, 3, 4, 5, 6]) {
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation });
      await daemon.settled(generation);
    }
    const { failures, answers, reused } = await load.stop();
    expect(failures).toEqual([]);
    expect([...answers.keys()].sort()).toEqual(expect.arrayContaining([2, 3, 4, 5, 6]));
    expect(reused).toBeGreaterThan(0);
    if (mode === 'exclusive') expect(world.together()).toEqual([]);
  });

  it('S33: starts the original program with the original arguments', async () => {
    const words = ['--odd', 'two words', '--', '-x'];
    const { daemon, status: before } = await world.started({
      mode,
      command: [fixture('service.mjs'), ...words],
    });
    const original = commandLine(workerPid(before));
    await world.reload();
    const after = await daemon.settled(2);
    expect(commandLine(after.pid)).toContain('tanist.js\0run\0--name\0');
    expect(commandLine(after.pid)).toContain(words.join('\0'));
    expect(commandLine(workerPid(after))).toBe(original);
  });

  it('S32: is accepted before the first worker is ready', async () => {
    const gate = world.path('gate');
    world.release({ version: 'slow', gate });
    const daemon = world.start({ mode });
    const slow = await world.step('started', 1);
    world.release({ version: 'fast' });
    daemon.child.kill('SIGUSR2');
    const status = await daemon.settled(2);
    expect(status.lastReload).toMatchObject({ outcome: 'promoted', generation: 2, ids: [] });
    await reaped(slow.pid);
  });

  it('S32: replaces a first version that crashes in a loop', async () => {
    world.release({ version: 'broken', boot: 'crash' });
    const daemon = world.start({ mode, options: ['--respawn-delay', '100ms'] });
    await daemon.manyLines(3, 'worker.exited');
    world.release({ version: 'whole' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    const { listeners } = await daemon.settled(2);
    expect(await who(listeners[0]?.address ?? '')).toMatchObject({ version: 'whole', generation: 2 });
  });

  it('S34: joins a second request to the first, and both get the same verdict', async () => {
    const gate = world.path('gate');
    const { daemon } = await world.started({ mode });
    world.release({ gate });
    const first = world.reload();
    await daemon.line('reload.started');
    daemon.child.kill('SIGUSR2');
    await daemon.line('reload.requested', ({ via }) => via === 'SIGUSR2');
    const second = world.tanist('reload', '--json');
    await daemon.manyLines(2, 'reload.requested', ({ via }) => via === 'control');
    world.open(gate);

    const { verdict } = await first;
    expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2, joined: false });
    const joined = JSON.parse((await second).stdout) as Verdict;
    expect(joined).toEqual({ ...verdict, joined: true });
    await daemon.settled(2);
    expect(daemon.lines().filter(({ event }) => event === 'reload.started')).toHaveLength(1);
  });

  it('S34: joins a request that comes while the old generation still leaves', async () => {
    const answer = world.path('answer');
    const { daemon, address } = await world.started({ mode: 'overlap' });
    const slow = fetch(`http://${address}/slow?until=${answer}`);
    await world.step('answering', 1);
    await world.reload();
    const status = await daemon.running(2);
    expect(status.reload).toMatchObject({ phase: 'leaving' });
    const joined = world.reload();
    await daemon.line('reload.requested', ({ supervisorPid }) => supervisorPid === status.pid);
    world.open(answer);
    expect((await joined).verdict).toMatchObject({ outcome: 'promoted', generation: 2, joined: true });
    expect((await slow).status).toBe(200);
    await daemon.settled(2);
    expect((await world.reload()).verdict).toMatchObject({ generation: 3, joined: false });
  });

  it('S37: starts the new worker at once, and both generations run; only the old one serves', async () => {
    const gate = world.path('gate');
    const { daemon, status, address } = await world.started({ mode });
    world.release({ version: 'two', gate });
    const verdict = world.reload();
    const { pid } = await world.step('started', 2);
    expect(isRunning(workerPid(status))).toBe(true);
    expect(await who(address)).toMatchObject({ generation: 1 });
    expect(await daemon.statusNow()).toMatchObject({ state: 'reloading', generation: 1, pid: daemon.pid });
    expect(world.pid()).toBe(daemon.pid);
    world.open(gate);
    await verdict;
    await daemon.settled(2);
    expect(await who(address)).toMatchObject({ generation: 2, version: 'two', pid });
  });

  it('S40: answers a worker that is respawned after the reload at once', async () => {
    const { daemon, address } = await world.started({ mode });
    await world.reload();
    const before = await daemon.settled(2);
    process.kill(workerPid(before), 'SIGKILL');
    const second = await world.step('serving', 2, ({ pid }) => pid !== workerPid(before));
    expect(await who(address)).toMatchObject({ generation: 2, pid: second.pid });
    expect((await daemon.running(2)).workers[0]).toMatchObject({ pid: second.pid, respawns: 1 });
  });

  it('keeps the number of descriptors over six reloads, and gives none of its own to workers', async () => {
    const command = ['perl', `${root}test/examples/worker.pl`];
    const { daemon } = await world.started({ mode, command });
    const counts: number[] = [];
    for (const generation of [2, 3, 4, 5, 6, 7]) {
      await world.reload();
      const status = await daemon.settled(generation);
      const sockets = await socketsAtRest(status.pid);
      counts.push(descriptorsOf(status.pid).size);
      const worker = [...descriptorsOf(workerPid(status)).values()];
      // Its listener and the life pipe, and nothing else of what the supervisor has; the lock neither.
      expect(worker.filter((name) => sockets.includes(name))).toHaveLength(2);
      expect(worker).not.toContain(world.pidFile);
    }
    expect(counts).toEqual(counts.map(() => counts[0]));
  });

  it('shares nothing with the other generation but what is handed over', async () => {
    const gate = world.path('gate');
    const { daemon, status } = await world.started({ mode });
    world.release({ gate });
    const verdict = world.reload();
    const { pid } = await world.step('started', 2);
    const listener = descriptorsOf(workerPid(status)).get(3);
    expect(socketsOf(pid).filter((name) => socketsOf(daemon.pid).includes(name))).toEqual([listener]);
    expect(socketsOf(pid).filter((name) => socketsOf(workerPid(status)).includes(name))).toEqual([listener]);
    world.open(gate);
    await verdict;
  });
});

describe.each([
  ['Perl', ['perl', `${root}test/examples/worker.pl`]],
  ['Python', ['python3', `${root}test/examples/worker.py`]],
])('a worker that speaks the protocol by itself, in %s', (_, command) => {
  it('is replaced under load without a loss', async () => {
    const { daemon, address } = await world.started({ command });
    const load = new Load(address, { kept: false });
    for (const generation of [2, 3]) {
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation });
      await daemon.settled(generation);
    }
    expect(await who(address)).toMatchObject({ generation: 3 });
    expect((await load.stop()).failures).toEqual([]);
  });

  it('answers a request of which half has come when it is asked to leave', async () => {
    const { daemon, status, address } = await world.started({ command });
    const worker = workerPid(status);
    const idle = socketsOf(worker).length;
    const client = connect(Number(address.split(':')[1]), '127.0.0.1');
    const answer = text(client);
    client.write('GET / HTTP/1.1\r\n');
    await until('an accepted connection', () => socketsOf(worker).length > idle);
    await world.reload();
    // Sent and handled: nothing of it is pending any more.
    await daemon.line('worker.draining');
    await until('a handled signal', () => /^(Sig|Shd)Pnd:\t.*[1-9a-f]/m.test(statusOf(worker)) === false);
    client.write('Host: half\r\n\r\n');
    expect(await answer).toMatch(new RegExp(`^HTTP/1\\.1 200 OK\r\n[^]*"pid": ?${worker},`));
    await daemon.settled(2);
  });
});
