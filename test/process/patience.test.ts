import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Daemon, get, World } from './harness.js';
import { Client, give, idleDescriptors, perl, SERVING } from './workers.js';

// What takes seconds by its nature, all at the same time: everything begins before the first test.

let world: World;
let daemon: Daemon;
let descriptors: number;
let halfHead: Client;
let halfBody: Client;

beforeAll(async () => {
  world = new World();
  daemon = world.run([
    '--workers',
    '2',
    '--listen',
    '127.0.0.1:0',
    ...perl(`await ${world.path('slot-SLOT')}`, ...SERVING),
  ]);
  await daemon.manyLines(2, 'worker.spawned');
  give(world.path('slot-1'));
  await daemon.line('worker.ready');
  descriptors = await idleDescriptors(daemon.pid);
  halfHead = new Client(world.path('perl.sock'), 'GET /status HTTP/1.1\r\nHost: x\r\nX-Half:');
  halfBody = new Client(
    world.path('perl.sock'),
    'POST /stop HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf',
  );
});
afterAll(() => world.dispose());

it('a worker that says nothing for 5 s is mentioned once, with what is waited for and how long still', async () => {
  const silent = await daemon.line('worker.silent');
  expect(silent).toMatchObject({ level: 'warn', slot: 2, waitedMs: 5_000, remainingMs: 55_000 });
  expect(silent.msg).toMatch(
    /^worker 2 has not said takeover for 5 s; it has 55 s left\. .*--ready alive=1s.*--ready http=/,
  );
  const spawned = await daemon.line('worker.spawned', ({ slot }) => slot === 2);
  expect(Date.parse(String(silent.time)) - Date.parse(String(spawned.time))).toBeGreaterThanOrEqual(4_998);
});

it('a request that is never finished is ended, has done nothing, and is forgotten', async () => {
  await halfHead.end();
  halfBody.socket.destroy();
  const status = await daemon.statusNow();
  expect(status).toMatchObject({ pid: daemon.pid, state: 'respawning' });
  expect((await get(status?.listeners[0]?.address ?? '')).status).toBe(200);
  expect(await idleDescriptors(daemon.pid)).toBe(descriptors);
  expect(daemon.lines().filter(({ event }) => event === 'worker.silent')).toHaveLength(1);
});
