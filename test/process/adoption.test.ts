import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Daemon, fixture, get, root, until, type World } from './harness.js';
import { bystander, GOOD, newWorld, perl, reported, runOddly } from './workers.js';

/** A worker that answers at two listeners and tells what it was given. */
const serving = (...listeners: number[]): string[] =>
  perl('report', 'say takeover', 'hear', `serve ${listeners.join(' ')}`);

/** `tanist run …` by a program that has opened sockets, or something else, from descriptor 3 on. */
const startedBy = (world: World, opened: readonly string[], args: readonly string[]): Daemon =>
  runOddly(world, args, { launcher: ['python3', fixture('starter.py'), ...opened, '--'] });

const ACTIVATED = (count: number, names?: string): string[] => [
  'LISTEN_PID=PID',
  `LISTEN_FDS=${count}`,
  ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`]),
];

const errorOf = async (daemon: Daemon): Promise<string> => {
  expect(await daemon.exit()).toEqual({ code: 1, signal: null });
  return daemon.stderr();
};

describe('a descriptor that is inherited', () => {
  it('is a listener like others: named, shown, served, and the same after a reload', async () => {
    const world = newWorld();
    const unix = world.path('their.socket');
    const listen = ['--listen', 'web=fd:3', '--listen', 'fd:4', '--listen', '[::1]:0'];
    const daemon = startedBy(world, ['tcp', `unix:${unix}`], [...listen, ...serving(3, 4, 5)]);
    const { listeners, workers, pid } = await daemon.running();
    expect(listeners).toEqual([
      { name: 'web', address: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/) },
      { name: 'listen1', address: `unix:${unix}` },
      { name: 'listen2', address: expect.stringMatching(/^\[::1\]:\d+$/) },
    ]);
    const addresses = listeners.map(({ address }) => address);
    for (const [index, address] of addresses.entries())
      expect((await get(address)).body).toBe(`${workers[0]?.pid} at ${3 + index}`);
    const { env } = await reported(daemon, workers[0]?.pid ?? 0);
    expect(env).toMatchObject({
      LISTEN_FDS: '3',
      LISTEN_FDNAMES: 'web:listen1:listen2',
      LISTEN_PID: String(workers[0]?.pid),
      SERVER_STARTER_PORT: `${addresses[0]}=3;${unix}=4;${addresses[2]}=5`,
    });

    expect((await world.tanist('reload')).status).toBe(0);
    const second = await daemon.settled(2);
    expect(second.pid).not.toBe(pid);
    expect(second.listeners).toEqual(listeners);
    for (const address of addresses)
      expect((await get(address)).body).toMatch(`${second.workers[0]?.pid} at`);

    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    for (const address of addresses) await expect(get(address)).rejects.toThrow(/ECONNREFUSED/);
    // Whoever bound the path removes it.
    expect(existsSync(unix)).toBe(true);
  });

  it('is made blocking, whatever it was, as programs of all languages expect', async () => {
    const world = newWorld();
    const daemon = startedBy(world, ['nonblocking'], ['--listen', 'fd:3', ...serving(3)]);
    await daemon.running();
    expect((await reported(daemon)).fds[3]).toMatchObject({ listening: 1, blocking: 1 });
  });

  it('may be an IPv6 or an abstract Unix socket', async () => {
    const world = newWorld();
    const name = `tanist-${process.pid}-${Date.now()}`;
    const listen = ['--listen', 'fd:3', '--listen', 'fd:4'];
    const daemon = startedBy(world, ['tcp6', `abstract:${name}`], [...listen, ...serving(3, 4)]);
    const { listeners } = await daemon.running();
    expect(listeners).toEqual([
      { name: 'listen0', address: expect.stringMatching(/^\[::1\]:\d+$/) },
      { name: 'listen1', address: `unix:@${name}` },
    ]);
    expect((await get(listeners[0]?.address ?? '')).body).toMatch(/at 3$/);
    // Node 20 itself cannot connect to an abstract name of others: it fills it up with zeros.
    const client = `import socket; s = socket.socket(socket.AF_UNIX); s.connect("\\0${name}");
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n"); print(s.makefile().read())`;
    expect(execFileSync('python3', ['-c', client], { encoding: 'utf8' })).toMatch(/at 4\s*$/);
  });

  it.each([
    ['is not open', [], 'fd:900', /descriptor 900 is not open: whoever starts tanist must leave it open/],
    ['is a file', ['file:x'], 'fd:3', /descriptor 3 is not a socket/],
    ['is a connection', ['connected'], 'fd:3', /descriptor 3 is a socket, but none that listens/],
    ['is one end of a pair', ['pair'], 'fd:3', /descriptor 3 is a socket, but none that listens/],
    ['is a datagram socket', ['udp'], 'fd:3', /descriptor 3 is a socket, but none that listens/],
    ['is bound, but does not listen', ['bound'], 'web=fd:3', /web: descriptor 3 is a socket, but none/],
    ['is not even bound', ['fresh'], 'fd:3', /descriptor 3 is a socket, but none that listens/],
  ])('that %s is refused, and nothing is started', async (_, opened, spec, message) => {
    const world = newWorld();
    const words = opened.map((word) => word.replace(':x', `:${world.path('x')}`));
    const daemon = startedBy(world, words, ['--listen', spec, ...perl(...GOOD)]);
    const said = await errorOf(daemon);
    expect(said).toMatch(/error TANIST_LISTEN_INHERITED: /);
    expect(said).toMatch(message);
    expect(daemon.stdout()).toBe('');
    await world.empty();
  });
});

