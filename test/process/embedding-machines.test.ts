import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { describe, expect, it } from 'vitest';
import { newEmbedders } from './embedders.js';
import { who, workerPids } from './generations.js';
import { fixture, get, until } from './harness.js';

const addressOf = ({ listeners }: { listeners: readonly { address: string }[] }): string =>
  listeners[0]?.address ?? '';

/** A request that is answered when its worker leaves: resolves when the answer has begun. */
const patientRequest = (address: string): Promise<{ body: Promise<string> }> =>
  new Promise((resolve, reject) => {
    const request = http.get(`http://${address}/patient`, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      const body = new Promise<string>((finished, failed) => {
        response.on('end', () => finished(text));
        response.on('error', failed);
      });
      response.on('data', (chunk: string) => {
        text += chunk;
        resolve({ body });
      });
    });
    request.on('error', reject);
  });

describe('a program whose workers are threads', () => {
  it('serves, replaces a thread that has crashed, is reloaded, and finishes what it has begun', async () => {
    const world = newEmbedders();
    const program = world.embed('threads/main.mjs', []);
    const first = await program.running();
    const address = addressOf(first);
    expect(await who(address)).toMatchObject({ generation: 1 });
    // Threads of the one process there is.
    expect(world.processes()).toEqual([program.pid]);

    expect((await get(address, '/crash')).body).toBe('it crashes\n');
    const crash = await program.line('worker.exited');
    expect([crash.level, crash.code]).toEqual(['warn', 1]);
    expect(workerPids(first)).toContain(crash.pid);
    expect(program.stderr()).toContain('Error: crashed on request');
    const healed = await program.status(
      'another thread',
      (status) => status.state === 'running' && !workerPids(status).includes(crash.pid ?? 0),
    );
    expect(workerPids(healed)).toHaveLength(2);

    const before = await patientRequest(address);
    const { status, verdict } = await world.reloadOf('threads');
    expect([status, verdict]).toMatchObject([200, { outcome: 'promoted', generation: 2 }]);
    expect(await before.body).toBe('begun\nfinished\n');
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    const second = await program.settled(2);
    expect(await who(address)).toMatchObject({ generation: 2 });

    const last = await patientRequest(address);
    const stop = world.stopped('threads');
    expect(await last.body).toBe('begun\nfinished\n');
    await stop;
    expect(world.processes()).not.toContain(second.pid);
    await expect(get(address)).rejects.toThrow(/ECONNREFUSED/);
    expect(program.lines().filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(readdirSync(world.directory).filter((name) => name.startsWith('threads'))).toEqual([]);
  });
});

describe('a program with regions of its own beside the supervisor', () => {
  it('deploys a new release only in the maintenance window', async () => {
    const world = newEmbedders();
    const window = world.path('window');
    world.deploy('one');
    const program = world.embed('window/main.mjs', [], { RELEASE: world.path('current'), WINDOW: window });
    const first = await program.running();
    const said = (text: string) => until(text, () => program.stdout().includes(`${text}\n`));

    world.deploy('two');
    await said('a new release waits for the window');
    expect(program.stdout()).not.toContain('deploying');
    expect((await who(addressOf(first))).version).toBe('one');
    writeFileSync(window, '');
    await said('deploying');
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    const second = await program.settled(2);
    expect(await who(addressOf(second))).toMatchObject({ generation: 2, version: 'two' });

    world.deploy('three', { boot: 'crash' });
    await said('refused: the old release goes on');
    expect(await who(addressOf(second))).toMatchObject({ generation: 2, version: 'two' });
    rmSync(window);
    await world.stopped('windowed');
    expect(program.lines().filter(({ event }) => event === 'reload.requested')).toHaveLength(2);
  });
});

describe('a program whose own effect throws', () => {
  it('ends in order: its workers leave, and nothing is left', async () => {
    const world = newEmbedders();
    const settings = {
      name: 'defective',
      command: fixture('service.mjs'),
      listen: '127.0.0.1:0',
      maxMemory: '1GB',
    };
    const program = world.embed('../../fixtures/throwing-effect.mjs', [JSON.stringify(settings)]);
    expect(await program.exit()).toEqual({ code: 1, signal: null });
    const crash = await program.line('supervisor.crashed');
    expect(crash.msg).toMatch(/^the supervisor has failed: Error: an effect of the program has a defect\n/);
    expect(program.stdout()).toMatch(/stopping\ncomplete\nTANIST_INTERNAL\n$/);
    await world.step('left', 1);
    await world.empty();
    expect(readdirSync(world.directory).filter((name) => name.startsWith('defective'))).toEqual([]);
  });
});

describe('a statechart around a supervisor', () => {
  const started = (settings: object) => {
    const world = newEmbedders();
    const complete = { name: 'ordered', command: fixture('service.mjs'), listen: '127.0.0.1:0', ...settings };
    return { world, program: world.embed('../../fixtures/ordered.mjs', [JSON.stringify(complete)]) };
  };

  it('gives orders, hears what came of them, and ends with it', async () => {
    const { world, program } = started({ noHotReload: true });
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    expect(program.stdout()).toBe(
      'supervisor.scaled scaled\nsupervisor.reloaded refused\nsupervisor.ended \n',
    );
    await world.empty();
  });

  it('hears of settings that are refused as of the error of an invocation', async () => {
    const { program } = started({ workers: 0 });
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    expect(program.stdout()).toBe('xstate.error.actor.supervisor TANIST_USAGE\n');
  });
});
