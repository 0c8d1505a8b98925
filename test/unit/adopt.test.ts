import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type AdoptedPlan, adoptedProgram, letServe, PRELOAD, takeover } from './adopted-program.js';
import { get, openListener, openProbe, WORKER_MODULE } from './fake-supervisor.js';

const openAddress = async () => {
  const { fd, port } = await openListener();
  return { fd, port, address: `127.0.0.1:${port}` };
};

/** Starts a program with one listener. */
const withListener = async (text: string, plan: Omit<AdoptedPlan, 'listeners'> = {}) => {
  const web = await openAddress();
  return { ...web, worker: adoptedProgram(text, { ...plan, listeners: { web } }) };
};

const LEFT = { code: 0, signal: null };

describe('a listen() on an address of tanist’s', () => {
  it('says takeover, accepts nothing before ok, and uses the inherited listener', async () => {
    const { worker, port } = await withListener(
      `const server = http.createServer((_, response) => response.end('served'));
       server.on('listening', () => console.log('event'));
       server.listen(PORT, () => console.log('callback'));
       setTimeout(() => console.log('timer'), 50);`,
    );
    // It may say so before it has warmed up.
    const timer = until(worker, 'timer');
    await takeover(worker);
    let answered = false;
    const answer = get({ port }).then((got) => {
      answered = true;
      return got;
    });
    await timer;
    expect(answered).toBe(false);
    worker.say('ok');
    expect((await answer).body).toBe('served');
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
    expect((await worker.output).trim().split('\n')).toEqual(['timer', 'event', 'callback']);
  });

  it('has an address, listens and cannot be listened on again, from the call on', async () => {
    const { worker, port } = await withListener(
      `const server = http.createServer();
       const look = (when) => console.log(when, server.listening, JSON.stringify(server.address()));
       look('before');
       server.listen({ port: Number(PORT), host: '127.0.0.1' }, () => { look('after'); process.exit(0); });
       look('held');
       try { server.listen(PORT); } catch (error) { console.log(error.code); }`,
    );
    await letServe(worker);
    const address = `{"address":"127.0.0.1","family":"IPv4","port":${port}}`;
    const lines = (await worker.output).trim().split('\n');
    expect(lines[0]).toBe('before false null');
    expect(lines[1]).toBe(`held true ${address}`);
    expect(lines[2]).toBe('ERR_SERVER_ALREADY_LISTEN');
    expect(JSON.parse(lines[3]?.replace('after true ', '') ?? '')).toEqual(JSON.parse(address));
  });

  it('is taken back by close(), and another server may have the address', async () => {
    const { worker, port } = await withListener(
      `const first = http.createServer();
       first.on('listening', () => console.log('never'));
       first.listen(PORT);
       first.close((error) => {
         console.log('closed', error, first.listening, first.address());
         http.createServer((_, response) => response.end('second')).listen(PORT);
       });`,
    );
    await letServe(worker);
    expect((await get({ port })).body).toBe('second');
    worker.signal('SIGTERM');
    expect(await worker.output).toBe('closed undefined false null\n');
  });

  it('fails as without tanist when another server has the address', async () => {
    const { worker } = await withListener(
      `http.createServer().listen(PORT);
       const second = net.createServer();
       second.on('error', ({ code, port, syscall }) => { console.log(code, port, syscall); process.exit(0); });
       second.listen(PORT, 'localhost');`,
    );
    expect(await worker.output).toMatch(/^EADDRINUSE \d+ listen/);
  });

  it('cannot be had again once its server was closed, and the program is told so', async () => {
    const { worker } = await withListener(
      `const probe = net.createServer().listen(PORT, () => probe.close(() => {
         console.log(probe.listening, probe.address());
         http.createServer().on('error', ({ code }) => { console.log(code); process.exit(0); }).listen(PORT);
       }));`,
    );
    await letServe(worker);
    const output = await worker.output;
    expect(output).toMatch(/^false null\nEADDRINUSE\n/);
    expect(output).toMatch(/TANIST_LISTENER_CLOSED/);
  });

  it('waits for all listeners, says for which, and tells a program that listens on one after the other', async () => {
    const [one, two] = [await openAddress(), await openAddress()];
    const worker = adoptedProgram(
      `const saying = (text) => http.createServer((_, response) => response.end(text));
       let events = 0;
       const first = saying('first');
       first.on('listening', () => { events += 1; });
       first.listen(PORT, () => setTimeout(() => {
         const second = saying('second');
         second.listen(${two.port}, () => console.log(events));
       }, 300));`,
      { listeners: { public: one, admin: two } },
    );
    const heard: (string | null)[] = [];
    while (heard.at(-1) !== 'takeover') heard.push(await worker.hear());
    expect(heard).toContain(`status waits for the program to listen on ${two.address} (admin)`);
    // What was said is taken back.
    expect(heard.slice(-2)).toEqual(['status ', 'takeover']);
    worker.say('ok');
    expect((await get({ port: one.port })).body).toBe('first');
    expect((await get({ port: two.port })).body).toBe('second');
    worker.signal('SIGTERM');
    expect(await worker.output).toBe('1\n');
  });

  it('keeps a process alive that waits for nothing else', async () => {
    const worker = adoptedProgram(
      `http.createServer().listen(PORT);
       // Does not keep the process itself: it is seen only if something else does.
       setTimeout(() => console.log('still there'), 600).unref();`,
      { listeners: { public: await openAddress(), admin: await openAddress() } },
    );
    await until(worker, 'still there');
  });

  it('answers the private probe with the program’s handler before ok', async () => {
    const probe = await openProbe();
    const { worker } = await withListener(
      `http.createServer((request, response) => response.end('at ' + request.url)).listen(PORT);`,
      { probe },
    );
    await takeover(worker);
    expect((await get({ socketPath: probe.path, path: '/health' })).body).toBe('at /health');
  });

  it('serves plain TCP, too', async () => {
    const { worker, port } = await withListener(
      `net.createServer((socket) => socket.end('hello')).listen({ port: PORT, host: 'localhost' });`,
    );
    await letServe(worker);
    const [said] = await once(connectTo(port, '127.0.0.1'), 'data');
    expect(String(said)).toBe('hello');
  });
});

