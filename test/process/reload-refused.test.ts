import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../machines/status.js';
import {
  childrenOf,
  descriptorsOf,
  ended,
  exists,
  Generations,
  MODES,
  type Mode,
  type ReloadAnswer,
  socketsAtRest,
  who,
  workerPid,
  workerPids,
} from './generations.js';
import { type Daemon, fixture, get, tanistScript, until } from './harness.js';

/** Within a second, as the bench measures; the machine may be busy here, and no limit of the reload is as short. */
const AT_ONCE_MS = 4_000;
/** Timers and verdicts each round to the millisecond. */
const ROUNDING_MS = 2;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

/** The old generation goes on as if nothing had been asked. */
const expectUntouched = async (daemon: Daemon, before: Status): Promise<void> => {
  const after = await daemon.running(before.generation);
  expect(after.pid).toBe(before.pid);
  expect(workerPids(after)).toEqual(workerPids(before));
  expect(after.reload).toBeNull();
  expect(world.pid()).toBe(before.pid);
  const address = before.listeners[0]?.address;
  if (address !== undefined) expect(await who(address)).toMatchObject({ generation: before.generation });
  expect(childrenOf(before.pid)).toEqual(workerPids(before));
  expect((await world.tanist('run', '--name', 'service', '--', 'true')).status).toBe(5);
};

const expectRefusal = ({ status, verdict }: ReloadAnswer, reason: string, detail: RegExp): void => {
  expect(verdict).toMatchObject({ outcome: 'refused', reason });
  expect(verdict.detail).toMatch(detail);
  expect(status).toBe(409);
};

/** A Node of our own, which can be made impossible to execute. */
const ownNode = (): string => {
  const node = world.path('node');
  try {
    linkSync(process.execPath, node);
  } catch {
    // Another file system.
    copyFileSync(process.execPath, node);
  }
  return node;
};

