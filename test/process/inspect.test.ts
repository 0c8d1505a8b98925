import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Inspector, InspectorOptions } from '../../src/inspector/index.js';
import type { JournalEntry } from '../../src/journal/entry.js';
import { Generations } from './generations.js';
import { isRunning, root, until } from './harness.js';
import { ask, cookieOf, inspect, Onlooker } from './inspectors.js';
import { GOOD, newWorld, perl } from './workers.js';

const NO_JOURNAL = { env: { TANIST_JOURNAL: '' } };

const started = async () => {
  const world = newWorld();
  const daemon = world.run(['--name', 'x', ...perl(...GOOD)], NO_JOURNAL);
  return { world, daemon, status: await daemon.running() };
};

const served = async (options: InspectorOptions): Promise<Inspector> => {
  const { serveInspector } = (await import(
    `${root}dist/inspector/index.js`
  )) as typeof import('../../src/inspector/index.js');
  const inspector = await serveInspector(options);
  onTestFinished(() => inspector.close());
  return inspector;
};

/** A recording of many events, none of them small. */
const recording = (path: string, count: number, chars: number): string => {
  const entry = (seq: number): JournalEntry => ({
    seq,
    time: new Date(seq).toISOString(),
    generation: 1,
    pid: 1,
    actor: 'supervisor',
    event: { type: 'worker.described', status: 'x'.repeat(chars) },
    from: 'running',
    to: 'running',
    effects: [],
  });
  writeFileSync(
    path,
    Array.from({ length: count }, (_, index) => `${JSON.stringify(entry(index + 1))}\n`).join(''),
  );
  return path;
};

const own = (port: number) => ({ origin: `http://127.0.0.1:${port}`, 'x-tanist-inspector': 'order' });