describe('what a program with the preload starts', () => {
  it('is not adopted: not by fork, nor in a thread, nor with what it inherits', async () => {
    const { worker } = await withListener(
      `const { fork } = require('node:child_process');
       const { Worker } = require('node:worker_threads');
       const seen = "[process.execArgv.length, process.env.TANIST_ADOPT, Object.getOwnPropertySymbols(globalThis).filter((one) => one.description === 'tanist.adoption').length].join()";
       require('node:fs').writeFileSync(__dirname + '/child.cjs', 'console.log("fork", ' + seen + ')');
       http.createServer().listen(PORT, () => {
         fork(__dirname + '/child.cjs').on('exit', () => {
           new Worker('console.log("thread", ' + seen.replace('process.execArgv.length', '0') + ')', { eval: true }).on('exit', () => process.exit(0));
         });
       });`,
    );
    await letServe(worker);
    expect((await worker.output).trim().split('\n').sort()).toEqual(['fork 0,,0', 'thread 0,,0']);
  });
});

describe('a program that starts processes of its own by node:cluster', () => {
  const CLUSTER = `
    const cluster = require('node:cluster');
    if (cluster.isPrimary) {
      cluster.fork();
      cluster.fork();
    } else {
      http.createServer((request, response) => {
        if (request.url === '/slow') process.send('slow');
        setTimeout(() => response.end('served'), request.url === '/slow' ? 400 : 0);
      }).listen(PORT, () => process.send('listening'));
    }
    cluster.on('message', (_, text) => console.log(text));`;

  it('serves by them, is warned, and lets them finish what they have in hand', async () => {
    const { worker, port } = await withListener(CLUSTER);
    await letServe(worker);
    const answer = get({ port, path: '/slow' });
    await until(worker, 'slow');
    worker.signal('SIGTERM');
    expect((await answer).body).toBe('served');
    expect(await worker.exited).toEqual(LEFT);
    expect((await worker.output).match(/TANIST_CLUSTER/g)).toHaveLength(1);
  });
});

