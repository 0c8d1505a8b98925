import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { catches, type Embedder, newEmbedders, startChat, toldBy } from './embedders.js';
import { ended, who, workerPid, workerPids } from './generations.js';
import { fixture, isRunning, until } from './harness.js';

const SERVICE = fixture('service.mjs');

const addressOf = ({ listeners }: { listeners: readonly { address: string }[] }): string =>
  listeners[0]?.address ?? '';

/** Takes what an inspector of @statelyai/inspect sends. */
const startReceiver = async () => {
  const received: { type: string; name?: string; event?: { type: string }; definition?: string }[] = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) =>
    socket.on('message', (data) => received.push(JSON.parse(String(data)))),
  );
  await new Promise<void>((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { received, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

describe('a program with a supervisor of its own', () => {
  it('is told what happens, gives orders and hears what came of them', async () => {
    const world = newEmbedders();
    const host = world.embed('host.mjs', [SERVICE]);
    const first = await host.running();
    await toldBy(host, 'status', ({ state }) => state === 'running');
    expect(host.told('status').map(({ state }) => state)).toContain('idle');

    const victim = workerPid(first);
    process.kill(victim, 'SIGKILL');
    expect(await toldBy(host, 'exit')).toMatchObject({ pid: victim, slot: 1, code: null, signal: 'SIGKILL' });
    await host.status(
      'another worker',
      (status) => workerPids(status).length === 2 && workerPid(status) !== victim,
    );

    host.say('scale 3');
    expect(await toldBy(host, 'scale')).toMatchObject({ outcome: 'scaled', from: 2, workers: 3 });
    host.say('status');
    expect((await toldBy(host, 'now')).workers).toHaveLength(3);
    host.say('dance');
    expect(await toldBy(host, 'error')).toMatchObject({ message: 'no such order: dance' });

    world.release({ boot: 'crash' });
    host.say('reload');
    expect(await toldBy(host, 'reload')).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    expect(await toldBy(host, 'refused')).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    expect(host.told('refused')).toHaveLength(1);

    world.release({ version: 'three' });
    host.say('reload');
    expect(await toldBy(host, 'reload', ({ outcome }) => outcome === 'promoted')).toMatchObject({
      generation: 3,
    });
    expect(await host.exit()).toEqual({ code: 0, signal: null });
    expect(await toldBy(host, 'end')).toMatchObject({ failure: null });
    // The same program again, which has come to createSupervisor() as the next generation.
    const third = await host.settled(3);
    expect(await who(addressOf(third))).toMatchObject({ generation: 3, version: 'three' });
    await world.stopped('embedded');
  });

  it('may ask for reloads before anything runs: one is made of them, and each is told its verdict', async () => {
    const world = newEmbedders();
    const host = world.embed('host.mjs', [SERVICE]);
    host.say('reload');
    host.say('reload');
    await host.settled(2);
    await host.exit();
    const verdicts = host.told('reload').map(({ outcome, generation }) => [outcome, generation]);
    expect(verdicts).toEqual([
      ['promoted', 2],
      ['promoted', 2],
    ]);
    await world.stopped('embedded');
  });

  it('shows its machines to an inspector of XState, and does without one that is not there', async () => {
    const world = newEmbedders();
    const { received, url } = await startReceiver();
    const host = world.embed('host.mjs', [SERVICE], { INSPECTOR_URL: url });
    await host.running();
    const names = () => received.filter(({ type }) => type === '@xstate.actor').map(({ name }) => name);
    await until('both workers at the inspector', () =>
      ['supervisor', 'worker-1', 'worker-2'].every((name) => names().includes(name)),
    );
    await until('the readiness of a worker at the inspector', () =>
      received.some(({ type, event }) => type === '@xstate.event' && event?.type === 'worker.ready'),
    );
    const supervisor = received.find(({ name }) => name === 'supervisor');
    expect(JSON.parse(supervisor?.definition ?? '{}').states).toHaveProperty('respawning');
    host.say('stop');
    expect(await host.exit()).toEqual({ code: 0, signal: null });

    const alone = world.embed('host.mjs', [SERVICE], { INSPECTOR_URL: 'ws://127.0.0.1:1' });
    await alone.running();
    alone.say('stop');
    expect(await alone.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
  });
});

describe('a program that sends a chat message when a version is rolled back', () => {
  it('sends it, and serves on whatever the chat server does', async () => {
    const world = newEmbedders();
    const chat = await startChat();
    const program = world.embed('chat.mjs', [SERVICE], {
      CHAT_URL: chat.url,
      CHAT_LIMIT_MS: '60000',
      PROBATION_MS: '20000',
    });
    const before = await program.running();
    const rolledBack = async () => {
      const { status, verdict } = await world.reloadOf('chatty');
      expect([status, verdict.outcome, verdict.reason]).toEqual([409, 'rolled-back', 'worker-exited']);
      const now = await program.running();
      expect([now.pid, workerPids(now)]).toEqual([before.pid, workerPids(before)]);
      expect((await who(addressOf(now))).pid).toBe(workerPid(before));
      return verdict;
    };

    world.release({ version: 'bad', crashMs: 1 });
    const { detail } = await rolledBack();
    await until('the message', () => chat.texts.length === 1);
    expect(chat.texts).toEqual([`chatty: generation 2 was rolled back (worker-exited): ${detail}`]);
    expect(program.lines().filter(({ event }) => event === 'handler.failed')).toEqual([]);

    chat.answer = 500;
    await rolledBack();
    const refused = await program.line('handler.failed');
    expect(refused.msg).toMatch(
      /^a handler of the program failed at reload\.refused: Error: the chat answered 500/,
    );

    // Nobody waits for the chat, however long it takes.
    chat.answer = null;
    await rolledBack();
    await until('the third message', () => chat.texts.length === 3);
    expect(program.lines().filter(({ event }) => event === 'handler.failed')).toHaveLength(1);
    await world.stopped('chatty');
    expect(await program.exit()).toEqual({ code: 0, signal: null });
  });
});

/** A binary that is an application of its own, and a Node only when it is told to be one: what Electron is. */
const ownBinary = (world: ReturnType<typeof newEmbedders>) => {
  const [binary, preload, copies] = [world.path('app'), world.path('app.mjs'), world.path('copies')];
  writeFileSync(
    binary,
    `#!/bin/sh\n[ "$ELECTRON_RUN_AS_NODE" = 1 ] && exec '${process.execPath}' "$@"\necho "$@" >> '${copies}'\nexit 1\n`,
  );
  chmodSync(binary, 0o755);
  writeFileSync(preload, `process.execPath = ${JSON.stringify(binary)};\n`);
  return { copies, nodeArgs: [`--import=${pathToFileURL(preload)}`] };
};

describe('a process that is not the supervisor’s own', () => {
  /** @param variables of the workers; those of the example where there are none. */
  const started = (variables?: string) => {
    const world = newEmbedders();
    const { copies, nodeArgs } = ownBinary(world);
    const file = world.path('guest.env');
    if (variables !== undefined) writeFileSync(file, variables);
    const env = variables === undefined ? {} : { ENV_FILE: file };
    const guest: Embedder = world.embed('guest.mjs', [SERVICE], env, nodeArgs);
    return { world, guest, copies };
  };

  it('is neither copied nor ended nor deafened, and renews its workers one after the other', async () => {
    const { world, guest, copies } = started();
    const first = await guest.running();
    // Node itself catches SIGINT and SIGTERM; the application the latter.
    const { SIGHUP, SIGQUIT, SIGUSR2, SIGTTIN, SIGTTOU } = constants.signals;
    const caught = [SIGHUP, SIGQUIT, SIGUSR2, SIGTTIN, SIGTTOU].filter((signal) =>
      catches(guest.pid, signal),
    );
    expect(caught).toEqual([]);

    guest.say('fail');
    await until('the application’s own handler', () =>
      guest.stdout().includes('goes on after: a defect of the application'),
    );
    expect(workerPids(await guest.running())).toEqual(workerPids(first));

    const { status, verdict } = await world.reloadOf('guest');
    expect([status, verdict.outcome, verdict.reason]).toEqual([409, 'refused', 'not-reloadable']);

    world.release({ version: 'two' });
    guest.say('renew');
    await until('both workers anew', () => guest.stdout().includes('renewed\n'));
    const second = await guest.running();
    expect(second).toMatchObject({ pid: guest.pid, generation: 1 });
    for (const pid of workerPids(first)) await ended(pid);
    expect((await who(addressOf(second))).version).toBe('two');
    expect(existsSync(copies)).toBe(false);

    process.kill(guest.pid, 'SIGTERM');
    expect(await guest.exit()).toEqual({ code: 0, signal: null });
    expect(guest.stdout()).toMatch(/quitting\nthe service has ended: in order\n$/);
    await world.empty();
  });

  it('goes on when the service is stopped by somebody else', async () => {
    const { world, guest } = started();
    await guest.running();
    expect((await world.tanist('stop', '--name', 'guest')).status).toBe(0);
    await until('the end of the service', () => guest.stdout().includes('the service has ended: in order\n'));
    expect(isRunning(guest.pid)).toBe(true);
    // It has no handler for it, and nobody else has put one there.
    process.kill(guest.pid, 'SIGINT');
    expect(await guest.exit()).toEqual({ code: null, signal: 'SIGINT' });
    await world.empty();
  });

  it('gets no worker where its binary is not told to be a Node', async () => {
    const { world, guest, copies } = started('');
    await until('an application that was started instead of a worker', () => existsSync(copies));
    guest.say('quit');
    await guest.exit();
    await world.empty();
  });
});
