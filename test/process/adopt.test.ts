import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Generations, type Start, workerPid } from './generations.js';
import { type Daemon, fixture, get, isRunning, until } from './harness.js';
import { Load } from './load.js';

const newGenerations = (): Generations => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  return world;
};

const adopted = (name: string): string[] => [fixture(`adopted/${name}`)];

/** A program of a few lines, as somebody may have it: it knows nothing of tanist. */
const program = (world: Generations, text: string): string[] => {
  const path = world.path('program.cjs');
  writeFileSync(path, `const http = require('node:http');\nconst { PORT } = process.env;\n${text}`);
  return [path];
};

const WHO =
  'JSON.stringify({ pid: process.pid, generation: Number(process.env.TANIST_GENERATION), slot: 1, version: "x" })';

/** Waits until a worker has written a line like that. */
const wrote = (daemon: Daemon, pattern: RegExp): Promise<RegExpExecArray> =>
  until(`a line like ${pattern} in ${daemon.stdout()}${daemon.stderr()}`, () =>
    pattern.exec(daemon.stdout() + daemon.stderr()),
  );

/** Reloads a service under load and waits until only the new generation is left. */
const reloadUnderLoad = async (start: Start) => {
  const world = newGenerations();
  const { daemon, address } = await world.started(start);
  const load = new Load(address);
  await until('answers of generation 1', () => load.answersOf(1) > 20);
  const { verdict } = await world.reload();
  expect(verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
  await until('answers of generation 2', () => load.answersOf(2) > 20);
  await daemon.settled(2);
  const report = await load.stop();
  expect(report.failures).toEqual([]);
  expect(report.reused).toBeGreaterThan(0);
  return { world, daemon, address };
};

describe('an unchanged program', () => {
  it.each(['http.cjs', 'express.mjs', 'fastify.cjs', 'koa.mjs', 'ws.cjs'])(
    '%s is reloaded under load without a failed request',
    async (name) => {
      const { world, daemon } = await reloadUnderLoad({ command: adopted(name) });
      expect(daemon.stderr()).not.toMatch(/Warning/);
      await world.tanist('stop');
      expect(await daemon.manyLines(2, 'worker.exited')).toMatchObject([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
    },
  );

  it('is reloaded under load in exclusive mode, too', async () => {
    await reloadUnderLoad({ command: adopted('http.cjs'), mode: 'exclusive' });
  });

  it('is adopted behind the word node, too', async () => {
    await reloadUnderLoad({ command: ['node', ...adopted('http.cjs')], options: ['--workers', '2'] });
  });

  it('is asked on its private probe with --ready http, and refused when it answers badly', async () => {
    const world = newGenerations();
    const sick = world.path('sick.env');
    writeFileSync(sick, '');
    const { daemon, address, status } = await world.started({
      command: adopted('http.cjs'),
      options: ['--ready', 'http=/health', '--env-file', sick, '--start-timeout', '4s'],
    });
    writeFileSync(sick, 'SICK=yes\n');
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'not-ready' });
    expect(verdict.detail).toContain('it answered 500');
    expect(JSON.parse((await get(address)).body)).toMatchObject({ generation: 1, pid: workerPid(status) });
    expect(await daemon.running()).toMatchObject({ generation: 1 });
  });

  it('finishes what it has in hand when it is stopped', async () => {
    const world = newGenerations();
    const go = world.path('go');
    const { daemon, address } = await world.started({ command: adopted('http.cjs'), env: { UNTIL: go } });
    const answer = get(address, '/slow');
    await wrote(daemon, /begins \/slow/);
    const stopped = world.tanist('stop');
    await daemon.line('worker.draining');
    world.open(go);
    expect((await answer).status).toBe(200);
    expect((await stopped).status).toBe(0);
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 0, signal: null });
  });

  it('leaves when its supervisor is killed', async () => {
    const world = newGenerations();
    const { daemon, status } = await world.started({ command: adopted('http.cjs') });
    process.kill(daemon.pid, 'SIGKILL');
    await until('the end of the worker', () => !isRunning(workerPid(status)));
  });
});