describe('the page of tanist inspect', () => {
  it('is served with its token only, on loopback only, and gives a cookie for it', async () => {
    const { world } = await started();
    const { port, token, cookie, host } = await inspect(world);
    expect(host).toBe(`127.0.0.1:${port}`);
    expect(token).toMatch(/^[\w-]{43}$/);
    const right = await ask(port, { path: `/?token=${token}` });
    expect(right.status).toBe(200);
    expect(right.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(right.headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(cookie).not.toContain(token);
    for (const path of ['/', '/page.js', '/style.css', '/supervisor.svg'])
      expect([path, (await ask(port, { path, headers: { cookie } })).status]).toEqual([path, 200]);
    for (const path of [
      '/',
      '/page.js',
      '/stream',
      `/?token=${token}x`,
      '/?token=',
      `/page.js?token=${token}`,
    ])
      expect([path, (await ask(port, { path })).status]).toEqual([path, 403]);
    const wrong = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await ask(port, { headers: { cookie: wrong } })).status).toBe(403);
    expect((await ask(port, { path: '/../package.json', headers: { cookie } })).status).toBe(404);
  });

  it('refuses a forged Host and another Origin, whatever else is right', async () => {
    const { world } = await started();
    const { port, cookie } = await inspect(world, '--inspect-control');
    const statusOf = async (headers: object, method = 'GET', path = '/') =>
      (await ask(port, { method, path, headers: { cookie, ...headers } })).status;
    expect(await statusOf({ host: `evil.example:${port}` })).toBe(421);
    expect(await statusOf({ host: 'localhost:1' })).toBe(421);
    expect(await statusOf({ host: `localhost:${port}` })).toBe(200);
    expect(await statusOf({ origin: 'http://evil.example' })).toBe(403);
    expect(await statusOf({ origin: `https://127.0.0.1:${port}` })).toBe(403);
    const order = (headers: object) => statusOf(headers, 'POST', '/control/kill?pid=1');
    expect(await order(own(port))).toBe(404);
    expect(await order({ ...own(port), origin: 'http://evil.example' })).toBe(403);
    expect(await order({ 'x-tanist-inspector': 'order' })).toBe(403);
    expect(await order({ origin: own(port).origin })).toBe(403);
    expect(await order({ ...own(port), host: `evil.example:${port}` })).toBe(421);
    expect(await order({ ...own(port), cookie: '' })).toBe(403);
    expect(await statusOf({}, 'PUT')).toBe(405);
    const body = { method: 'POST', path: '/control/stop', headers: { cookie, ...own(port) }, body: 'x' };
    expect((await ask(port, body)).status).toBe(413);
  });

  it('obeys nobody without --inspect-control', async () => {
    const { world, daemon } = await started();
    const { port, cookie } = await inspect(world);
    for (const order of ['reload', 'stop', 'kill?pid=1']) {
      const reply = await ask(port, {
        method: 'POST',
        path: `/control/${order}`,
        headers: { cookie, ...own(port) },
      });
      expect([reply.status, reply.body]).toEqual([403, expect.stringContaining('--inspect-control')]);
    }
    expect((await daemon.running()).generation).toBe(1);
  });

  it('kills a worker, reloads and stops with --inspect-control', async () => {
    const { world, daemon, status } = await started();
    const { port, cookie } = await inspect(world, '--inspect-control');
    const order = (path: string) =>
      ask(port, { method: 'POST', path: `/control/${path}`, headers: { cookie, ...own(port) } });
    const viewer = new Onlooker(port, cookie);
    await until('the worker', () => viewer.entries().some(({ actor }) => actor === 'worker-1'));
    const pid = status.workers[0]?.pid ?? 0;
    expect(await order(`kill?pid=${process.pid}`)).toMatchObject({ status: 404 });
    expect(await order(`kill?pid=${pid}`)).toMatchObject({ status: 200, body: `{"killed":${pid}}` });
    await daemon.status('another worker', ({ workers }) => workers[0]?.respawns === 1);
    await daemon.running();
    expect(JSON.parse((await order('reload')).body)).toMatchObject({ outcome: 'promoted' });
    await daemon.settled(2);
    expect((await order('stop')).status).toBe(202);
    await until('the end of the daemon', () => viewer.link() === 'ended');
  });

  it('follows a daemon without a journal through a reload, and through its end and a new start', async () => {
    const world = new Generations();
    onTestFinished(() => world.dispose());
    const { daemon } = await world.started(NO_JOURNAL);
    const { port, cookie } = await inspect(world);
    const viewer = new Onlooker(port, cookie);
    await until('the first generation', () => viewer.entries().some(({ generation }) => generation === 1));
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    const second = () => viewer.entries().filter(({ generation }) => generation === 2);
    await until('the second generation', () => second().some(({ actor }) => actor === 'worker-1'));
    const told = viewer.entries().map(({ event }) => event.type);
    expect(told).toContain('reload.promoted');
    expect(told).toContain('successor.workers');
    expect(viewer.messages('hello')).toEqual([{ name: 'service', mode: 'live', controls: false }]);
    const before = viewer.entries().length;
    expect((await world.tanist('stop')).status).toBe(0);
    await until('word of the end', () => viewer.link() === 'ended');
    await world.started(NO_JOURNAL);
    await until('the connection', () => viewer.link() === 'connected');
    await until('news', () =>
      viewer
        .entries()
        .slice(before)
        .some(({ generation }) => generation === 1),
    );
  });

  it('tells from a journal what was before, and what a successor did that was refused', async () => {
    const world = new Generations();
    onTestFinished(() => world.dispose());
    await world.started();
    world.release({ boot: 'crash' });
    expect((await world.reload()).status).toBe(409);
    const { port, cookie } = await inspect(world);
    const viewer = new Onlooker(port, cookie);
    // It is killed as soon as it has said why: its last events may be missing, that it had a worker is sure.
    const refused = await until('the refused generation', () =>
      viewer.entries().find(({ generation, event }) => generation === 2 && event.type === 'worker.spawned'),
    );
    expect(refused.actor).toMatch(/^(supervisor|worker-1)$/);
    expect(viewer.entries()[0]).toMatchObject({ generation: 1, event: { type: 'xstate.init' } });
  });

  it('goes on where a browser was, and begins anew for one that knows another inspector', async () => {
    const world = newWorld();
    const journals = [recording(world.path('recording'), 50, 10)];
    const { url, port } = await served({ source: { journals }, name: 'r' });
    const cookie = await cookieOf(url);
    const whole = new Onlooker(port, cookie);
    await until('all', () => whole.entries().length === 50);
    expect(whole.lastId()).toBe(50);
    const rest = new Onlooker(port, cookie, 40);
    await until('the rest', () => rest.entries().length === 10);
    expect(rest.text).not.toContain('event: reset');
    const stranger = new Onlooker(port, cookie, 900);
    await until('all again', () => stranger.entries().length === 50);
    expect(stranger.text).toContain('event: reset');
  });

  it('remembers so much and no more', async () => {
    const world = newWorld();
    const journals = [recording(world.path('recording'), 2_000, 10)];
    const few = await served({ source: { journals }, name: 'r', limits: { entries: 100 } });
    expect(few.remembered()).toBeGreaterThan(70);
    expect(few.remembered()).toBeLessThanOrEqual(100);
    const small = await served({ source: { journals }, name: 'r', limits: { chars: 20_000 } });
    expect(small.remembered()).toBeLessThan(130);
    const viewer = new Onlooker(small.port, await cookieOf(small.url));
    await until('the last one', () => viewer.entries().at(-1)?.seq === 2_000);
  });

  it('drops a browser that does not read, and serves the others', async () => {
    const world = newWorld();
    const journals = [recording(world.path('recording'), 3_000, 8_000)];
    const inspector = await served({ source: { journals }, name: 'r', stallMs: 1_000 });
    const cookie = await cookieOf(inspector.url);
    const deaf = new Onlooker(inspector.port, cookie);
    await deaf.status();
    deaf.pause();
    const good = new Onlooker(inspector.port, cookie);
    expect(await good.status()).toBe(200);
    await until('the end of the deaf one', () => inspector.dropped() === 1);
    await until('everything', () => good.entries().length >= 2_000);
    expect(good.isClosed).toBe(false);
    expect(inspector.viewers()).toBe(1);
  });
});

