import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, get, type World } from './harness.js';
import { GOOD, give, idleDescriptors, newWorld, perl, SERVING, said } from './workers.js';

const PLACES = {
  'an IPv4 address': () => '127.0.0.1:0',
  'all IPv4 addresses': () => '0',
  'an IPv6 address': () => '[::1]:0',
  'a Unix path': (world: World) => `unix:${world.path('listener')}`,
};

const addressOf = async (daemon: Daemon): Promise<string> => {
  const status = await daemon.status('listeners', ({ listeners }) => listeners.length > 0);
  return (status.listeners[0]?.address ?? '').replace('0.0.0.0', '127.0.0.1');
};

/** A server of somebody else's, which says who it is. */
const foreignServer = async (options: net.ListenOptions): Promise<net.Server> => {
  const server = net.createServer((socket) => {
    // Whoever only looks whether somebody is there does not wait for the answer.
    socket.on('error', () => undefined).end('foreign');
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options, resolve));
  return server;
};

const hearForeign = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    net
      .connect({ path })
      .once('data', (data) => resolve(data.toString()))
      .once('error', reject);
  });

describe.each(Object.entries(PLACES))('a listener at %s', (_, place) => {
  it('is there before the first worker is ready: connections wait for it', async () => {
    const world = newWorld();
    const file = world.path('go');
    const daemon = world.run(['--listen', place(world), ...perl(`await ${file}`, ...SERVING)]);
    const address = await addressOf(daemon);
    expect(await daemon.statusNow()).toMatchObject({ state: 'idle', workers: [{ state: 'starting' }] });
    const answers = Array.from({ length: 10 }, () => get(address));
    give(file);
    const { workers } = await daemon.running();
    for (const answer of answers) expect((await answer).body).toBe(`${workers[0]?.pid} at 3`);
  });

  it('keeps connections waiting while no worker lives, and its replacement answers them', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--respawn',
      'fixed',
      '--respawn-delay',
      '300ms',
      '--listen',
      place(world),
      ...perl(...SERVING),
    ]);
    const { workers } = await daemon.running();
    const address = await addressOf(daemon);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.line('worker.delayed');
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(address)));
    const after = await daemon.running();
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([`${after.workers[0]?.pid} at 3`]));
    expect(after.workers[0]?.pid).not.toBe(workers[0]?.pid);
  });
});

it('the supervisor accepts no connection, however many wait', async () => {
  const world = newWorld();
  const file = world.path('go');
  const unix = world.path('listener');
  const daemon = world.run([
    '--listen',
    '127.0.0.1:0',
    '--listen',
    `unix:${unix}`,
    ...perl('say takeover', 'hear', `await ${file}`, 'serve 3 4'),
  ]);
  const { listeners, pid } = await daemon.running();
  const descriptors = await idleDescriptors(pid);
  const answers = Array.from({ length: 300 }, (_, index) => get(listeners[index % 2]?.address ?? ''));
  // What is asked later is answered by the supervisor: it has had its chance to accept the others.
  expect((await daemon.running()).pid).toBe(pid);
  expect(await idleDescriptors(pid)).toBe(descriptors);
  give(file);
  const worker = await said(daemon, 'heard ok');
  const bodies = new Set((await Promise.all(answers)).map(({ body }) => body));
  expect(bodies).toEqual(new Set([`${worker} at 3`, `${worker} at 4`]));
});

it('a listener is the same after a reload, and refuses connections only after the stop', async () => {
  const world = newWorld();
  const unix = world.path('listener');
  const daemon = world.run([
    '--listen',
    '127.0.0.1:0',
    '--listen',
    `unix:${unix}`,
    ...perl('say takeover', 'hear', 'serve 3 4'),
  ]);
  const { listeners } = await daemon.running();
  const inode = lstatSync(unix).ino;
  expect((await world.tanist('reload')).status).toBe(0);
  const second = await daemon.settled(2);
  expect(second.listeners).toEqual(listeners);
  for (const { address } of listeners) expect((await get(address)).status).toBe(200);
  expect(lstatSync(unix).ino).toBe(inode);
  expect((await world.tanist('stop')).status).toBe(0);
  await expect(get(listeners[0]?.address ?? '')).rejects.toThrow(/ECONNREFUSED/);
  expect(existsSync(unix)).toBe(false);
});