describe('a WebSocket of an unchanged program', () => {
  it('is told that its generation goes away, and finds the next one', async () => {
    const world = newGenerations();
    const { daemon, address } = await world.started({ command: adopted('ws.cjs') });
    const open = () => {
      const socket = new WebSocket(`ws://${address}`);
      const first = new Promise<string>((resolve) => socket.once('message', (text) => resolve(String(text))));
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      return { first, closed, socket };
    };
    const before = open();
    expect(JSON.parse(await before.first)).toMatchObject({ generation: 1 });
    expect((await world.reload()).verdict.outcome).toBe('promoted');
    expect(await before.closed).toBe(1001);
    const after = open();
    expect(JSON.parse(await after.first)).toMatchObject({ generation: 2 });
    await daemon.settled(2);
    after.socket.terminate();
  });
});

describe('a program with a handler of its own for the stop signal', () => {
  const OWN = `
    const server = http.createServer((_, response) => response.end(${WHO}));
    server.listen(PORT);
    process.on('SIGTERM', () => server.close(() => { console.log('own handler'); process.exit(7); }));`;

  it('leaves as it likes, and its close() loses no request of keep-alive clients', async () => {
    const world = newGenerations();
    const { daemon, address } = await world.started({ command: program(world, OWN) });
    const load = new Load(address);
    await until('answers of generation 1', () => load.answersOf(1) > 20);
    await world.reload();
    await until('answers of generation 2', () => load.answersOf(2) > 20);
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 7, generation: 1 });
    expect(daemon.stdout()).toContain('own handler');
    expect((await load.stop()).failures).toEqual([]);
  });

  it('is asked by its own process when the supervisor is gone', async () => {
    const world = newGenerations();
    const { daemon, status } = await world.started({ command: program(world, OWN) });
    process.kill(daemon.pid, 'SIGKILL');
    await until('the end of the worker', () => !isRunning(workerPid(status)));
    expect(daemon.stdout()).toContain('own handler');
  });
});

