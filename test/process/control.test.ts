import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Daemon, World } from './harness.js';
import { Client, give, newWorld, perl, SERVING } from './workers.js';

const ask = (
  socketPath: string,
  method: string,
  path: string,
  body = '',
): Promise<{ status: number; type: string; body: string }> =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: text,
        }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });

describe('the control socket', () => {
  let world: World;
  let daemon: Daemon;
  let path: string;

  beforeAll(async () => {
    world = new World();
    daemon = world.run([
      '--name',
      'web',
      '--workers',
      '2',
      '--listen',
      'main=127.0.0.1:0',
      ...perl(...SERVING),
    ]);
    await daemon.running();
    path = world.path('web.sock');
  });
  afterAll(() => world.dispose());

  it('tells the status, with every field', async () => {
    const { status, type, body } = await ask(path, 'GET', '/status');
    expect([status, type]).toEqual([200, 'application/json']);
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const worker = (slot: number) => ({
      slot,
      pid: expect.any(Number),
      state: 'ready',
      generation: 1,
      startedAt: iso,
      respawns: 0,
      lastExit: null,
      status: null,
      memoryBytes: null,
      relief: null,
    });
    expect(JSON.parse(body)).toEqual({
      name: 'web',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      state: 'running',
      generation: 1,
      pid: daemon.pid,
      startedAt: iso,
      handoff: 'overlap',
      origin: expect.objectContaining({ directory: expect.stringMatching(/^\//) }),
      logFile: null,
      pidFile: world.path('web.pid'),
      account: null,
      journal: world.journalFile,
      listeners: [{ name: 'main', address: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/) }],
      workers: [worker(1), worker(2)],
      standby: [],
      reload: null,
      lastReload: null,
      anchor: null,
    });
    expect(JSON.parse((await world.tanist('status', '--json')).stdout)).toEqual(JSON.parse(body));
  });

  it('answers /healthz and /readyz', async () => {
    for (const question of ['/healthz', '/readyz']) {
      const { status, body } = await ask(path, 'GET', question);
      expect([status, JSON.parse(body)]).toEqual([200, { ok: true, reason: null }]);
    }
  });

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/', 404],
    ['GET', '/status/', 404],
    ['POST', '/status', 405],
    ['GET', '/reload', 405],
    ['GET', '/stop', 405],
    ['DELETE', '/stop', 405],
    ['POST', '/events', 405],
    ['GET', '/events?since=x', 400],
    ['POST', '/metrics', 405],
  ])('answers %s %s with %d and an error in words', async (method, question, expected) => {
    const { status, body } = await ask(path, method, question);
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'TANIST_CONTROL_PROTOCOL',
        message: expect.stringMatching(/\w/),
        hint: expect.stringMatching(/\w/),
      },
    });
  });

  it.each([
    ['garbage', 'hello?\r\n\r\n'],
    ['random bytes', Uint8Array.from({ length: 4_096 }, (_, index) => (index * 7919) % 251)],
    ['the begin of TLS', Uint8Array.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])],
    ['a head without end', `GET /status HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`],
    ['a path that is none', 'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'two lengths',
      'POST /stop HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('refuses %s and ends the connection', async (_, text) => {
    const client = new Client(path, text);
    await client.end();
    expect(client.answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await daemon.running()).pid).toBe(daemon.pid);
  });

  it('refuses a body that is too long', async () => {
    const head = 'POST /stop HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n';
    const client = new Client(path, head + 'x'.repeat(200_000));
    await client.end();
    expect((await daemon.running()).pid).toBe(daemon.pid);
  });

  it('answers others while a hundred clients send nothing, and forgets those that go away', async () => {
    const silent = Array.from({ length: 40 }, () => new Client(path, 'GET /sta'));
    expect((await ask(path, 'GET', '/healthz')).status).toBe(200);
    for (const { socket } of silent) socket.destroy();
    const flood = Array.from({ length: 60 }, () => new Client(path, ''));
    for (const { socket } of flood) socket.destroy();
    expect((await ask(path, 'GET', '/healthz')).status).toBe(200);
  });
});

describe('a supervisor that is asked', () => {
  it('says why it is not ready, and not healthy while it stops', async () => {
    const world = newWorld();
    const [go, finish] = [world.path('go'), world.path('finish')];
    const daemon = world.run(perl(`drain TERM ${finish}`, `await ${go}`, 'say takeover', 'rest'));
    await daemon.line('worker.spawned');
    const path = world.path('perl.sock');
    expect(await ask(path, 'GET', '/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('"no worker is ready: slot 1 is starting"'),
    });
    expect((await ask(path, 'GET', '/healthz')).status).toBe(200);
    give(go);
    await daemon.running();
    expect((await ask(path, 'GET', '/readyz')).status).toBe(200);
    process.kill(daemon.pid, 'SIGTERM');
    await daemon.line('worker.draining');
    for (const question of ['/healthz', '/readyz']) {
      expect(await ask(path, 'GET', question)).toMatchObject({
        status: 503,
        body: expect.stringContaining('"stopping"'),
      });
    }
    // Refused at once, not joined and not forgotten.
    const reload = await world.tanist('reload');
    expect([reload.status, reload.stdout]).toEqual([4, expect.stringMatching(/^refused \(stopped\)/)]);
    give(finish);
    expect((await daemon.exit()).code).toBe(0);
  });

  it('forgets a client that went away before the verdict', async () => {
    const world = newWorld();
    const daemon = world.run(['--listen', '127.0.0.1:0', ...perl(...SERVING)]);
    await daemon.running();
    const client = new Client(
      world.path('perl.sock'),
      'POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    );
    await daemon.line('reload.requested');
    client.socket.destroy();
    const status = await daemon.settled(2);
    expect(status.lastReload).toMatchObject({ outcome: 'promoted', generation: 2 });
  });

  it('stops although a client never finishes its request, and ends the connection of POST /stop with its own end', async () => {
    const world = newWorld();
    const daemon = world.run(perl('leave TERM', 'say takeover', 'rest'));
    await daemon.running();
    const path = world.path('perl.sock');
    const half = new Client(path, 'GET /status HT');
    const stop = new Client(path, 'POST /stop HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await Promise.all([half.end(), stop.end()]);
    expect(stop.answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*\{"outcome":"stopping"\}/);
  });
});