describe.each(MODES)('a reload that fails, %s', (mode: Mode) => {
  it('tells with status 4 that a worker of the new version crashed, and goes on', async () => {
    const { daemon, status } = await world.started({ mode, options: ['--workers', '2'] });
    world.release({ version: 'broken', boot: 'crash' });
    const result = await world.tanist('reload');
    expect(result.status).toBe(4);
    expect(result.stdout).toMatch(
      /^refused \(worker-exited\): worker [12] \(pid \d+\) exited with status 1 before it was ready; generation 1 goes on serving\n$/,
    );
    await expectUntouched(daemon, status);
    expect((await daemon.statusNow())?.lastReload).toMatchObject({
      outcome: 'refused',
      reason: 'worker-exited',
      generation: 2,
    });
  });

  it('refuses a new version whose worker stays silent: start-timeout', async () => {
    const { daemon, status } = await world.started({ mode, options: ['--start-timeout', '3s'] });
    world.release({ version: 'broken', boot: 'hang' });
    const answer = await world.reload();
    expectRefusal(answer, 'start-timeout', /did not say takeover within 3000 ms/);
    expect(answer.verdict.durationMs).toBeGreaterThanOrEqual(3_000 - ROUNDING_MS);
    await ended((await world.step('started', 2)).pid);
    await expectUntouched(daemon, status);
  });

  it('S35, X16: ends the whole generation of a successor that hangs, and takes the next request', async () => {
    // Longer than a start on a busy machine, that of the whole version included.
    const options = ['--reload-timeout', '6s'];
    const { daemon, status } = await world.started({ mode, options });
    world.release({ version: 'broken', boot: 'hang' });
    const reload = world.reload();
    const { pid: supervisor } = await daemon.line('reload.started');
    const { pid: worker } = await world.step('started', 2);
    // Its workers are known by now: from here on it says nothing any more.
    await daemon.line('worker.spawned', ({ generation }) => generation === 2);
    process.kill(Number(supervisor), 'SIGSTOP');
    const answer = await reload;
    expectRefusal(answer, 'reload-timeout', /did not ask for takeover within 6 s/);
    expect(answer.verdict.durationMs).toBeGreaterThanOrEqual(6_000 - ROUNDING_MS);
    expect(exists(Number(supervisor))).toBe(false);
    await ended(worker);
    await expectUntouched(daemon, status);
    world.release({ version: 'whole' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });
});

describe('a reload that fails', () => {
  it('X1: leaves the worker alone when the start directory is gone', async () => {
    const cwd = world.path('release');
    mkdirSync(cwd);
    const { daemon, status } = await world.started({ cwd });
    rmSync(cwd, { recursive: true });
    const answer = await world.reload();
    expectRefusal(answer, 'spawn-failed', /the start directory .* is gone/);
    expect(answer.verdict.durationMs).toBeLessThan(AT_ONCE_MS);
    await expectUntouched(daemon, status);
    mkdirSync(cwd);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });

  it('X1: leaves the worker alone when tanist itself is gone', async () => {
    const script = world.ownTanist();
    const { daemon, status } = await world.started({ script });
    unlinkSync(script);
    const answer = await world.reload();
    expectRefusal(answer, 'spawn-failed', /tanist\.js is gone/);
    expect(answer.verdict.durationMs).toBeLessThan(AT_ONCE_MS);
    await expectUntouched(daemon, status);
    symlinkSync(tanistScript, script);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });

  it('X5: notices a successor that dies at once, reaps it and takes the next request', async () => {
    const script = world.ownTanist();
    const { daemon, status } = await world.started({ script });
    for (const [program, detail] of [
      ['process.exit(7)', /exited with status 7/],
      ['process.kill(process.pid, "SIGKILL")', /by SIGKILL/],
      ['this is no program', /exited with status 1/],
    ] as const) {
      unlinkSync(script);
      writeFileSync(script, program);
      const answer = await world.reload();
      expectRefusal(answer, 'exited', detail);
      expect(answer.verdict.durationMs).toBeLessThan(AT_ONCE_MS);
      expect(childrenOf(daemon.pid)).toEqual(workerPids(status));
    }
    await expectUntouched(daemon, status);
    unlinkSync(script);
    symlinkSync(tanistScript, script);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 5 });
    await daemon.settled(5);
  });

  it('refuses a new version whose probe answers wrongly: not-ready', async () => {
    const options = ['--start-timeout', '4s', '--ready', 'http=/health'];
    const { daemon, status } = await world.started({ options });
    world.release({ version: 'broken', health: 500 });
    const answer = await world.reload();
    expectRefusal(answer, 'not-ready', /probed at \/health for 4000 ms: .*500/);
    expect(answer.verdict.durationMs).toBeGreaterThanOrEqual(4_000 - ROUNDING_MS);
    await ended((await world.step('started', 2)).pid);
    await expectUntouched(daemon, status);
    world.release({ version: 'whole' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 3 });
  });

  it('does not use the number of a refused generation again', async () => {
    const { daemon, status } = await world.started();
    world.release({ boot: 'crash' });
    expect((await world.reload()).verdict.generation).toBe(2);
    expect((await world.reload()).verdict.generation).toBe(3);
    await expectUntouched(daemon, status);
    world.release({ version: 'whole' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 4 });
    await daemon.settled(4);
    world.release({ boot: 'crash' });
    expect((await world.reload()).verdict.generation).toBe(5);
    expect(world.steps().map(({ generation }) => generation)).toEqual(
      expect.arrayContaining([1, 2, 3, 4, 5]),
    );
  });

  it('refuses a successor that cannot read its hand-over record: incompatible', async () => {
    const script = world.ownTanist();
    const { daemon, status } = await world.started({ script });
    unlinkSync(script);
    // Another tanist: it says what one says that reads version 99 only, and goes.
    const words = { say: 'failed', reason: 'incompatible', detail: 'this tanist reads 99' };
    writeFileSync(script, `require('fs').writeSync(3, ${JSON.stringify(`${JSON.stringify(words)}\n`)})`);
    expectRefusal(await world.reload(), 'incompatible', /^this tanist reads 99$/);
    await expectUntouched(daemon, status);
  });
});

