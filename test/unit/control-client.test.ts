import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createRawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReloadVerdict, Status, WorkerStatus } from '../../machines/status.js';
import type { ClientArguments } from '../../src/cli/client-arguments.js';
import { reload } from '../../src/cli/commands/reload.js';
import { status } from '../../src/cli/commands/status.js';
import { stop } from '../../src/cli/commands/stop.js';

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  flockSync: (fd: number, operation: string) => void;
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
/** What a supervisor answers, by method and path. */
type Handlers = Readonly<Record<string, Handler>>;

let directory = '';
let servers: { close: (done: () => void) => unknown; closeAllConnections?: () => void }[] = [];
let releases: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-'));
});

afterEach(async () => {
  for (const server of servers) server.closeAllConnections?.();
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(done))));
  for (const release of releases) release();
  rmSync(directory, { recursive: true });
  servers = [];
  releases = [];
});

const path = (name: string): string => join(directory, name);

const supervisor = (handlers: Handlers, name = 'web'): Promise<Server> => {
  const server = createServer((request, response) => {
    const [route] = (request.url ?? '').split('?');
    const handler = handlers[`${request.method} ${route}`];
    if (handler) handler(request, response);
    else
      json(501, { error: { code: 'TANIST_CONTROL_PROTOCOL', message: `no ${route}`, hint: 'wait' } })(
        request,
        response,
      );
  });
  servers.push(server);
  return new Promise((done) => server.listen(path(`${name}.sock`), () => done(server)));
};

const json =
  (code: number, body: unknown): Handler =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const never: Handler = () => undefined;

/** Holds the lock of a pid file, as a running supervisor does, until it is released. */
const lock = (name = 'web'): (() => void) => {
  const fd = openSync(path(`${name}.pid`), 'w');
  flockSync(fd, 'exnb');
  let held = true;
  const release = () => {
    if (held) closeSync(fd);
    held = false;
  };
  releases.push(release);
  return release;
};

const capture = () => {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    columns: 100,
    isTty: true,
  };
  return { terminal, out: () => out.join(''), err: () => err.join('') };
};

type Command = (args: ClientArguments, terminal: ReturnType<typeof capture>['terminal']) => Promise<number>;

const call = async (command: Command, args: Partial<ClientArguments> = {}) => {
  const captured = capture();
  const target = { kind: 'pid-file', pidFile: path('web.pid') } as const;
  const exitStatus = await command({ target, json: false, timeoutMs: null, ...args }, captured.terminal);
  return { exitStatus, out: captured.out(), err: captured.err() };
};

const VERDICT: ReloadVerdict = {
  outcome: 'promoted',
  reason: null,
  detail: null,
  generation: 3,
  pid: 4711,
  durationMs: 411.6,
  at: '2026-01-01T00:00:00.000Z',
  ids: [],
};

const REFUSED: ReloadVerdict = {
  ...VERDICT,
  outcome: 'refused',
  reason: 'worker-exited',
  detail: 'worker 0 exited with status 1\u001b[31m.',
};

const WORKER: WorkerStatus = {
  slot: 0,
  pid: 4_711,
  state: 'ready',
  generation: 3,
  startedAt: '2026-01-01T00:00:00.000Z',
  respawns: 2,
  lastExit: { code: null, signal: 'SIGKILL', at: '2026-01-01T00:00:00.000Z' },
  status: 'warm\u001b]0;owned\u0007 and\nready',
  memoryBytes: null,
  relief: null,
};

const STATUS: Status = {
  name: 'web',
  version: '0.1.0',
  state: 'running',
  generation: 3,
  pid: 4_700,
  startedAt: '2026-01-01T00:00:00.000Z',
  handoff: 'overlap',
  origin: { command: 'web.js', args: [], directory: '/srv', commandLine: ['run', 'web.js'] },
  logFile: null,
  pidFile: '/run/web.pid',
  journal: null,
  listeners: [{ name: 'http', address: '127.0.0.1:8080' }],
  workers: [WORKER],
  standby: [],
  reload: null,
  lastReload: null,
  anchor: null,
  account: null,
};

const idOf = (request: IncomingMessage): string =>
  new URL(request.url ?? '', 'http://x').searchParams.get('id') ?? '';

test('a promoted reload is told with who serves now, without another question, status 0', async () => {
  const ids: string[] = [];
  await supervisor({
    'POST /reload': (request, response) => {
      ids.push(idOf(request));
      json(200, VERDICT)(request, response);
    },
  });
  expect(await call(reload)).toEqual({
    exitStatus: 0,
    out: 'promoted: generation 3 serves (pid 4711) after 412 ms\n',
    err: '',
  });
  expect(ids).toEqual([expect.stringMatching(new RegExp(`^${process.pid}-\\d+$`))]);
});