it('takes so many browsers and no more', async () => {
  const world = newWorld();
  const journals = [recording(world.path('recording'), 5, 10)];
  const { port, url } = await served({ source: { journals }, name: 'r', viewers: 2 });
  const cookie = await cookieOf(url);
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1) statuses.push(await new Onlooker(port, cookie).status());
  expect(statuses).toEqual([200, 200, 503]);
});

describe('tanist inspect', () => {
  it('ends at SIGTERM with status 0, and leaves the daemon alone', async () => {
    const { world, daemon, status } = await started();
    const { child } = await inspect(world);
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(isRunning(status.pid)).toBe(true);
    expect((await daemon.running()).workers).toHaveLength(1);
  });

  it('says what is wrong before it serves anything', async () => {
    const world = newWorld();
    const none = await world.tanist('inspect');
    expect([none.status, none.stderr]).toEqual([3, expect.stringContaining('TANIST_NOT_RUNNING')]);
    const address = await world.tanist('inspect', '--address', 'example.org:80', '--journal', 'x');
    expect([address.status, address.stderr]).toEqual([
      2,
      expect.stringContaining('an IP address before the port'),
    ]);
    const file = await world.tanist('inspect', '--journal', world.path('gone'));
    expect([file.status, file.stderr]).toEqual([2, expect.stringContaining('TANIST_JOURNAL_UNREADABLE')]);
    const both = await world.tanist('inspect', '--journal', 'x', '--inspect-control');
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('a recording obeys nobody')]);
  });

  it('shows a recording, also when tanist replay is asked for it', async () => {
    const world = newWorld();
    const path = recording(world.path('recording'), 5, 10);
    const { port, cookie } = await inspect(world, '--journal', path);
    const viewer = new Onlooker(port, cookie);
    await until('all', () => viewer.entries().length === 5);
    expect(viewer.messages('hello')).toEqual([{ name: 'recording', mode: 'recording', controls: false }]);
  });
});