describe('socket activation', () => {
  it('gives all its sockets, by their names, and its variables reach nobody else', async () => {
    const world = newWorld();
    const unix = world.path('admin.socket');
    const opened = ['tcp', `unix:${unix}`, ...ACTIVATED(2, 'web:admin')];
    const daemon = startedBy(world, opened, ['--listen', 'systemd', ...serving(3, 4)]);
    const { listeners, workers, handoff } = await daemon.running();
    expect(listeners.map(({ name }) => name)).toEqual(['web', 'admin']);
    expect(handoff).toBe('overlap');
    expect((await get(listeners[0]?.address ?? '')).body).toBe(`${workers[0]?.pid} at 3`);
    const { env } = await reported(daemon, workers[0]?.pid ?? 0);
    expect(env).toMatchObject({ LISTEN_FDNAMES: 'web:admin', LISTEN_PID: String(workers[0]?.pid) });

    for (const generation of [2, 3]) {
      expect((await world.tanist('reload')).status).toBe(0);
      const status = await daemon.settled(generation);
      expect(status.listeners).toEqual(listeners);
      const environment = readFileSync(`/proc/${status.pid}/environ`, 'utf8').split('\0');
      expect(environment.filter((line) => line.startsWith('LISTEN_'))).toEqual([]);
      expect((await get(`unix:${unix}`)).body).toBe(`${status.workers[0]?.pid} at 4`);
    }
    expect((await world.tanist('stop')).status).toBe(0);
    expect(existsSync(unix)).toBe(true);
  });

  it('may stand beside other listeners, and numbers what has one name, or none', async () => {
    const world = newWorld();
    const opened = ['tcp', 'tcp', 'tcp', 'tcp', ...ACTIVATED(4, 'web:web::')];
    const listen = ['--listen', 'own=127.0.0.1:0', '--listen', 'systemd', '--listen', '127.0.0.1:0'];
    const daemon = startedBy(world, opened, [...listen, ...serving(3)]);
    const names = ['own', 'web', 'web-2', 'systemd', 'systemd-2', 'listen2'];
    expect((await daemon.running()).listeners.map(({ name }) => name)).toEqual(names);
    expect((await world.tanist('reload')).status).toBe(0);
    expect((await daemon.settled(2)).listeners.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['was not used', [], 'systemd', /systemd: LISTEN_FDS and LISTEN_PID are not set/],
    [
      'was meant for another process',
      ['LISTEN_PID=1', 'LISTEN_FDS=1'],
      'systemd',
      /LISTEN_PID is 1, but this/,
    ],
    [
      'names no number',
      ['LISTEN_PID=PID', 'LISTEN_FDS=x'],
      'systemd',
      /LISTEN_FDS is "x": expected a number/,
    ],
    ['gives none', ACTIVATED(0), 'systemd', /LISTEN_FDS is "0": expected a number from 1/],
    ['gives more names than sockets', ['tcp', ...ACTIVATED(1, 'a:b')], 'systemd', /2 names for 1 sockets/],
    ['gives fewer sockets than it says', ['tcp', ...ACTIVATED(2)], 'systemd', /descriptor 4 is not/],
    [
      'gives what does not listen',
      ['udp', ...ACTIVATED(1, 'dns')],
      'systemd',
      /dns: descriptor 3 is a socket, but/,
    ],
    [
      'gives a name twice',
      ['tcp', ...ACTIVATED(1, 'web')],
      'systemd,web=127.0.0.1:0',
      /two listeners have the name web: /,
    ],
    [
      'gives a name again',
      ['tcp', 'tcp', ...ACTIVATED(1, 'web')],
      'web=fd:4,systemd',
      /two listeners have the name web: /,
    ],
    ['gives what is taken', ['tcp', ...ACTIVATED(1, 'web')], 'fd:3,systemd', /descriptor 3: listen0 and web/],
  ])('that %s is refused, and nothing is started', async (_, opened, specs, message) => {
    const world = newWorld();
    const listen = specs.split(',').flatMap((spec) => ['--listen', spec]);
    const daemon = startedBy(world, opened, [...listen, ...perl(...GOOD)]);
    const said = await errorOf(daemon);
    expect(said).toMatch(/error TANIST_LISTEN_INHERITED: /);
    expect(said).toMatch(message);
    expect(daemon.stdout()).toBe('');
    await world.empty();
  });
});

const activator = spawnSync('systemd-socket-activate', ['--version']).status === 0;
if (!activator) console.warn('systemd-socket-activate is not installed: its test is skipped');

it.skipIf(!activator)(
  'is activated by systemd-socket-activate: the first connection is answered',
  async () => {
    const world = newWorld();
    const path = world.path('activated');
    const passed = Object.entries(world.env).flatMap(([name, value]) => ['-E', `${name}=${value}`]);
    const words = [
      '-l',
      path,
      '--fdname=web',
      ...passed,
      '--',
      process.execPath,
      `${root}dist/bin/tanist.js`,
    ];
    const starter = bystander(world, 'systemd-socket-activate', [
      ...words,
      ...['run', '--name', 'x', '--listen', 'systemd', ...perl('say takeover', 'hear', 'serve')],
    ]);
    await until('the socket', () => existsSync(path));
    // It starts the program at the first connection, and that one waits until it is served.
    const { body } = await get(`unix:${path}`);
    expect(body).toMatch(/^\d+ at 3$/);
    const status = JSON.parse((await get(`unix:${world.path('x.sock')}`, '/status')).body);
    expect(status).toMatchObject({ pid: starter.pid, listeners: [{ name: 'web', address: `unix:${path}` }] });
    expect((await world.tanist('reload')).status).toBe(0);
    expect((await get(`unix:${path}`)).status).toBe(200);
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  },
);

it('gives workers no descriptor that was inherited and not asked for', async () => {
  const world = newWorld();
  const daemon = startedBy(world, ['tcp', 'tcp'], ['--listen', 'fd:4', ...serving(3)]);
  const { workers } = await daemon.running();
  const { fds } = await reported(daemon, workers[0]?.pid ?? 0);
  expect(Object.values(fds).filter(({ listening }) => listening === 1)).toHaveLength(1);
});