test('an older supervisor does not say which process serves now', async () => {
  await supervisor({ 'POST /reload': json(200, { ...VERDICT, pid: undefined }) });
  expect((await call(reload)).out).toBe('promoted: generation 3 serves after 412 ms\n');
});

test('a refused reload is told with the reason and who goes on, status 4', async () => {
  await supervisor({
    'POST /reload': json(409, REFUSED),
    'GET /status': json(200, { ...STATUS, generation: 2 }),
  });
  expect(await call(reload)).toEqual({
    exitStatus: 4,
    out: 'refused (worker-exited): worker 0 exited with status 1; generation 2 goes on serving\n',
    err: '',
  });
});

test('who serves is said only if it is known', async () => {
  await supervisor({ 'POST /reload': json(409, { ...REFUSED, outcome: 'rolled-back', joined: true }) });
  const { out } = await call(reload);
  expect(out).toMatch(
    /^joined a reload under way: rolled back \(worker-exited\): .*; the old generation stays in charge$/m,
  );
});

test('with --json the verdict is one object, with fields this version does not know', async () => {
  await supervisor({ 'POST /reload': json(409, { ...REFUSED, joined: true, later: 1 }) });
  const { exitStatus, out, err } = await call(reload, { json: true });
  expect(exitStatus).toBe(4);
  expect(JSON.parse(out)).toEqual({ ...REFUSED, joined: true, later: 1 });
  expect(err).toBe('');
});

test('a supervisor that stops refuses a reload, status 4', async () => {
  await supervisor({
    'POST /reload': json(409, {
      error: { code: 'TANIST_STOPPING', message: 'a stop was asked for', hint: 'h' },
    }),
  });
  const { exitStatus, err } = await call(reload);
  expect(exitStatus).toBe(4);
  expect(err).toContain('refused (stopped): a stop was asked for');
});

test('when the connection is lost, whoever is in charge then is asked for the verdict by the id', async () => {
  let id = '';
  let looks = 0;
  await supervisor({
    'POST /reload': (request) => {
      id = idOf(request);
      request.socket.destroy();
    },
    'GET /status': (request, response) => {
      looks += 1;
      const other = { ...REFUSED, ids: ['another'] };
      const answers: Status[] = [
        {
          ...STATUS,
          reload: { phase: 'starting', startedAt: STATUS.startedAt, successorPid: 5 },
          lastReload: other,
        },
        { ...STATUS, state: 'handoff', lastReload: other },
        { ...STATUS, lastReload: { ...VERDICT, ids: ['another', id] } },
      ];
      json(200, answers[Math.min(looks, 3) - 1])(request, response);
    },
  });
  const { exitStatus, out } = await call(reload, { json: true });
  expect(exitStatus).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ outcome: 'promoted', ids: ['another', id] });
  expect(looks).toBe(3);
});

test('an answer that breaks off in the middle is a lost connection as well', async () => {
  let id = '';
  await supervisor({
    'POST /reload': (request, response) => {
      id = idOf(request);
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"outcome":', () => request.socket.destroy());
    },
    'GET /status': (request, response) =>
      json(200, { ...STATUS, lastReload: { ...REFUSED, ids: [id] } })(request, response),
  });
  expect(await call(reload)).toMatchObject({ exitStatus: 4, out: expect.stringContaining('refused') });
});

test('while the lock is held and nobody answers, the successor is waited for', async () => {
  const release = lock();
  const first = await supervisor({
    'POST /reload': (request) => {
      const id = idOf(request);
      first.close(() => {
        // Nobody listens now; the one in charge comes as soon as it can.
        void supervisor({ 'GET /status': json(200, { ...STATUS, lastReload: { ...VERDICT, ids: [id] } }) });
      });
      request.socket.destroy();
    },
  });
  servers = servers.filter((server) => server !== first);
  expect(await call(reload)).toMatchObject({ exitStatus: 0, out: expect.stringContaining('promoted') });
  release();
});

test('a verdict that nobody in charge knows is lost, status 1', async () => {
  await supervisor({
    'POST /reload': (request) => void request.socket.destroy(),
    'GET /status': json(200, { ...STATUS, lastReload: { ...VERDICT, ids: ['another'] } }),
  });
  const { exitStatus, err } = await call(reload);
  expect(exitStatus).toBe(1);
  expect(err).toMatch(/^error TANIST_VERDICT_LOST: .*generation 3 is in charge and knows nothing/);
});

