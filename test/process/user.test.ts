import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Daemon, fixture, get, isRunning, until } from './harness.js';
import {
  bindAsUser,
  CLIMBER,
  credentials,
  credentialsOf,
  everybody,
  GID,
  mountObstacle,
  newUserWorld,
  obstacle,
  ownerOf,
  pidsOf,
  privilegedPort,
  runAsUser,
  UID,
  USER,
  type UserWorld,
  unprivilegedPortStart,
  withGroupTable,
} from './users.js';
import { GOOD, newWorld, perl, runOddly, SERVING } from './workers.js';

const reason = obstacle();
if (reason !== null) console.log(`skipped, no other user here: ${reason}`);
const noMounts = mountObstacle();
if (noMounts !== null) console.log(`skipped, no groups of our own here: ${noMounts}`);

const AS_USER = ['--name', 'x', '--user', USER, '--log-level', 'debug'] as const;
const OWNED = { uid: UID, gid: GID };

const start = (world: UserWorld, ...args: readonly string[]): Daemon => world.run([...AS_USER, ...args]);

/** Reloads to that generation, and waits until it runs alone. */
const reload = async (world: UserWorld, daemon: Daemon, generation: number) => {
  expect((await world.tanist('reload')).stdout).toContain(`promoted: generation ${generation} `);
  return daemon.settled(generation);
};

const indexOf = (daemon: Daemon, event: string): number =>
  daemon.lines().findIndex((line) => line.event === event);