describe('a successor', () => {
  it('refuses a hand-over record of another version, says so to its predecessor and ends with status 4', async () => {
    const words = ['run', '--name', 'service', '--', fixture('service.mjs')];
    const successor = spawn(process.execPath, [tanistScript, ...words], {
      env: { ...world.env, TANIST_HANDOVER_FD: '3' },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    const link = successor.stdio[3] as Duplex;
    link.write('{"version":99,"name":"service"}\n');
    const [said, log, [status]] = await Promise.all([
      text(link),
      text(successor.stderr as Readable),
      once(successor, 'exit'),
    ]);
    const detail = 'the hand-over record has version 99, this tanist reads 1';
    expect(said).toBe(`${JSON.stringify({ say: 'failed', reason: 'incompatible', detail })}\n`);
    expect(log).toContain(`error TANIST_RELOAD_REFUSED: ${detail}`);
    expect(status).toBe(4);
    // It has touched nothing.
    expect(world.remains()).toEqual([]);
    expect(world.steps()).toEqual([]);
  });
});

describe('a reload that cannot start', () => {
  it('X1: leaves the worker alone when Node cannot be executed', async () => {
    const node = ownNode();
    const { daemon, status } = await world.started({ node });
    // The link count is shared with the real one: its mode must stay as it is.
    rmSync(node);
    writeFileSync(node, '');
    const answer = await world.reload();
    expectRefusal(answer, 'spawn-failed', /EACCES/);
    expect(answer.verdict.durationMs).toBeLessThan(AT_ONCE_MS);
    await expectUntouched(daemon, status);
  });

  it('X3: keeps lock and workers, and loses no descriptor, when the system gives no more', async () => {
    const { daemon, status } = await world.started();
    await socketsAtRest(daemon.pid);
    const limit = (soft: number) =>
      execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${soft}:`]);
    const refusals = () => daemon.lines().filter(({ event }) => event === 'reload.refused');
    // Whatever it is that cannot be opened: the first thing, or the last before the successor would start.
    for (let spare = -3; spare <= 5; spare += 1) {
      const count = descriptorsOf(daemon.pid).size;
      const earlier = refusals().length;
      limit(count + spare);
      daemon.child.kill('SIGUSR2');
      const { reason, detail } = await until(
        `the end of the reload with ${spare} spare descriptors`,
        () => refusals()[earlier],
      );
      limit(1024);
      expect(reason).toBe('spawn-failed');
      // Node itself loses a socket when it runs out of descriptors in the middle of a spawn.
      const lost = String(detail).startsWith('spawn ') ? 1 : 0;
      await until('as many descriptors as before', () => descriptorsOf(daemon.pid).size <= count + lost);
    }
    await expectUntouched(daemon, status);
  });

  it.each([
    ['with a listener', true],
    ['without', false],
  ])('refuses a command that is gone, or cannot be executed: spawn-failed, %s', async (_, listen) => {
    const bin = world.path('bin');
    mkdirSync(bin);
    const command = join(bin, 'serve');
    const program = `#!/bin/sh\nexec ${process.execPath} ${fixture('service.mjs')}\n`;
    writeFileSync(command, program, { mode: 0o755 });
    const { daemon, status } = await world.started({ command: [command], listen });

    unlinkSync(command);
    expectRefusal(await world.reload(), 'spawn-failed', /serve does not exist/);
    writeFileSync(command, program, { mode: 0o644 });
    expectRefusal(await world.reload(), 'spawn-failed', /serve is not an executable file/);
    chmodSync(command, 0o755);
    writeFileSync(command, '#!/nowhere/interpreter\n');
    expectRefusal(await world.reload(), 'spawn-failed', /worker 1 .*could not be (executed|started)/);
    await expectUntouched(daemon, status);

    writeFileSync(command, program);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 5 });
  });
});

describe('names and paths', () => {
  it('X2: brings spaces, quotes, other alphabets and line breaks to every generation unchanged', async () => {
    // No backslash: Node itself takes none in a module's path.
    const odd = `it's "a" dïr\n$(x) 日本`;
    const directory = world.path(odd);
    mkdirSync(directory);
    const script = join(directory, 'tanist ü.js');
    symlinkSync(tanistScript, script);
    const service = join(directory, 'sérvice "1".mjs');
    writeFileSync(service, `await import(${JSON.stringify(fixture('service.mjs'))});\n`);
    const words = ['', ' ', 'a b', `"'\\`, '$HOME `id`', 'two\nlines', 'größer 日本', '--x=1', '*'];
    const { daemon, address } = await world.started({ command: [service, ...words], cwd: directory, script });
    const argumentsOf = async () => JSON.parse((await get(address, '/arguments')).body) as unknown;
    const expected = { argv: [service, ...words], cwd: directory };
    expect(await argumentsOf()).toEqual(expected);
    for (const generation of [2, 3]) {
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation });
      await daemon.settled(generation);
      expect(await argumentsOf()).toEqual(expected);
    }
  });

  it('follows a release symlink at a reload, and not before', async () => {
    world.deploy('two');
    world.deploy('one');
    const { daemon, status, address } = await world.started({
      command: ['server.mjs'],
      cwd: world.path('current'),
    });
    expect(await who(address)).toMatchObject({ version: 'one' });

    world.point('two');
    process.kill(workerPid(status), 'SIGKILL');
    const respawned = await world.step('serving', 1, ({ pid }) => pid !== workerPid(status));
    expect(respawned.version).toBe('one');
    expect(await who(address)).toMatchObject({ version: 'one', pid: respawned.pid });

    await daemon.running(1);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted' });
    await daemon.settled(2);
    expect(await who(address)).toMatchObject({ version: 'two', generation: 2 });

    cpSync(world.path('two'), world.path('three'), { recursive: true });
    rmSync(world.path('two'), { recursive: true });
    const answer = await world.reload();
    expectRefusal(answer, 'spawn-failed', /the start directory .*current is gone/);
    expect(await who(address)).toMatchObject({ version: 'two', generation: 2 });
    world.point('three');
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted' });
  });
});