describe('a Unix path', () => {
  it('that a killed supervisor left behind is replaced', async () => {
    const world = newWorld();
    const unix = world.path('listener');
    const first = world.run(['--listen', `unix:${unix}`, ...perl(...SERVING)]);
    await first.running();
    process.kill(first.pid, 'SIGKILL');
    await world.empty();
    const inode = lstatSync(unix).ino;
    await expect(get(`unix:${unix}`)).rejects.toThrow(/ECONNREFUSED/);
    const second = world.run(['--listen', `unix:${unix}`, ...perl(...SERVING)]);
    await second.line('worker.ready');
    expect((await get(`unix:${unix}`)).status).toBe(200);
    expect(lstatSync(unix).ino).not.toBe(inode);
  });

  it('that somebody serves is not taken from him', async () => {
    const world = newWorld();
    const unix = world.path('listener');
    await foreignServer({ path: unix });
    const daemon = world.run(['--listen', `unix:${unix}`, ...perl(...GOOD)]);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr()).toContain(`error TANIST_LISTEN_IN_USE: listen0: ${unix} is a socket in use`);
    expect(await hearForeign(unix)).toBe('foreign');
  });

  it.each(['a file', 'a directory'])('that is %s is left alone', async (what) => {
    const world = newWorld();
    const path = world.path('listener');
    if (what === 'a file') writeFileSync(path, 'precious');
    else mkdirSync(path);
    const daemon = world.run(['--listen', `unix:${path}`, ...perl(...GOOD)]);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr()).toContain(
      `error TANIST_LISTEN_IN_USE: listen0: ${path} exists and is not a socket`,
    );
    expect(what === 'a file' ? readFileSync(path, 'utf8') : lstatSync(path).isDirectory()).toBe(
      what === 'a file' ? 'precious' : true,
    );
  });

  it('that somebody else has taken meanwhile is left to him at the stop', async () => {
    const world = newWorld();
    const unix = world.path('listener');
    const daemon = world.run(['--listen', `unix:${unix}`, ...perl(...SERVING)]);
    await daemon.running();
    // A later generation knows which file was bound, too.
    expect((await world.tanist('reload')).status).toBe(0);
    await daemon.settled(2);
    unlinkSync(unix);
    await foreignServer({ path: unix });
    expect((await world.tanist('stop')).status).toBe(0);
    expect(await hearForeign(unix)).toBe('foreign');
  });
});

describe('a start whose listeners cannot be opened', () => {
  it('names the port that is in use and its owner, and leaves nothing behind', async () => {
    const world = newWorld();
    const server = await foreignServer({ host: '127.0.0.1', port: 0 });
    const { port } = server.address() as net.AddressInfo;
    const unix = world.path('listener');
    const daemon = world.run([
      '--listen',
      `unix:${unix}`,
      '--listen',
      `web=127.0.0.1:${port}`,
      ...perl(...GOOD),
    ]);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr()).toContain(
      `error TANIST_LISTEN_IN_USE: web: 127.0.0.1:${port} is in use by pid ${process.pid} (`,
    );
    expect(daemon.stdout()).toBe('');
    expect(readdirSync(world.directory).filter((name) => !/^(log|out)-/.test(name))).toEqual([]);
  });

  it('says that an address is not of this machine', async () => {
    const world = newWorld();
    const daemon = world.run(['--listen', '192.0.2.1:8080', ...perl(...GOOD)]);
    expect(await daemon.exit()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr()).toMatch(
      /error TANIST_LISTEN_FAILED: listen0: cannot listen on 192\.0\.2\.1:8080: .*EADDRNOTAVAIL/,
    );
  });
});