test('a connection that is lost together with the supervisor is told as not running, status 3', async () => {
  const only = await supervisor({
    'POST /reload': (request) => {
      only.close();
      request.socket.destroy();
    },
  });
  servers = [];
  expect(await call(reload)).toMatchObject({
    exitStatus: 3,
    err: expect.stringContaining('TANIST_NOT_RUNNING'),
  });
});

test('what is not running is told by every command, status 3', async () => {
  writeFileSync(path('web.pid'), '4242\n');
  for (const command of [reload, stop, status]) {
    const text = await call(command);
    expect(text).toMatchObject({ exitStatus: 3, out: '' });
    expect(text.err).toMatch(/^error TANIST_NOT_RUNNING: web is not running .*\nhint: .*tanist run/);
    const object = await call(command, { json: true });
    expect(object).toMatchObject({ exitStatus: 3, err: '' });
    expect(JSON.parse(object.out)).toMatchObject({ error: { code: 'TANIST_NOT_RUNNING' } });
  }
});

test('a supervisor that has just started is waited for', async () => {
  lock();
  const answer = call(status);
  await supervisor({ 'GET /status': json(200, STATUS) });
  expect(await answer).toMatchObject({ exitStatus: 0 });
});

test('an answer that never comes ends with --timeout, status 1', async () => {
  lock();
  await supervisor({ 'POST /reload': never, 'POST /stop': never, 'GET /status': never });
  for (const command of [reload, stop, status]) {
    const { exitStatus, err } = await call(command, { timeoutMs: 50 });
    expect(exitStatus).toBe(1);
    expect(err).toMatch(/^error TANIST_TIMEOUT: no \w+ within 50ms\nhint: What was asked goes on/);
  }
});

test('so does the search for a lost verdict', async () => {
  await supervisor({
    'POST /reload': (request) => void request.socket.destroy(),
    'GET /status': json(200, { ...STATUS, state: 'reloading' }),
  });
  expect(await call(reload, { timeoutMs: 150 })).toMatchObject({
    exitStatus: 1,
    err: expect.stringContaining('TANIST_TIMEOUT'),
  });
});

test.each([
  ['no JSON', 'promoted'],
  ['no object', '[]'],
  ['another outcome', JSON.stringify({ ...VERDICT, outcome: 'perhaps' })],
  ['a field of another type', JSON.stringify({ ...VERDICT, ids: [1] })],
])('an answer that is %s is not believed', async (_, body) => {
  await supervisor({ 'POST /reload': (__, response) => void response.end(body) });
  const { exitStatus, err } = await call(reload);
  expect(exitStatus).toBe(1);
  expect(err).toContain('error TANIST_CONTROL_PROTOCOL: the answer is not');
});

test('what does not speak HTTP, or does not end, is not believed either', async () => {
  const raw = createRawServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end('220 mail.example.org ESMTP\r\n');
  });
  servers.push(raw);
  await new Promise<void>((done) => {
    raw.listen(path('web.sock'), done);
  });
  expect(await call(status)).toMatchObject({
    exitStatus: 1,
    err: expect.stringContaining('gave no proper answer'),
  });

  await supervisor(
    { 'GET /status': (_, response) => void response.end(Buffer.alloc(5_000_000, ' ')) },
    'big',
  );
  const target = { kind: 'pid-file', pidFile: path('big.pid') } as const;
  expect(await call(status, { target })).toMatchObject({
    exitStatus: 1,
    err: expect.stringContaining('the answer does not end'),
  });
});

test('an error the supervisor answers is told as its own, cleaned', async () => {
  const error = { code: 'TANIST_INTERNAL', message: 'o\u001b[31mops', hint: 'report\u0007 it' };
  await supervisor({
    'POST /reload': json(500, { error }),
    'POST /stop': json(500, { error: { ...error, code: 'toString' } }),
  });
  const told = await call(reload, { json: true });
  expect(told.exitStatus).toBe(1);
  expect(JSON.parse(told.out)).toMatchObject({
    error: { code: 'TANIST_INTERNAL', message: 'oops', hint: 'report it' },
  });
  expect(await call(stop)).toMatchObject({
    exitStatus: 1,
    err: expect.stringContaining('TANIST_CONTROL_PROTOCOL: toString: oops'),
  });
});

