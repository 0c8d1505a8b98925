import { once } from 'node:events';
import { connect as connectSession } from 'node:http2';
import { Agent, request } from 'node:https';
import { connect as connectTo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectSecurely } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { get, keepAliveAgent, openListener, WorkerUnderTest } from './fake-supervisor.js';

interface Listener {
  readonly fd: number;
  readonly port: number;
}

/** `/wait` is answered when the test says so, by any word on the channel: `pong` answers the ping. */
const SERVICE = (options = '') => `
  const worker = await connect();
  worker.onShutdown(() => worker.status('hook'));
  worker.signal.addEventListener('abort', () => worker.status('leaving'));
  const server = http.createServer(async (request, response) => {
    if (request.url === '/head') response.write('begun ');
    if (request.url !== '/') await worker.ping();
    response.end(String(process.pid));
  });
  server.keepAliveTimeout = 60_000;
  await worker.serve(server, { ${options} });
  worker.status('serving');
`;

const serve = async (listener: Listener, program: string, env = {}): Promise<WorkerUnderTest> => {
  const worker = new WorkerUnderTest({ program, listeners: { web: listener }, env });
  await worker.letServe();
  expect(await worker.hear()).toBe('status serving');
  return worker;
};

const leave = async (worker: WorkerUnderTest): Promise<void> => {
  worker.signal('SIGTERM');
  expect(await worker.hear()).toBe('status leaving');
};

const LEFT = { code: 0, signal: null };

/** A client of our own making: what it sends, and everything it got until the connection ended. */
const converse = async (port: number): Promise<{ socket: Socket; got: Promise<string> }> => {
  const socket = connectTo(port, '127.0.0.1');
  await once(socket, 'connect');
  return { socket, got: text(socket) };
};

