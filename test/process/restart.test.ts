import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Generations, NAME, who } from './generations.js';
import { type Daemon, fixture, tanistScript } from './harness.js';

let world: Generations;
beforeEach(() => {
  world = new Generations();
});
afterEach(() => world.dispose());

const SERVICE = fixture('service.mjs');

const restart = (...words: readonly string[]): Daemon =>
  world.run(['--name', NAME, ...words], {
    command: 'restart',
    env: { VERSION_FILE: world.path('version.json'), JOURNAL: world.journal },
  });

/** A port that nobody else takes meanwhile. */
const occupied = async (): Promise<number> => {
  const server = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as net.AddressInfo).port;
};

describe('a restart', () => {
  it('runs other listeners in place of what ran, and is reloaded like any other start', async () => {
    const { daemon, status } = await world.started();
    const address = `unix:${world.path('web.socket')}`;
    const next = restart('--listen', `web=${address}`, '--workers', '2', '--', SERVICE);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    const running = await next.status(
      'both workers',
      ({ state, pid }) => state === 'running' && pid !== status.pid,
    );
    expect(running).toMatchObject({ generation: 1, pid: next.pid, listeners: [{ name: 'web', address }] });
    expect(next.stderr()).toContain(`stopped ${NAME}, starting it again\n`);
    expect(await who(address)).toMatchObject({ generation: 1 });
    world.release({ version: 'two' });
    expect(await world.tanist('reload')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('promoted'),
    });
    const second = await next.settled(2);
    expect(second.origin?.commandLine?.[0]).toBe('run');
    expect(await who(address)).toMatchObject({ version: 'two', generation: 2 });
    expect((await world.tanist('stop')).status).toBe(0);
    expect(world.remains()).toEqual([]);
  });

  it('starts only when the last worker of what ran has left', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon } = await world.started();
    world.release({ version: 'two' });
    const next = restart('--listen', '127.0.0.1:0', '--', SERVICE);
    await world.step('leaving', 1);
    expect(world.steps().filter(({ version }) => version === 'two')).toEqual([]);
    world.open(leave);
    await daemon.exit();
    await next.running();
    const [left, started] = [
      world.steps().findIndex(({ step }) => step === 'left'),
      world.steps().findIndex(({ step, version }) => step === 'started' && version === 'two'),
    ];
    expect(started).toBeGreaterThan(left);
  });

  it('of nothing just starts, and says so', async () => {
    const next = restart('--listen', '127.0.0.1:0', '--', SERVICE);
    await next.running();
    expect(next.stderr()).toContain(`${NAME} is not running: starting it\n`);
  });

  it.each([
    [['--workers', 'none', '--', SERVICE], 2, '--workers "none": expected'],
    [['--workers', '2'], 2, '<command> is missing'],
    [['--', './no-such.mjs'], 2, 'no-such.mjs does not exist'],
    [['--config', './no-such.json', '--', SERVICE], 2, 'no-such.json'],
    [['--chdir', './no-such', '--', SERVICE], 2, 'no-such does not exist'],
  ])('with the mistake %j stops nothing', async (words, status, message) => {
    const { daemon, status: before } = await world.started();
    const next = restart(...words);
    expect([(await next.exit()).code, next.stderr()]).toEqual([status, expect.stringContaining(message)]);
    expect(await daemon.running()).toEqual(before);
  });

  it('that cannot start says that nothing runs now', async () => {
    const { daemon } = await world.started();
    const port = await occupied();
    const next = restart('--listen', `127.0.0.1:${port}`, '--', SERVICE);
    expect((await daemon.exit()).code).toBe(0);
    expect((await next.exit()).code).toBe(1);
    expect(next.stderr()).toMatch(
      /^error TANIST_LISTEN_IN_USE: the new one could not start: .*; the old one was stopped before, and nothing runs now$/m,
    );
    expect(world.remains()).toEqual([]);
  });
});

describe('a restart without a command', () => {
  it('of one in the foreground names who has to do it, and stops nothing', async () => {
    const { daemon, status } = await world.started();
    const answer = await world.tanist('restart', '--name', NAME);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(
      `error TANIST_FOREGROUND: ${NAME} (pid ${status.pid}) runs in the foreground of whoever started it`,
    );
    expect(await daemon.running()).toEqual(status);
  });

  it('of one that is part of a program says so, and stops nothing', async () => {
    const program = world.path('own.mjs');
    writeFileSync(
      program,
      `import { createSupervisor } from ${JSON.stringify(join(tanistScript, '../../tanist.js'))};
await createSupervisor(${JSON.stringify({ command: SERVICE, name: NAME, listen: '127.0.0.1:0' })}).done;\n`,
    );
    const { daemon, status } = await world.started({ script: program });
    const answer = await world.tanist('restart');
    expect([answer.status, answer.stderr]).toEqual([
      1,
      expect.stringContaining(
        'was started by a program of its own, which has to do it again\nhint: Use "tanist stop"',
      ),
    ]);
    expect(await daemon.running()).toEqual(status);
  });

  it('of nothing exits 3', async () => {
    expect(await world.tanist('restart')).toMatchObject({ status: 3 });
  });
});