describe('the listeners of a program', () => {
  it('on a Unix path is the inherited one', async () => {
    const world = newGenerations();
    const path = world.path('app.socket');
    const { daemon } = await world.started({
      listen: false,
      options: ['--listen', `unix:${path}`],
      command: program(
        world,
        `const server = http.createServer((_, response) => response.end(${WHO}));
         server.listen(${JSON.stringify(path)}, () => console.log('at ' + server.address()));`,
      ),
    });
    expect((await get(`unix:${path}`)).status).toBe(200);
    await wrote(daemon, new RegExp(`at ${path}`));
    expect((await world.reload()).verdict.outcome).toBe('promoted');
    await daemon.settled(2);
    expect(JSON.parse((await get(`unix:${path}`)).body)).toMatchObject({ generation: 2 });
  });

  it('are both its own when it waits for the first before it listens on the second', async () => {
    const world = newGenerations();
    const { status } = await world.started({
      options: ['--listen', 'admin=127.0.0.1:0'],
      command: program(
        world,
        `const { SERVER_STARTER_PORT } = process.env;
         const [one, two] = SERVER_STARTER_PORT.match(/\\d+(?==)/g).map(Number);
         const saying = (text) => http.createServer((_, response) => response.end(text));
         saying('first').listen(one, '127.0.0.1', () => saying('second').listen(two, '127.0.0.1'));`,
      ),
    });
    const answers = await Promise.all(status.listeners.map(({ address }) => get(address)));
    expect(answers.map(({ body }) => body)).toEqual(['first', 'second']);
  });

  it('that nobody claims are named when the time is over', async () => {
    const world = newGenerations();
    const { daemon, status } = await world.started({ command: adopted('http.cjs') });
    const address = status.listeners[0]?.address;
    await world.tanist('stop');
    await daemon.exit();
    const never = world.start({
      command: program(world, 'setInterval(() => {}, 1000)'),
      options: ['--start-timeout', '700ms'],
    });
    const failed = await never.line('worker.failed');
    expect(address).toBeDefined();
    expect(failed).toMatchObject({ reason: 'start-timeout' });
    expect(failed.msg).toMatch(
      /did not say takeover within 700 ms; .*waits for the program to listen on 127\.0\.0\.1:\d+ \(listen0\)$/,
    );
  });

  it('that tanist does not own work as usual, and are warned of once', async () => {
    const world = newGenerations();
    const { daemon, address } = await world.started({
      command: program(
        world,
        `const server = http.createServer((_, response) => response.end('inherited')).listen(PORT);
         const own = (text) => http.createServer((_, response) => response.end(text));
         const others = [own('one'), own('two')];
         const net = require('node:net');
         // A free port each, so that the test needs none of its own.
         let left = others.length;
         others.forEach((other, index) => {
           const probe = net.createServer().listen(0, '127.0.0.1', () => {
             const { port } = probe.address();
             probe.close(() => other.listen(port, '127.0.0.1', () => { left -= 1; console.log('other ' + index + ' at ' + port); }));
           });
         });`,
      ),
    });
    expect((await get(address)).body).toBe('inherited');
    const [, port] = await wrote(daemon, /other 1 at (\d+)/);
    expect((await get(`127.0.0.1:${port}`)).body).toBe('two');
    await wrote(daemon, /other 0 at/);
    const warned = daemon.stderr().match(/TANIST_NOT_ADOPTED/g);
    expect(warned).toHaveLength(1);
    expect(daemon.stderr()).toMatch(/listens on 127\.0\.0\.1:\d+, which is no listener of tanist's \(127/);
  });
});

describe('a program without listeners of tanist’s', () => {
  it('opens its own address only when it may serve: a reload goes well', async () => {
    const world = newGenerations();
    const port = await freePort();
    const start = {
      listen: false,
      mode: 'exclusive' as const,
      command: program(
        world,
        `http.createServer((_, response) => response.end(${WHO})).listen(${port}, '127.0.0.1');`,
      ),
    };
    const { daemon } = await world.started(start);
    const answered = (generation: number) =>
      until(`an answer of generation ${generation}`, async () => {
        const answer = await get(`127.0.0.1:${port}`).catch(() => null);
        return answer !== null && JSON.parse(answer.body).generation === generation;
      });
    await answered(1);
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation: 2 });
    await answered(2);
    expect(daemon.stderr()).toContain('TANIST_NO_LISTENER');
  });

  it('and without any listen() is ready when its main module has run', async () => {
    const world = newGenerations();
    const path = world.path('consumer.mjs');
    writeFileSync(
      path,
      `await new Promise((done) => setTimeout(done, 300)); console.log('has run'); setInterval(() => {}, 1000);`,
    );
    const daemon = world.start({ listen: false, command: [path] });
    const ready = await daemon.line('worker.ready');
    expect(Number(ready.bootMs)).toBeGreaterThanOrEqual(1_300);
    expect(daemon.stdout()).toContain('has run');
    await world.tanist('stop');
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 0 });
  });
});

describe('--no-adopt', () => {
  it('starts the program as it is', async () => {
    const world = newGenerations();
    const daemon = world.start({
      command: program(
        world,
        `console.log(PORT, process.env.TANIST_ADOPT);
         http.createServer().listen(Number(process.env.SERVER_STARTER_PORT.match(/\\d+(?==)/)[0]), '127.0.0.1');`,
      ),
      options: ['--no-adopt'],
    });
    await wrote(daemon, /EADDRINUSE/);
    expect(daemon.stdout()).toContain('undefined undefined');
  });
});

describe('--adopt', () => {
  it('is refused for a command that does not hand the listeners on', async () => {
    const world = newGenerations();
    const result = await world.tanist('run', '--adopt', '--', 'npm', 'start');
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(
      /--adopt with the command "npm": expected a script \(\.js, \.mjs, \.cjs, \.ts\) or node/,
    );
  });
});

/** A port that is free now. */
const freePort = async (): Promise<number> => {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
};
