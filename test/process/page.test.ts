import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Generations, workerPid } from './generations.js';
import { type Daemon, isRunning, until, type World } from './harness.js';
import { cookieOf, Onlooker } from './inspectors.js';
import { GOOD, newWorld, perl } from './workers.js';

const ADDRESS = /^inspector: (http:\S+)$/gm;

/** Where the daemon says that its page is. */
const urlOf = (daemon: Daemon): Promise<string> =>
  until(
    () => `the address of the page in ${daemon.stdout()}${daemon.stderr()}`,
    () => [...daemon.stdout().matchAll(ADDRESS)][0]?.[1],
  );

const pagesOf = (world: World): number[] =>
  world.processes().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('--until-end');
    } catch {
      // Gone since it was listed.
      return false;
    }
  });

/** Sockets, pipes and files that a process holds. */
const heldBy = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        // The directory's own descriptor.
        return '';
      }
    })
    .filter((held) => /^(socket|pipe):|^\//.test(held) && !held.startsWith('/dev/'));

const look = async (url: string): Promise<Onlooker> =>
  new Onlooker(Number(new URL(url).port), await cookieOf(url));

const generations = () => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  return world;
};

describe('tanist run --inspect', () => {
  it('opens a page that holds nothing of the daemon, follows it through reloads, and ends with it', async () => {
    const world = generations();
    const { daemon, status } = await world.started({ options: ['--inspect'], env: { TANIST_JOURNAL: '' } });
    const url = await urlOf(daemon);
    const [page = 0] = await until('the page', () => pagesOf(world));
    const held = heldBy(page);
    for (const pid of [status.pid, workerPid(status)])
      expect(heldBy(pid).filter((one) => held.includes(one))).toEqual([]);

    const viewer = await look(url);
    await until('the first generation', () => viewer.entries().some(({ generation }) => generation === 1));
    expect(viewer.messages('hello')).toEqual([
      { name: 'service', mode: 'live', controls: false, untilEnd: true },
    ]);
    for (const generation of [2, 3]) {
      expect((await world.reload()).status).toBe(200);
      await daemon.settled(generation);
      await until('its workers', () =>
        viewer.entries().some((one) => one.generation === generation && one.actor === 'worker-1'),
      );
    }
    expect(pagesOf(world)).toEqual([page]);
    expect(daemon.stdout().match(ADDRESS)).toHaveLength(1);
    expect((await world.tanist('stop')).status).toBe(0);
    await until('word of the end', () => viewer.link() === 'ended');
    await world.empty();
  });

  it('ends when the daemon is killed in the middle of a reload, and not before nobody is left', async () => {
    const world = generations();
    const { daemon, status } = await world.started({ options: ['--inspect', '--no-anchor'] });
    await urlOf(daemon);
    const [page = 0] = pagesOf(world);
    world.release({ gate: world.path('never') });
    const reload = world.reload().catch(() => null);
    const { reload: under } = await daemon.status('a successor', (one) => one.reload?.successorPid != null);
    process.kill(status.pid, 'SIGKILL');
    await daemon.status('another supervisor', ({ pid }) => pid === under?.successorPid);
    expect(isRunning(page)).toBe(true);
    process.kill(under?.successorPid ?? 0, 'SIGKILL');
    await reload;
    await world.empty();
  });

  it('does without the page where it cannot be opened, and where it is killed', async () => {
    const world = newWorld();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { readonly port: number };
    const daemon = world.run(['--name', 'x', `--inspect=127.0.0.1:${port}`, ...perl(...GOOD)]);
    const { msg, level } = await daemon.line('page.failed');
    expect([level, msg]).toEqual(['warn', expect.stringContaining(`cannot listen on 127.0.0.1:${port}`)]);
    expect((await daemon.running()).workers).toHaveLength(1);
    await until('the end of the page', () => pagesOf(world).length === 0);
    await world.tanist('stop');

    const other = world.run(['--name', 'y', '--inspect', ...perl(...GOOD)]);
    await urlOf(other);
    for (const pid of pagesOf(world)) process.kill(pid, 'SIGKILL');
    await until('the end of the page', () => pagesOf(world).length === 0);
    await other.running();
    expect((await world.tanist('reload')).status).toBe(0);
    expect(pagesOf(world)).toEqual([]);
  });

  it('is opened by the command that starts a daemon, and by none that only asks for a reload', async () => {
    const world = newWorld();
    const words = ['--daemonize', '--name', 'x', '--inspect', '--inspect-control', ...perl(...GOOD)];
    const start = await world.tanist('run', ...words);
    expect([start.status, start.stderr]).toEqual([0, '']);
    const [, url = ''] = /^inspector: (\S+)$/m.exec(start.stdout) ?? [];
    const viewer = await look(url);
    await until('the daemon', () => viewer.link() === 'connected');
    expect(viewer.messages('hello')).toEqual([{ name: 'x', mode: 'live', controls: true, untilEnd: true }]);
    const again = await world.tanist('run', ...words);
    expect([again.status, again.stdout]).toEqual([0, expect.not.stringContaining('inspector:')]);
    expect(again.stderr).toContain('no page is opened');
    expect(pagesOf(world)).toHaveLength(1);
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  });
});
