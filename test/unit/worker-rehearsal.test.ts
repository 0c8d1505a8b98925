import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { get, openListener, type WorkerPlan, WorkerUnderTest } from './fake-supervisor.js';

const start = (program: string, plan: Omit<WorkerPlan, 'program'> = {}): WorkerUnderTest =>
  new WorkerUnderTest({ program, ...plan });

describe('a worker that rehearses', () => {
  it('has run an HTTP server before it is ready, and not called its own handler for that', async () => {
    const worker = start(
      `const { subscribe } = await import('node:diagnostics_channel');
       let [answered, handled] = [0, 0];
       subscribe('http.server.response.finish', () => { answered += 1; });
       const worker = await connect();
       const server = http.createServer(() => { handled += 1; });
       const serving = worker.serve(server);
       worker.ping().then(() => worker.status(answered + ' answered, ' + handled + ' handled'));`,
      { listeners: { web: await openListener() } },
    );
    // It pings while it warms up, and asks for takeover afterwards.
    expect(await worker.hear()).toBe('ping');
    expect(await worker.hear()).toBe('takeover');
    worker.say('pong');
    expect(await worker.hear()).toBe('status 3 answered, 0 handled');
  });

  it('has run all of its own code that lies between ok and the first answer, before it is ready', async () => {
    const listener = await openListener();
    const worker = start(
      `const { Session } = await import('node:inspector');
       const session = new Session();
       session.connect();
       session.post('Profiler.enable');
       session.post('Profiler.startPreciseCoverage', { callCount: true });
       const called = new Set();
       const look = () => {
         const fresh = [];
         session.post('Profiler.takePreciseCoverage', (_, { result }) => {
           for (const { url, functions } of result.filter(({ url }) => url.includes('tanist') || url.includes('/worker.')))
             for (const { functionName, ranges: [{ count, startOffset }] } of functions)
               if (count > 0 && functionName !== '' && !called.has(url + startOffset)) {
                 called.add(url + startOffset);
                 fresh.push(functionName);
               }
         });
         return fresh;
       };
       const worker = await connect();
       const server = http.createServer((request, response) => response.end());
       worker.serve(server);
       process.on('SIGUSR2', () => {
         worker.status('looks');
         if (!look().includes('takeover')) worker.status('and sees nothing');
       });
       server.on('request', (_, response) => {
         response.on('close', () => worker.status('then ' + JSON.stringify(look())));
       });`,
      { listeners: { web: listener } },
    );
    expect(await worker.hear()).toBe('takeover');
    worker.signal('SIGUSR2');
    expect(await worker.hear()).toBe('status looks');
    worker.say('ok');
    await get({ port: listener.port });
    expect(await worker.hear()).toBe('status then []');
  });

  it('has heard whoever waited for it before serve() returns', async () => {
    const listener = await openListener();
    const worker = start(
      `let heard = 0;
       const worker = await connect();
       const server = http.createServer((request, response) => {
         heard += 1;
         response.end();
       });
       await worker.serve(server);
       worker.status('heard ' + heard);`,
      { listeners: { web: listener } },
    );
    const waiting = connectTo(listener.port, '127.0.0.1');
    await once(waiting, 'connect');
    await new Promise((written) => waiting.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n', written));
    await worker.letServe();
    expect(await worker.hear()).toBe('status heard 1');
    waiting.destroy();
  });
});