describe('a program that listens where the operator may not expect it', () => {
  it('is warned when it asks for one address and gets all', async () => {
    const { fd, port } = await openListener();
    const web = { fd, port, address: `0.0.0.0:${port}` };
    const worker = adoptedProgram(`http.createServer().listen(PORT, 'localhost', () => process.exit(0));`, {
      listeners: { web },
    });
    await letServe(worker);
    expect(await worker.output).toMatch(
      /asks for localhost:\d+ and gets tanist's listener 0\.0\.0\.0:\d+, .*--listen 127\.0\.0\.1:\d+\./,
    );
  });

  it('is warned when it has removed the path that tanist listens on', async () => {
    const { fd } = await openListener();
    const path = '/tmp/tanist-no-such-socket';
    const worker = adoptedProgram(`http.createServer().listen('${path}', () => process.exit(0));`, {
      listeners: { web: { fd, address: `unix:${path}` } },
    });
    await letServe(worker);
    expect(await worker.output).toMatch(/\/tmp\/tanist-no-such-socket is gone, though tanist listens there/);
  });
});

describe('a program that knows the protocol', () => {
  it('has its channel for itself when it uses tanist/worker, and its own listen() is Node’s', async () => {
    const { worker, port } = await withListener(
      `const { connect } = await import(${JSON.stringify(WORKER_MODULE)});
       await new Promise((done) => setTimeout(done, 400));
       const { listen } = net.Server.prototype;
       const worker = await connect();
       console.log(listen === net.Server.prototype.listen);
       await worker.serve(http.createServer((_, response) => response.end('served')));`,
      { ending: 'mjs' },
    );
    // What was said while nobody knew is taken back.
    expect(await worker.hear()).toMatch(/^status waits for the program to listen/);
    expect(await worker.hear()).toBe('status ');
    await letServe(worker);
    expect((await get({ port })).body).toBe('served');
    worker.signal('SIGTERM');
    expect(await worker.output).toBe('false\n');
  });

  it('has it for itself from the start when it asks at once', async () => {
    const { worker } = await withListener(
      `const { connect } = await import(${JSON.stringify(WORKER_MODULE)});
       const { listen } = net.Server.prototype;
       const worker = await connect();
       console.log(listen === net.Server.prototype.listen);
       setTimeout(() => worker.status('mine'), 400);`,
      { ending: 'mjs' },
    );
    expect(await worker.hear()).toBe('status mine');
    expect(await worker.output).toBe('false\n');
  });

  it('gets the worker there is when it asks for it after it has listened', async () => {
    const { worker } = await withListener(
      `http.createServer().listen(PORT, async () => {
         const { connect } = await import(${JSON.stringify(WORKER_MODULE)});
         const worker = await connect();
         worker.onShutdown(() => console.log('hook'));
         worker.status('generation ' + worker.generation);
       });`,
    );
    await letServe(worker);
    expect(await worker.hear()).toBe('status generation 7');
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
    expect(await worker.output).toBe('hook\n');
  });

  it('is left alone when it speaks for itself on the channel', async () => {
    const { worker, port } = await withListener(
      `const channel = new net.Socket({ fd: Number(process.env.TANIST_CHANNEL_FD) });
       setTimeout(() => channel.write('takeover\\n'), 400);
       channel.once('data', (data) => {
         http.createServer((_, response) => response.end(String(data))).listen({ fd: 3 });
       });`,
    );
    expect(await worker.hear()).toBe('takeover');
    worker.say('ok');
    expect((await get({ port })).body).toBe('ok\n');
    worker.signal('SIGTERM');
    // It has no handler, and got none.
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is not said to be ready without listeners by anybody but itself', async () => {
    const worker = adoptedProgram(
      `const channel = new net.Socket({ fd: Number(process.env.TANIST_CHANNEL_FD) });
       setTimeout(() => channel.write('status mine\\n'), 1600);
       channel.on('data', () => {});`,
    );
    expect(await worker.hear()).toBe('status mine');
  });
});