test('stop returns when the connection has ended and the lock is free', async () => {
  const release = lock();
  const order: string[] = [];
  await supervisor({
    'POST /stop': (_, response) => {
      response.writeHead(202).flushHeaders();
      response.on('close', () => {
        order.push('ended');
        unlinkSync(path('web.pid'));
        release();
      });
      response.end();
    },
  });
  const result = await call(stop);
  expect(order).toEqual(['ended']);
  expect(result).toEqual({ exitStatus: 0, out: 'stopped web\n', err: '' });
});

test('stop does not wait for one that is started afterwards with a pid file of its own, nor stop it', async () => {
  const release = lock();
  let asked = 0;
  await supervisor({
    'POST /stop': (_, response) => {
      asked += 1;
      unlinkSync(path('web.pid'));
      release();
      lock();
      response.writeHead(202).end();
    },
    'GET /status': json(200, { ...STATUS, generation: 1 }),
  });
  const result = await call(stop, { json: true });
  expect(result.exitStatus).toBe(0);
  expect(JSON.parse(result.out)).toEqual({ outcome: 'stopped', name: 'web' });
  expect(asked).toBe(1);
});

test('a generation that takes charge because the one that was asked is killed, is asked to stop too', async () => {
  const release = lock();
  let asked = 0;
  await supervisor({
    'POST /stop': (request, response) => {
      asked += 1;
      if (asked === 2) release();
      response.writeHead(202).flushHeaders();
      setImmediate(() => request.socket.destroy());
    },
    'GET /status': json(200, STATUS),
  });
  expect(await call(stop)).toMatchObject({ exitStatus: 0 });
  expect(asked).toBe(2);
});

test('the status is a table for people, with everything from elsewhere cleaned', async () => {
  await supervisor({
    'GET /status': json(200, {
      ...STATUS,
      reload: { phase: 'starting', startedAt: new Date().toISOString(), successorPid: 4_800 },
      lastReload: REFUSED,
    }),
  });
  const { exitStatus, out } = await call(status);
  const lines = out.split('\n');
  expect(exitStatus).toBe(0);
  expect(lines[0]).toMatch(/^web: running, generation 3, pid 4700, up \d+d( \d+h)?, tanist 0\.1\.0$/);
  expect(lines[1]).toBe('listens on: http 127.0.0.1:8080');
  expect(lines[2]).toMatch(/^ +slot +pid +state +gen +up +respawns +last exit +status$/);
  expect(lines[3]).toMatch(/^ +0 +4711 +ready +3 +\d+d.* +2 +SIGKILL, \d+d.* ago +warm and ready$/);
  expect(lines[4]).toMatch(/^reload under way: starting for \ds, successor pid 4800$/);
  expect(lines[5]).toMatch(
    /^last reload: generation 3 refused \(worker-exited\) .* ago: worker 0 exited with status 1\.$/,
  );
  expect(out).not.toContain('\u001b');
});

test('a status as JSON is the object as it came; several are a list', async () => {
  await supervisor({ 'GET /status': json(200, { ...STATUS, later: true }) });
  expect(JSON.parse((await call(status, { json: true })).out)).toEqual({ ...STATUS, later: true });

  await supervisor({ 'GET /status': json(200, { ...STATUS, name: 'api' }) }, 'api');
  const target = { kind: 'only', runDirectory: directory } as const;
  const { exitStatus, out } = await call(status, { json: true, target });
  expect(exitStatus).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ daemons: [{ name: 'api' }, { name: 'web', later: true }] });
  expect((await call(status, { target })).out).toMatch(/^api: running.*^web: running/ms);
  expect(await call(reload, { target })).toMatchObject({
    exitStatus: 2,
    err: expect.stringContaining('TANIST_AMBIGUOUS_TARGET'),
  });
});

test('one of several that does not answer does not hide the others', async () => {
  await supervisor({ 'GET /status': json(200, STATUS) });
  await supervisor({ 'GET /status': never }, 'hung');
  const target = { kind: 'only', runDirectory: directory } as const;
  const text = await call(status, { target, timeoutMs: 200 });
  expect(text).toMatchObject({ exitStatus: 1, err: expect.stringMatching(/^hung: error TANIST_TIMEOUT/) });
  expect(text.out).toMatch(/^web: running/);
  const object = await call(status, { target, timeoutMs: 200, json: true });
  expect(JSON.parse(object.out)).toMatchObject({
    daemons: [
      { name: 'hung', error: { code: 'TANIST_TIMEOUT' } },
      { name: 'web', state: 'running' },
    ],
  });
});
