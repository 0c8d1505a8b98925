import { connect as connectTo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { get, openListener, openProbe, type WorkerPlan, WorkerUnderTest } from './fake-supervisor.js';

/** Answers every request with its pid and says on the channel what happens. */
const SERVICE = `
  const worker = await connect();
  worker.onShutdown(() => worker.status('hook'));
  const server = http.createServer((request, response) => response.end(String(process.pid)));
  const serving = worker.serve(server);
`;

const start = (program: string, plan: Omit<WorkerPlan, 'program'> = {}): WorkerUnderTest =>
  new WorkerUnderTest({ program, ...plan });

describe('a worker that serves', () => {
  it('says takeover, accepts nothing before ok, and then serves on the inherited listener', async () => {
    const listener = await openListener();
    const worker = start(
      `${SERVICE} for (let n = 0; n < 3; n += 1) await worker.ping(); worker.status('turned');
       await serving; worker.status('serving');`,
      { listeners: { web: listener } },
    );
    let answered = false;
    const answer = get({ port: listener.port }).then((got) => {
      answered = true;
      return got;
    });
    expect([await worker.hear(), await worker.hear()].sort()).toEqual(['ping', 'takeover']);
    worker.say('pong');
    for (let n = 0; n < 2; n += 1) {
      expect(await worker.hear()).toBe('ping');
      worker.say('pong');
    }
    // By now its loop has turned several times with our connection waiting.
    expect(await worker.hear()).toBe('status turned');
    expect(answered).toBe(false);
    worker.say('ok');
    expect(await worker.hear()).toBe('status serving');
    expect((await answer).body).toBe(String(worker.process.pid));
  });

  it('gives each of several servers the listener of its name, with one takeover for all', async () => {
    const [one, two] = [await openListener(), await openListener()];
    const worker = start(
      `const worker = await connect();
       const saying = (text) => http.createServer((_, response) => response.end(text));
       await worker.serve({ admin: saying('admin'), public: saying('public') });
       await worker.readyToTakeOver();
       worker.status(worker.listener() + ' ' + worker.listener('admin'));`,
      { listeners: { public: one, admin: two } },
    );
    await worker.letServe();
    expect(await worker.hear()).toBe('status 3 4');
    expect((await get({ port: one.port })).body).toBe('public');
    expect((await get({ port: two.port })).body).toBe('admin');
  });

  it('serves plain TCP too', async () => {
    const listener = await openListener();
    const worker = start(
      `const worker = await connect(); await worker.serve(net.createServer((socket) => socket.end('hello')));`,
      { listeners: { web: listener } },
    );
    await worker.letServe();
    expect(await text(connectTo(listener.port, '127.0.0.1'))).toBe('hello');
  });

  it('names the listeners there are when it asks for another, before it says anything', async () => {
    const worker = start(
      `const worker = await connect();
       await worker.serve({ web: http.createServer() }).catch((e) => worker.status(e.code + ' ' + e.message));`,
      { listeners: { public: await openListener(), admin: await openListener() } },
    );
    expect(await worker.hear()).toBe(
      'status TANIST_UNKNOWN_LISTENER There is no listener "web": there is "public", "admin".',
    );
  });

  it('does not take listeners that are meant for another process', async () => {
    const worker = start(
      `const worker = await connect();
       await worker.serve(http.createServer()).catch((e) => worker.status(e.code + ' ' + e.message));`,
      { env: { LISTEN_FDS: '1', LISTEN_PID: '1' } },
    );
    expect(await worker.hear()).toMatch(/^status TANIST_NO_LISTENER .* meant for process 1, and this is/);
  });

  it('listens on the fallback, after ok, when its supervisor has no listener', async () => {
    const worker = start(
      `${SERVICE.replace('(server)', `(server, { fallback: { port: 0, host: '127.0.0.1' } })`)}
       await serving; worker.status(String(server.address().port));`,
    );
    await worker.letServe();
    const port = Number((await worker.hear())?.slice('status '.length));
    expect((await get({ port })).body).toBe(String(worker.process.pid));
  });

  it('refuses a server that listens already', async () => {
    const worker = start(
      `const worker = await connect(); const server = http.createServer().listen(0);
       await worker.serve(server).catch((e) => worker.status(e.code));`,
      { listeners: { web: await openListener() } },
    );
    expect(await worker.hear()).toBe('status TANIST_USAGE');
  });

  it('answers the private probe with its own handler before it may serve', async () => {
    const probe = await openProbe();
    const listener = await openListener();
    const worker = start(SERVICE, { listeners: { web: listener }, probe });
    expect(await worker.hear()).toBe('takeover');
    const answer = await get({ socketPath: probe.path, path: '/health' });
    expect(answer).toMatchObject({ status: 200, body: String(worker.process.pid) });
    worker.say('ok');
    expect((await get({ port: listener.port })).status).toBe(200);
    expect((await get({ socketPath: probe.path })).status).toBe(200);
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
});

describe('a worker on its channel', () => {
  it('has its descriptor to show, and is no supervisor', async () => {
    const worker = start(`const worker = await connect();
      worker.status([worker.isSupervisor, fs.fstatSync(worker.channelFd).isSocket()].join(' '));`);
    expect(await worker.hear()).toBe('status false true');
  });

  it('leaves with the exit status that the program has set', async () => {
    const worker = start(`const worker = await connect(); process.exitCode = 7; worker.status('set');
      setInterval(() => undefined, 60_000);`);
    expect(await worker.hear()).toBe('status set');
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual({ code: 7, signal: null });
  });

  it('knows where it stands, and passes no descriptor on to what it starts', async () => {
    const worker = start(
      `const worker = await connect();
       const { execFileSync } = await import('node:child_process');
       const seen = execFileSync('env', { encoding: 'utf8' }).match(/^(TANIST|LISTEN)_[A-Z]+(?==)/gm) ?? [];
       worker.status([worker.supervised, worker.generation, worker.slot, ...seen.sort()].join(' '));`,
      { listeners: { web: await openListener() }, probe: await openProbe() },
    );
    const heard = (await worker.hear())?.split(' ').filter((word) => word !== 'TANIST_DIST');
    expect(heard).toEqual(['status', 'true', '7', '2', 'TANIST_GENERATION', 'TANIST_SLOT']);
  });

  it('ends by itself when its work is done: the channel does not keep it', async () => {
    const worker = start(
      `const worker = await connect(); await worker.readyToTakeOver(); await worker.ping();`,
    );
    await worker.letServe();
    expect(await worker.hear()).toBe('ping');
    worker.say('pong');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('is answered in the order in which it asked, whatever else it hears', async () => {
    const worker = start(
      `const worker = await connect();
       worker.ping().then(() => worker.status('first')); await worker.ping(); worker.status('second');`,
    );
    expect([await worker.hear(), await worker.hear()]).toEqual(['ping', 'ping']);
    worker.say('a word of the future\npong');
    expect(await worker.hear()).toBe('status first');
    worker.say('pong');
    expect(await worker.hear()).toBe('status second');
  });

  it('says a status as one line that fits, without half a character', async () => {
    const worker = start(`const worker = await connect(); worker.status('a\\nb' + '€'.repeat(3000));`);
    expect(await worker.hear()).toBe(`status a b${'€'.repeat(1361)}`);
  });

  it('says only the last of many statuses when its supervisor does not read', async () => {
    const worker = start(
      `const worker = await connect();
       for (let n = 1; n <= 100_000; n += 1) worker.status(String(n));`,
    );
    const heard: (string | null)[] = [];
    for (let line = await worker.hear(); line !== null; line = await worker.hear()) heard.push(line);
    expect(heard.at(-1)).toBe('status 100000');
    expect(heard.length).toBeLessThan(50_000);
  });

  it('asks to be killed', async () => {
    const worker = start(`const worker = await connect(); worker.shutdown(); setInterval(() => {}, 1000);`);
    expect(await worker.hear()).toBe('shutdown');
  });

  it('leaves, running its hooks, when its supervisor does not answer a ping', async () => {
    const worker = start(
      `const worker = await connect();
       worker.onShutdown(() => worker.status('never heard') ?? console.log('hook'));
       worker.ping().catch((error) => console.log(error.code, worker.signal.reason === error));
       setInterval(() => {}, 1000);`,
      { env: { TANIST_PING_TIMEOUT_MS: '50' } },
    );
    expect(await worker.hear()).toBe('ping');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect((await worker.output).trim().split('\n').sort()).toEqual(['TANIST_SUPERVISOR_GONE true', 'hook']);
  });

  it('does not call its supervisor gone when it was too busy to read the answer', async () => {
    const worker = start(
      `const worker = await connect();
       const ping = worker.ping(); worker.status('busy');
       setImmediate(() => { const end = Date.now() + 300; while (Date.now() < end); });
       await ping; worker.status('answered');`,
      { env: { TANIST_PING_TIMEOUT_MS: '100' } },
    );
    expect([await worker.hear(), await worker.hear()]).toEqual(['ping', 'status busy']);
    worker.say('pong');
    expect(await worker.hear()).toBe('status answered');
  });

  it('leaves when the channel ends, and tells who waits for ok', async () => {
    const worker = start(
      `const worker = await connect(); worker.onShutdown(() => console.log('hook'));
       worker.readyToTakeOver().catch((error) => console.log(error.code));`,
    );
    expect(await worker.hear()).toBe('takeover');
    worker.channel.destroy();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect((await worker.output).trim().split('\n').sort()).toEqual(['TANIST_SUPERVISOR_GONE', 'hook']);
  });

  it('leaves in order when the channel ends while serve waits for ok', async () => {
    const worker = start(`${SERVICE} worker.onShutdown(() => console.log('hook')); await serving;`, {
      listeners: { web: await openListener() },
    });
    expect(await worker.hear()).toBe('takeover');
    worker.channel.destroy();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(await worker.output).toBe('hook\n');
  });

  it('survives SIGUSR2', async () => {
    const worker = start(
      `const worker = await connect(); worker.status('up'); await worker.ping(); worker.status('still up');`,
    );
    expect([await worker.hear(), await worker.hear()].sort()).toEqual(['ping', 'status up']);
    worker.signal('SIGUSR2');
    worker.say('pong');
    expect(await worker.hear()).toBe('status still up');
  });

  it('says what is wrong when a descriptor did not reach it', async () => {
    const worker = start(`await connect().catch((e) => console.log(e.code, e.message));`, {
      supervised: false,
      env: { TANIST_CHANNEL_FD: '99' },
    });
    expect(await worker.output).toMatch(/^TANIST_ENVIRONMENT_INVALID TANIST_CHANNEL_FD .* descriptor 99/);
  });
});

describe('a program without a supervisor', () => {
  const alone = { supervised: false } as const;

  it('runs all the same: it serves on the fallback at once and leaves on SIGINT', async () => {
    // Descriptor 3 is the test's, though the program does not know it as a channel.
    const worker = start(
      `${SERVICE.replace('(server)', `(server, { fallback: { port: 0, host: '127.0.0.1' } })`)}
       const { writeSync } = await import('node:fs');
       await worker.ping(); await serving;
       writeSync(3, worker.supervised + ' ' + server.address().port + '\\n');`,
      alone,
    );
    const [supervised, port] = (await worker.hear())?.split(' ') ?? [];
    expect(supervised).toBe('false');
    expect((await get({ port: Number(port) })).body).toBe(String(worker.process.pid));
    worker.signal('SIGINT');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('is told what to do when there is nowhere to listen', async () => {
    const worker = start(
      `const worker = await connect();
       await worker.serve(http.createServer()).catch((e) => console.log(e.code, e.message));`,
      alone,
    );
    expect(await worker.output).toMatch(/^TANIST_NO_LISTENER .* without tanist.*tanist run.*fallback: 3000/);
  });
});