describe('a program that is asked to leave', () => {
  it('leaves by the signal it was told of', async () => {
    const { worker } = await withListener(`http.createServer().listen(PORT);`, {
      env: { TANIST_STOP_SIGNAL: 'SIGUSR1' },
    });
    await letServe(worker);
    await settled(worker);
    worker.signal('SIGUSR1');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('is drained although signal-exit has handlers of its own', async () => {
    const { worker, port } = await withListener(
      `process.__signal_exit_emitter__ = { count: 1 };
       process.on('SIGTERM', () => {});
       http.createServer((_, response) => response.end()).listen(PORT);`,
    );
    await letServe(worker);
    await get({ port });
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('keeps idle connections for their next request, though it closes them itself', async () => {
    const { worker, port } = await withListener(
      `const server = http.createServer((_, response) => response.end('served')).listen(PORT);
       process.on('SIGTERM', () => {
         server.close(() => process.exit(3));
         server.closeIdleConnections();
         console.log('closing');
       });`,
    );
    await letServe(worker);
    const socket = connectTo(port, '127.0.0.1');
    const request = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
    socket.write(request);
    await once(socket, 'data');
    worker.signal('SIGTERM');
    await until(worker, 'closing');
    socket.write(request);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/200 OK[\s\S]*Connection: close/);
    expect(await worker.exited).toEqual({ code: 3, signal: null });
  });
});

describe('the preload', () => {
  it('does nothing without a supervisor', async () => {
    const worker = adoptedProgram(
      `console.log(process.execArgv.length); net.createServer().listen(0, () => process.exit(0));`,
      {
        supervised: false,
      },
    );
    expect(await worker.exited).toEqual(LEFT);
    expect(await worker.output).toBe('0\n');
  });

  it('stands aside where the listeners are another process’s', async () => {
    const { worker } = await withListener(
      `process.env.LISTEN_PID = '1';
       net.createServer().on('error', ({ code }) => { console.log(code); process.exit(0); }).listen(PORT, '127.0.0.1');`,
    );
    expect(await worker.output).toBe('EADDRINUSE\n');
    expect(PRELOAD).toMatch(/adopt-preload/);
  });
});

/** Waits until the program has written the text. */
const until = async (
  worker: { process: { stdout: NodeJS.ReadableStream | null } },
  text: string,
): Promise<void> => {
  const { stdout } = worker.process;
  if (stdout === null) throw new Error('no standard output');
  let seen = '';
  await new Promise<void>((done) => {
    stdout.on('data', (chunk: Buffer) => {
      seen += String(chunk);
      if (seen.includes(text)) done();
    });
  });
};

/** Waits until a worker that may serve has begun to: its handlers are there. */
const settled = async (worker: { process: { pid?: number | undefined } }): Promise<void> => {
  const { readFileSync } = await import('node:fs');
  const caught = () =>
    Number.parseInt(
      /^SigCgt:\s+([0-9a-f]+)$/m
        .exec(readFileSync(`/proc/${worker.process.pid}/status`, 'utf8'))?.[1]
        ?.slice(-8) ?? '0',
      16,
    );
  const SIGUSR1_BIT = 1 << 9;
  while ((caught() & SIGUSR1_BIT) === 0) await new Promise((done) => setTimeout(done, 5));
};