const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: test\r\n${more}\r\n`;

const SECURED = {
  ciphers: 'PSK',
  maxVersion: 'TLSv1.2' as const,
  pskCallback: () => ({ psk: Buffer.from('shared'), identity: 'test' }),
  checkServerIdentity: () => undefined,
};

/** A client that keeps one connection and knows the shared key. */
const secureClient = (port: number) => {
  const agent = new Agent({ keepAlive: true, ...SECURED });
  return async (path: string): Promise<{ connection: string | undefined; closed: Promise<unknown> }> => {
    const asked = request({ host: '127.0.0.1', port, path, agent }).end();
    const [response] = await once(asked, 'response');
    const closed = once(response.socket, 'close');
    await text(response);
    return { connection: response.headers.connection, closed };
  };
};

describe('a worker that is asked to leave', () => {
  it('loses no request of keep-alive clients while it is replaced, again and again', async () => {
    const listener = await openListener();
    const agent = keepAliveAgent(8);
    const answeredBy = new Map<string, number>();
    const waiting = new Map<string, () => void>();
    const failures: unknown[] = [];
    let asking = true;
    const client = async () => {
      while (asking) {
        await get({ port: listener.port, agent }).then(
          ({ body }) => {
            answeredBy.set(body, (answeredBy.get(body) ?? 0) + 1);
            waiting.get(body)?.();
          },
          (error) => failures.push(error),
        );
      }
    };
    let worker = await serve(listener, SERVICE('graceMs: 300'));
    const clients = Array.from({ length: 8 }, client);
    for (let swaps = 0; swaps < 4; swaps += 1) {
      const next = await serve(listener, SERVICE('graceMs: 300'));
      worker.signal('SIGTERM');
      expect(await worker.exited).toEqual(LEFT);
      const pid = String(next.process.pid);
      if (!answeredBy.has(pid)) await new Promise<void>((done) => waiting.set(pid, done));
      worker = next;
    }
    asking = false;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(answeredBy.size).toBeGreaterThanOrEqual(5);
  });

  it('finishes the request in hand, says Connection: close with it, and then runs its hooks', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE());
    const answer = get({ port: listener.port, path: '/wait', agent: keepAliveAgent(1) });
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    worker.say('pong');
    expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await worker.hear()).toBe('status hook');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('answers the next request of an idle connection within the grace period', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE('graceMs: 60_000'));
    const { socket, got } = await converse(listener.port);
    socket.write(ask('/'));
    await once(socket, 'readable');
    await leave(worker);
    socket.write(ask('/'));
    const answers = (await got).split('HTTP/1.1 200 OK').slice(1);
    expect(answers.map((answer) => /connection: (.*)/i.exec(answer)?.[1])).toEqual(['keep-alive', 'close']);
    // Nothing is left that the grace period would have to wait for.
    expect(await worker.exited).toEqual(LEFT);
  });

  it('gives a connection its grace period after its last response, not only after the signal', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE('graceMs: 60_000'));
    const { socket, got } = await converse(listener.port);
    socket.write(ask('/head'));
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    worker.say('pong');
    await once(socket, 'readable');
    // The head of the first response was sent before the worker knew that it would leave.
    socket.write(ask('/'));
    expect((await got).match(/connection: .*/gi)).toEqual(['Connection: keep-alive', 'Connection: close']);
    expect(await worker.exited).toEqual(LEFT);
  });

  it('closes a connection whose client is silent for the grace period after its last response', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE('graceMs: 100'));
    const idle = await converse(listener.port);
    const { socket, got } = await converse(listener.port);
    socket.write(ask('/head'));
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    expect(await idle.got).toBe('');
    worker.say('pong');
    expect(await got).toContain('Connection: keep-alive');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('answers all of several requests that were sent together', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE());
    const { socket, got } = await converse(listener.port);
    socket.write(ask('/wait') + ask('/wait'));
    expect([await worker.hear(), await worker.hear()]).toEqual(['ping', 'ping']);
    await leave(worker);
    socket.write(ask('/wait'));
    expect(await worker.hear()).toBe('ping');
    worker.say('pong\npong\npong');
    expect((await got).match(/connection: .*/gi)).toEqual([
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: close',
    ]);
    expect(await worker.exited).toEqual(LEFT);
  });

  it('answers a request that is half sent when the grace period ends', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE('graceMs: 50'));
    const idle = await converse(listener.port);
    const slow = await converse(listener.port);
    slow.socket.write('GET / HTTP/1.1\r\nHo');
    // The worker has read those bytes when it has answered a request that came later.
    await get({ port: listener.port });
    await leave(worker);
    // The connection that never said anything is closed; the other would have been, too.
    expect(await idle.got).toBe('');
    slow.socket.write('st: test\r\n\r\n');
    expect(await slow.got).toContain('HTTP/1.1 200 OK');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('reads what has arrived before it calls a connection idle', async () => {
    const listener = await openListener();
    const worker = await serve(
      listener,
      `${SERVICE('graceMs: 100')}
       worker.signal.addEventListener('abort', () => setImmediate(() => {
         const end = Date.now() + 400; while (Date.now() < end);
       }));`,
    );
    const { socket, got } = await converse(listener.port);
    socket.write(ask('/'));
    await once(socket, 'readable');
    await leave(worker);
    socket.write(ask('/'));
    expect((await got).match(/connection: .*/gi)).toEqual(['Connection: keep-alive', 'Connection: close']);
  });

  it('drains HTTPS in the same way, and closes what has not begun to speak', async () => {
    const listener = await openListener();
    // A shared key does without certificates.
    const worker = await serve(
      listener,
      `const { createServer } = await import('node:https');
       const secured = { pskCallback: () => Buffer.from('shared'), ciphers: 'PSK', maxVersion: 'TLSv1.2' };
       ${SERVICE('graceMs: 200').replace('http.createServer(', 'createServer(secured, ')}`,
    );
    const silent = await converse(listener.port);
    const greeted = connectSecurely({ host: '127.0.0.1', port: listener.port, ...SECURED });
    await once(greeted, 'secureConnect');
    const [kept, idle, slow] = [
      secureClient(listener.port),
      secureClient(listener.port),
      secureClient(listener.port),
    ];
    await kept('/');
    const { closed } = await idle('/');
    const answer = slow('/wait');
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    expect((await kept('/')).connection).toBe('close');
    expect(await silent.got).toBe('');
    expect(await text(greeted)).toBe('');
    await closed;
    // Longer in hand than the grace period lasts.
    worker.say('pong');
    expect((await answer).connection).toBe('close');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('finishes the streams of HTTP/2 sessions', async () => {
    const listener = await openListener();
    const worker = await serve(
      listener,
      `const http2 = await import('node:http2'); ${SERVICE().replace('http.createServer', 'http2.createServer')}`,
    );
    const session = connectSession(`http://127.0.0.1:${listener.port}`);
    const gone = once(session, 'close');
    const answer = text(session.request({ ':path': '/wait' }));
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    worker.say('pong');
    expect(await answer).toBe(String(worker.process.pid));
    await gone;
    expect(await worker.exited).toEqual(LEFT);
  });

  it('leaves the connections it has not accepted to the others', async () => {
    const listener = await openListener();
    const first = await serve(listener, SERVICE());
    await leave(first);
    expect(await first.hear()).toBe('status hook');
    const answer = get({ port: listener.port });
    const second = await serve(listener, SERVICE());
    expect((await answer).body).toBe(String(second.process.pid));
  });

  it('leaves at once while it still waits for ok, hooks included', async () => {
    const listener = await openListener();
    const worker = new WorkerUnderTest({ program: SERVICE(), listeners: { web: listener } });
    expect(await worker.hear()).toBe('takeover');
    worker.signal('SIGTERM');
    expect([await worker.hear(), await worker.hear()]).toEqual(['status leaving', 'status hook']);
    expect(await worker.exited).toEqual(LEFT);
    expect(await worker.output).toBe('');
  });

  it('does not offer to serve when it is asked to leave while it boots', async () => {
    const worker = new WorkerUnderTest({
      program: `
        const worker = await connect();
        worker.onShutdown(() => new Promise((done) => setImmediate(done)));
        const booting = setInterval(() => process.kill(process.pid, 'SIGTERM'), 1);
        await new Promise((done) => worker.signal.addEventListener('abort', done));
        clearInterval(booting);
        await worker.serve(http.createServer());`,
      listeners: { web: await openListener() },
    });
    expect(await worker.hear()).toBe(null);
    expect(await worker.exited).toEqual(LEFT);
  });

  it('finishes what it has in hand, too, when its supervisor is gone', async () => {
    const listener = await openListener();
    const worker = await serve(
      listener,
      `${SERVICE().replace('await worker.ping()', 'await new Promise((done) => { answer = done; })')}
       let answer; worker.signal.addEventListener('abort', () => answer());
       server.on('request', () => worker.status('in hand'));`,
    );
    const answer = get({ port: listener.port, path: '/wait', agent: keepAliveAgent(1) });
    expect(await worker.hear()).toBe('status in hand');
    worker.channel.destroy();
    expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await worker.exited).toEqual(LEFT);
  });

  it('closes shortly before the drain time-out what is still open, and then runs its hooks', async () => {
    const listener = await openListener();
    const worker = await serve(listener, SERVICE(), { TANIST_DRAIN_TIMEOUT_MS: '500' });
    const answer = get({ port: listener.port, path: '/wait' });
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await worker.hear()).toBe('status hook');
    expect(await worker.exited).toEqual(LEFT);
    expect(await worker.output).toContain('closed 1 connection');
  });

  it('leaves an upgraded connection to the program until then', async () => {
    const listener = await openListener();
    const worker = await serve(
      listener,
      `${SERVICE('graceMs: 10')}
       server.on('upgrade', (request, socket) => {
         socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n\\r\\n');
         socket.on('data', (said) => socket.end('goodbye ' + said));
       });`,
    );
    const { socket, got } = await converse(listener.port);
    const idle = await converse(listener.port);
    socket.write(ask('/', 'Connection: upgrade\r\nUpgrade: x\r\n'));
    await once(socket, 'readable');
    await leave(worker);
    expect(await idle.got).toBe('');
    socket.write('client');
    expect(await got).toMatch(/goodbye client$/);
    expect(await worker.exited).toEqual(LEFT);
  });

  it('exits with 1 when a hook never ends, though nobody kills it', async () => {
    const worker = await serve(
      await openListener(),
      `${SERVICE()} worker.onShutdown(() => new Promise(() => {}));`,
      { TANIST_DRAIN_TIMEOUT_MS: '300' },
    );
    await leave(worker);
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(await worker.output).toContain('300 ms');
  });

  it('runs the last registered hook first, and the others although one fails', async () => {
    const worker = await serve(
      await openListener(),
      `${SERVICE()}
       worker.onShutdown(() => { throw new Error('no luck'); });
       worker.onShutdown(async () => worker.status('last'));`,
    );
    await leave(worker);
    expect([await worker.hear(), await worker.hear()]).toEqual(['status last', 'status hook']);
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(await worker.output).toContain('no luck');
  });

  it('leaves on the signal that its supervisor says it sends', async () => {
    const worker = await serve(await openListener(), SERVICE(), { TANIST_STOP_SIGNAL: 'SIGHUP' });
    worker.signal('SIGHUP');
    expect(await worker.hear()).toBe('status leaving');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('starts although it cannot catch the signal that ends it', async () => {
    const worker = await serve(await openListener(), SERVICE(), { TANIST_STOP_SIGNAL: 'SIGKILL' });
    await leave(worker);
  });

  it('takes a repeated signal for the same request', async () => {
    const listener = await openListener();
    const worker = await serve(
      listener,
      `${SERVICE()} for (const name of ['SIGINT', 'SIGTERM'])
         process.on(name, () => setImmediate(() => worker.status(name)));`,
    );
    const answer = get({ port: listener.port, path: '/wait' });
    expect(await worker.hear()).toBe('ping');
    await leave(worker);
    expect(await worker.hear()).toBe('status SIGTERM');
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      worker.signal(name);
      expect(await worker.hear()).toBe(`status ${name}`);
    }
    worker.say('pong');
    expect((await answer).status).toBe(200);
    expect(await worker.exited).toEqual(LEFT);
  });
});

describe('a program without a supervisor that is asked to leave twice', () => {
  it('does not wait for what is in hand', async () => {
    const listener = await openListener();
    const worker = new WorkerUnderTest({
      listeners: { web: listener },
      supervised: false,
      program: `
        const { writeSync } = await import('node:fs');
        const say = (text) => writeSync(4, text + '\\n');
        const worker = await connect();
        worker.onShutdown(() => say('hook'));
        worker.signal.addEventListener('abort', () => say('leaving'));
        await worker.serve(http.createServer(() => say('in hand')));`,
    });
    const answer = get({ port: listener.port });
    expect(await worker.hear()).toBe('in hand');
    worker.signal('SIGINT');
    expect(await worker.hear()).toBe('leaving');
    worker.signal('SIGINT');
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await worker.hear()).toBe('hook');
    expect(await worker.exited).toEqual(LEFT);
  });
});