describe.skipIf(reason !== null)('--user', () => {
  it('S16, S18: is whom supervisor and workers are after lock and listeners, and before pid and workers', async () => {
    const world = newUserWorld();
    const daemon = start(world, '--workers', '2', '--listen', '127.0.0.1:0', ...CLIMBER);
    const status = await daemon.running();
    for (const pid of pidsOf(status)) expect(credentialsOf(pid)).toEqual(credentials());
    expect(status.account).toEqual({ user: USER, uid: UID, gid: GID });
    const order = ['lock.acquired', 'listeners.bound', 'identity.assumed', 'pid.written', 'worker.spawned'];
    const places = order.map((event) => indexOf(daemon, event));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('S11, X19: keeps a port that only root may bind over two reloads, of which none changes user', async () => {
    const world = newUserWorld();
    const port = await privilegedPort();
    // Without this the test would show nothing.
    if (unprivilegedPortStart() > port) expect(bindAsUser(port)).toBe('EACCES');
    const daemon = start(world, '--listen', `127.0.0.1:${port}`, ...perl(...SERVING));
    await daemon.running();
    for (const generation of [2, 3]) {
      const { workers } = await reload(world, daemon, generation);
      expect((await get(`127.0.0.1:${port}`)).body).toBe(`${workers[0]?.pid} at 3`);
    }
    // The anchor too: nothing here is root.
    const all = everybody(world);
    expect(all.length).toBeGreaterThanOrEqual(3);
    for (const one of all) expect(one).toEqual(credentials());
    const changes = daemon.lines().filter(({ event }) => event === 'identity.assumed');
    expect(changes).toMatchObject([{ generation: 1, user: USER, uid: UID, gid: GID, groups: [GID] }]);
  });

  it.skipIf(noMounts !== null).each([
    ['', GID, [GID, 7_001, 7_003]],
    ['--group 7002', 7_002, [7_001, 7_002, 7_003]],
  ])(
    'X19, S18: has its own supplementary groups and none of whoever started it: %s',
    async (option, gid, groups) => {
      const world = newUserWorld();
      const table = world.path('group');
      writeFileSync(
        table,
        `root:x:0:\n${USER}:x:${GID}:\na:x:7001:${USER}\nb:x:7002:\nc:x:7003:games,${USER}\n`,
      );
      const words = option === '' ? [] : option.split(' ');
      const daemon = runOddly(world, [...AS_USER, ...words, ...perl(...GOOD)], {
        launcher: [...withGroupTable(table), 'setpriv', '--groups', '4,24,7002', '--'],
      });
      for (const generation of [1, 2]) {
        const status = generation === 1 ? await daemon.running() : await reload(world, daemon, generation);
        for (const pid of pidsOf(status)) expect(credentialsOf(pid)).toEqual(credentials({ gid, groups }));
      }
    },
  );

  it('X19: leaves a worker no way back to root', async () => {
    const world = newUserWorld();
    const daemon = start(world, '--listen', '127.0.0.1:0', ...CLIMBER);
    for (const generation of [1, 2]) {
      const { listeners, workers } =
        generation === 1 ? await daemon.running() : await reload(world, daemon, generation);
      const answer = JSON.parse((await get(listeners[0]?.address ?? '')).body);
      expect(answer).toMatchObject({
        pid: workers[0]?.pid,
        attempts: {
          setuid: 'EPERM',
          seteuid: 'EPERM',
          setgid: 'EPERM',
          setegid: 'EPERM',
          setgroups: 'EPERM',
        },
        variables: { USER, LOGNAME: USER },
      });
      expect(answer.variables.HOME).not.toBe(process.env.HOME);
    }
  });

  it('gives workers HOME, USER and LOGNAME of that user, and those of an env file before them', async () => {
    const world = newUserWorld();
    writeFileSync(world.path('x.env'), 'HOME=/srv\n');
    const daemon = start(world, '--listen', '127.0.0.1:0', '--env-file', world.path('x.env'), ...CLIMBER);
    const { listeners } = await daemon.running();
    expect(JSON.parse((await get(listeners[0]?.address ?? '')).body).variables).toEqual({
      HOME: '/srv',
      USER,
      LOGNAME: USER,
    });
  });

  it.each(['overlap', 'exclusive'])(
    'has its files in a directory of its own, with --handoff %s',
    async (handoff) => {
      const world = newUserWorld();
      const [socket, log] = [world.path('web'), world.path(`${USER}/x.log`)];
      const daemon = world.run(
        [
          ...AS_USER,
          '--handoff',
          handoff,
          '--listen',
          `unix:${socket}`,
          '--log-file',
          log,
          ...perl(...SERVING),
        ],
        { log },
      );
      await daemon.running();
      await reload(world, daemon, 2);
      expect(ownerOf(world.directory)).toEqual({ uid: 0, gid: 0, mode: '711' });
      expect(ownerOf(world.home)).toEqual({ ...OWNED, mode: '700' });
      expect(ownerOf(world.path(`${USER}/x.pid`))).toEqual({ ...OWNED, mode: '644' });
      expect(ownerOf(world.path(`${USER}/x.sock`))).toEqual({ ...OWNED, mode: '600' });
      expect(ownerOf(log)).toEqual({ ...OWNED, mode: '640' });
      expect(ownerOf(socket)).toMatchObject(OWNED);
      const fence = world.path(`${USER}/x.workers`);
      expect(existsSync(fence)).toBe(handoff === 'exclusive');
      if (handoff === 'exclusive') expect(ownerOf(fence)).toMatchObject(OWNED);
      expect((await world.tanist('stop')).status).toBe(0);
      await world.empty();
      expect(readdirSync(world.home)).toEqual(['x.log']);
      // Only root may remove a name from root's directory: it is told, and no start is stopped by it.
      expect(existsSync(socket)).toBe(true);
      expect(daemon.lines().find(({ event }) => event === 'listeners.removed')).toMatchObject({
        level: 'warn',
        left: [{ path: socket, reason: 'EACCES' }],
      });
      const again = world.run([
        ...AS_USER,
        '--handoff',
        handoff,
        '--listen',
        `unix:${socket}`,
        ...perl(...SERVING),
      ]);
      await again.running();
    },
  );

  it('lets its probe sockets be used: a worker is ready when it answers there', async () => {
    const world = newUserWorld();
    const well = world.path('well');
    writeFileSync(well, '');
    const daemon = start(
      world,
      '--ready',
      'http=/',
      ...perl('say takeover', `probed ${well}`, 'hear', 'rest'),
    );
    await daemon.running();
    await reload(world, daemon, 2);
    for (const pid of pidsOf(await daemon.running(2))) expect(credentialsOf(pid)).toEqual(credentials());
  });

  it('is whom the first process stays as, for its pid: the user may stop it with a signal', async () => {
    const world = newUserWorld();
    const daemon = start(world, ...perl(...GOOD));
    await daemon.running();
    const { anchor } = await reload(world, daemon, 2);
    expect(anchor).toEqual({ pid: daemon.pid });
    expect(credentialsOf(daemon.pid)).toEqual(credentials());
    expect(runAsUser('kill', '-TERM', String(daemon.pid)).status).toBe(0);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
    expect(readdirSync(world.home)).toEqual([]);
  });

  it('may be asked by root and by that user: status, reload, stop', async () => {
    for (const who of ['tanist', 'tanistAsUser'] as const) {
      const world = newUserWorld();
      const daemon = start(world, ...perl(...GOOD));
      await daemon.running();
      for (const target of [[], ['--name', 'x'], ['--pid-file', world.path(`${USER}/x.pid`)]]) {
        const { status, stdout } = await world[who]('status', '--json', ...target);
        expect([status, JSON.parse(stdout)]).toEqual([
          0,
          expect.objectContaining({ name: 'x', state: 'running' }),
        ]);
      }
      expect((await world[who]('reload')).stdout).toContain('promoted: generation 2 ');
      expect(await world[who]('stop')).toMatchObject({ status: 0, stdout: 'stopped x\n' });
      await daemon.exit();
      expect((await world[who]('status')).status).toBe(3);
    }
  });

  it('S18: is for root to start again: a second start of root is a reload, and one of that user changes nothing', async () => {
    const world = newUserWorld();
    const daemon = start(world, ...perl(...GOOD));
    const before = await daemon.running();
    const words = [...AS_USER, ...perl(...GOOD)];
    for (const command of ['run', 'restart']) {
      const { status, stderr } = await world.tanistAsUser(command, ...words);
      expect(status).toBe(2);
      expect(stderr).toBe(
        `error TANIST_USAGE: --user "${USER}": expected root to start it: only root can change users, and this is user ${UID}\n` +
          `hint: Run "tanist --help" for the commands and "tanist <command> --help" for their options.\n`,
      );
    }
    expect(await daemon.running()).toMatchObject({
      pid: before.pid,
      workers: [{ pid: before.workers[0]?.pid }],
    });
    expect(await world.tanist('run', ...words)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^promoted: generation 2 /),
    });
    await daemon.settled(2);
    const other = await world.tanist('run', ...words.slice(0, 4), '--group', '0', ...perl(...GOOD));
    expect([other.status, other.stderr]).toEqual([5, expect.stringContaining('--group')]);
  });

  it('S18: of which the system knows none, and such a group, are told at once, and nothing is made', async () => {
    const world = newWorld();
    const names = ['--user', 'no-such-user', '--group', 'no-such-group'];
    const { status, stderr } = await world.tanist(
      'run',
      '--run-dir',
      world.path('run'),
      ...names,
      ...perl(...GOOD),
    );
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error TANIST_USAGE: 2 mistakes\n/);
    expect(stderr).toContain('--user "no-such-user": expected a user that this system knows');
    expect(stderr).toContain('--group "no-such-group": expected a group that this system knows');
    expect(existsSync(world.path('run'))).toBe(false);
  });

  it('is refused where it cannot read what the workers run, or a reload would need', async () => {
    const world = newUserWorld();
    const secret = world.path('secret.mjs');
    cpSync(fixture('climber.mjs'), secret);
    chmodSync(secret, 0o600);
    const daemon = start(world, '--listen', '127.0.0.1:0', '--', secret);
    expect((await daemon.exit()).code).toBe(1);
    expect(daemon.stderr()).toContain(
      `error TANIST_USER_ACCESS: ${USER} cannot read ${secret}, which the workers run: EACCES\n`,
    );
    expect(indexOf(daemon, 'worker.spawned')).toBe(-1);
    expect(readdirSync(world.home)).toEqual([]);
  });

  it.each(['setuid', 'setgid'])(
    'fails as root without the capability %s, and starts nothing',
    async (capability) => {
      const world = newUserWorld();
      const daemon = runOddly(world, [...AS_USER, ...perl(...GOOD)], {
        launcher: ['setpriv', '--bounding-set', `-${capability}`, '--inh-caps', `-${capability}`],
      });
      expect((await daemon.exit()).code).toBe(1);
      expect(daemon.stderr()).toMatch(
        new RegExp(`^error TANIST_IDENTITY: cannot become user ${UID} and group ${GID}: .*EPERM`, 'm'),
      );
      expect(daemon.stderr()).toMatch(/^hint: Nothing runs\. Start it as root with all its capabilities/m);
      expect(indexOf(daemon, 'worker.spawned')).toBe(-1);
      expect(world.processes()).toEqual([]);
    },
  );
});

