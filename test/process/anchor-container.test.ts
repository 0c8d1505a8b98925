import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch, launched, reloadTo, SHELL, shellSaid } from './anchors.js';
import { childrenOf, Generations } from './generations.js';
import { type Daemon, fixture, root, until } from './harness.js';

/** A pid namespace of its own, as a container has it: tanist is process 1. */
const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc'];

const probe = spawnSync(CONTAINER[0] ?? '', [...CONTAINER.slice(1), 'true'], { encoding: 'utf8' });
const isPermitted = probe.status === 0;
if (!isPermitted)
  console.log(
    `skipped, no pid namespace here: ${CONTAINER.join(' ')}: ${probe.stderr || probe.error?.message}`,
  );

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

/** Process 1 of the container, by its pid outside: the child of unshare, which is the child of the shell. */
const initOf = async (daemon: Daemon): Promise<number> => {
  const [unshare = 0] = childrenOf(daemon.pid);
  const [init = 0] = childrenOf(unshare);
  expect(insideOf(init)).toBe(1);
  return init;
};

/** The pid that a process has inside; null when it is gone since it was listed. */
const insideOf = (pid: number): number | null => {
  try {
    const [, pids = ''] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(pids.split(/\s+/).at(-1));
  } catch {
    // Reaped.
    return null;
  }
};

/** Waits until process 1 has no other children, zombies included, than those with these pids inside. */
const hasOnly = async (init: number, ...inside: readonly number[]): Promise<void> => {
  await until(
    () => `only ${inside} below process 1, not ${childrenOf(init)}`,
    () => {
      const children = childrenOf(init);
      return (
        children.length === inside.length &&
        children.map(insideOf).every((pid) => pid !== null && inside.includes(pid))
      );
    },
  );
};

/** A worker that leaves an orphan behind at its start: it ends a moment later. */
const withOrphan = (rest: string, ...words: readonly string[]) => [
  'sh',
  '-c',
  `(sleep 0.05 &); ${rest}`,
  ...words,
];
const SERVICE = withOrphan('exec "$0" "$1"', process.execPath, fixture('service.mjs'));

describe.runIf(isPermitted)('as process 1 of a pid namespace', () => {
  it('X17: stays over three reloads, ends by SIGTERM with status 0, and leaves no process and no zombie', async () => {
    const daemon = await launched(world, { launcher: [...SHELL, ...CONTAINER] });
    const init = await initOf(daemon);
    for (const generation of [2, 3, 4]) {
      const pid = await reloadTo(world, daemon, generation);
      // It is a child of process 1 by adoption, from the third generation on.
      await hasOnly(init, pid);
      expect(await daemon.statusNow()).toMatchObject({ generation, pid, anchor: { pid: 1 } });
    }
    process.kill(init, 'SIGTERM');
    expect(await shellSaid(daemon)).toBe('status 0');
    await world.empty();
    expect(world.remains()).toEqual([]);
  });

  it('X17: reaps the orphans of its workers before any reload, and as the anchor', async () => {
    const daemon = await launched(world, { launcher: [...SHELL, ...CONTAINER], command: SERVICE });
    const init = await initOf(daemon);
    await daemon.line('orphan.reaped');
    await hasOnly(init, (await daemon.running()).workers[0]?.pid ?? 0);
    const reaped = daemon.lines().filter(({ event }) => event === 'orphan.reaped').length;
    const pid = await reloadTo(world, daemon, 2);
    await daemon.manyLines(reaped + 1, 'orphan.reaped', ({ supervisorPid }) => supervisorPid === 1);
    await hasOnly(init, pid);
    expect((await world.tanist('stop')).status).toBe(0);
    expect(await shellSaid(daemon)).toBe('status 0');
  });

  it('X17: steals no exit status of its own workers', async () => {
    const options = ['--respawn-delay', '20ms', '--respawn-limit', '12/1m', '--ready', 'alive=10s'];
    const command = withOrphan('exit 3');
    const daemon = launch(world, { launcher: [...SHELL, ...CONTAINER], options, command });
    expect(await shellSaid(daemon)).toBe('status 6');
    const exits = daemon.lines().filter(({ event }) => event === 'worker.exited');
    expect(exits).toHaveLength(13);
    expect(exits.map(({ code, signal }) => [code, signal])).toEqual(exits.map(() => [3, null]));
    expect(daemon.lines().filter(({ event }) => event === 'orphan.reaped').length).toBeGreaterThan(0);
  });

  it('X17: says once that orphans stay, where koffi is missing, and mentions --init', async () => {
    // The same program, beside the modules it needs but for this one.
    const copy = world.path('package');
    mkdirSync(join(copy, 'node_modules'), { recursive: true });
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    for (const name of readdirSync(join(root, 'node_modules')))
      if (name !== 'koffi') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
    const instead = [
      'sh',
      '-c',
      'node=$1 && shift 2 && exec "$node" "$0" "$@"',
      join(copy, 'dist/bin/tanist.js'),
    ];
    const daemon = await launched(world, {
      launcher: [...SHELL, ...CONTAINER, ...instead],
      command: SERVICE,
    });
    const init = await initOf(daemon);
    const { level, msg } = await daemon.line('reaping.failed');
    expect(level).toBe('warn');
    expect(msg).toMatch(/^koffi is not installed: orphans stay zombies .* --init/);
    await until('a zombie', () => childrenOf(init).length > 1);
    await reloadTo(world, daemon, 3);
    const told = daemon
      .lines()
      .filter(({ event, supervisorPid }) => event === 'reaping.failed' && supervisorPid === 1);
    expect(told).toHaveLength(1);
    process.kill(init, 'SIGTERM');
    expect(await shellSaid(daemon)).toBe('status 0');
  });
});