describe.skipIf(reason !== null)('the log of a daemon of another user', () => {
  it('is opened as that user, and opened anew after it was moved away', async () => {
    const world = newUserWorld();
    mkdirSync(world.path('logs'));
    chownSync(world.path('logs'), UID, GID);
    const log = world.path('logs/x.log');
    const daemon = world.run([...AS_USER, '--log-file', log, ...perl(...GOOD)], { log });
    const { workers } = await daemon.running();
    renameSync(log, `${log}.1`);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.line('worker.ready');
    expect([ownerOf(log), ownerOf(`${log}.1`)]).toEqual([
      { ...OWNED, mode: '640' },
      { ...OWNED, mode: '640' },
    ]);
  });

  it("in root's directory is made for it, and goes on in the one that root puts in its place", async () => {
    const world = newUserWorld();
    // Where nobody but root can make anything, as in /var/log.
    mkdirSync(world.path('logs'), { mode: 0o755 });
    const log = world.path('logs/x.log');
    const daemon = world.run([...AS_USER, '--log-file', log, ...perl(...GOOD)], { log });
    const { workers } = await daemon.running();
    expect(ownerOf(log)).toEqual({ ...OWNED, mode: '640' });
    renameSync(log, `${log}.1`);
    // As logrotate does with "create".
    writeFileSync(log, '');
    chownSync(log, UID, GID);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.line('worker.ready');
    await reload(world, daemon, 2);
    expect(daemon.lines().some(({ event, generation }) => event === 'worker.ready' && generation === 2)).toBe(
      true,
    );
  });
});

describe.skipIf(reason !== null)('--daemonize with --user', () => {
  it('returns when every worker is ready, and leaves nobody who is root', async () => {
    const world = newUserWorld();
    const log = world.path(`${USER}/x.log`);
    const starter = world.run([...AS_USER, '--daemonize', '--listen', '127.0.0.1:0', ...perl(...SERVING)], {
      log,
    });
    expect(await starter.exit()).toEqual({ code: 0, signal: null });
    const { pid, listeners } = await starter.running();
    expect(starter.stdout()).toBe(`x runs: pid ${pid}, log ${log}\n`);
    expect(ownerOf(log)).toEqual({ ...OWNED, mode: '640' });
    await reload(world, starter, 2);
    expect((await get(listeners[0]?.address ?? '')).status).toBe(200);
    for (const one of everybody(world)) expect(one).toEqual(credentials());
    const again = await world.tanist('restart');
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^x runs: pid \d+, log /)]);
    for (const one of everybody(world)) expect(one).toEqual(credentials());
    expect((await world.tanist('logs', '--lines', '1')).status).toBe(0);
    expect((await world.tanistAsUser('logs', '--lines', '1')).status).toBe(0);
    expect((await world.tanistAsUser('stop')).status).toBe(0);
    await until('its end', () => !isRunning(pid));
  });

  it('says why it failed', async () => {
    const world = newUserWorld();
    const place = world.path('locked');
    mkdirSync(place, { mode: 0o700 });
    const words = [...AS_USER, '--daemonize', '--chdir', place];
    const { status, stderr } = await world.tanist('run', ...words, ...perl(...GOOD));
    expect(status).toBe(1);
    expect(stderr).toContain(
      `error TANIST_USER_ACCESS: ${USER} cannot enter ${place}, where the workers start: EACCES\n`,
    );
    expect(world.processes()).toEqual([]);
  });
});
