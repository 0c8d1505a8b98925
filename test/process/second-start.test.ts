import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exists, Generations, NAME, type Start, who } from './generations.js';
import { type Daemon, fixture, tanistScript } from './harness.js';

let world: Generations;
beforeEach(() => {
  world = new Generations();
});
afterEach(() => world.dispose());

/** A start that is expected to end by itself. */
const end = async (second: Daemon): Promise<{ status: number | null; stdout: string; stderr: string }> => {
  const { code } = await second.exit();
  return { status: code, stdout: second.stdout(), stderr: second.stderr() };
};

const startAgain = (how: Start = {}) => end(world.start(how));

describe('a second start of the same', () => {
  it('S14: asks the running one to reload, waits and prints the verdict', async () => {
    const { daemon, status, address } = await world.started();
    world.release({ version: 'two' });
    const second = await startAgain();
    expect(second).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^promoted: generation 2 serves \(pid \d+\) after \d+ ms\n$/),
      stderr: expect.stringContaining(`${NAME} runs already (pid ${status.pid}): asked it to reload\n`),
    });
    // The old worker may be given connections until it has left.
    const after = await daemon.settled(2);
    expect(await who(address)).toMatchObject({ version: 'two', generation: 2 });
    expect(after.pid).not.toBe(status.pid);
  });

  it('S14, X6: tells the truth about a version that is broken, with the status of tanist reload', async () => {
    const { daemon, status, address } = await world.started();
    world.release({ boot: 'crash' });
    const second = await startAgain();
    expect([second.status, second.stdout]).toEqual([
      4,
      expect.stringMatching(/^refused \(worker-exited\): .*; generation 1 goes on serving\n$/),
    ]);
    expect((await daemon.running()).workers).toEqual(status.workers);
    expect(await who(address)).toMatchObject({ version: 'one', generation: 1 });
  });

  it('S14: joins a reload that is under way', async () => {
    const { daemon } = await world.started();
    const gate = world.path('gate');
    world.release({ version: 'two', gate });
    const first = world.start();
    await world.step('started', 2);
    const second = world.start();
    await daemon.line('reload.joined');
    world.open(gate);
    const verdicts = [await end(first), await end(second)].map(({ status, stdout }) => [status, stdout]);
    expect(verdicts).toEqual([
      [0, expect.stringMatching(/^promoted: generation 2 /)],
      [0, expect.stringMatching(/^joined a reload under way: promoted: generation 2 /)],
    ]);
  });

  it('S14: is the same after a deploy moved the link to the release', async () => {
    for (const release of ['one', 'two']) {
      mkdirSync(world.path(release));
      writeFileSync(world.path(`${release}/app.mjs`), `import ${JSON.stringify(fixture('service.mjs'))};\n`);
    }
    const current = world.path('current');
    symlinkSync('one', current);
    const how = { cwd: current, command: ['./app.mjs'] };
    const { daemon } = await world.started(how);
    symlinkSync('two', `${current}.new`);
    renameSync(`${current}.new`, current);
    expect(await startAgain(how)).toMatchObject({ status: 0, stdout: expect.stringContaining('promoted') });
    await daemon.settled(2);
    // The same place by its other name: what runs would follow the link there, too.
    expect(await startAgain({ ...how, cwd: world.path('two') })).toMatchObject({ status: 0 });
    // The release that is no longer current is something else.
    expect(await startAgain({ ...how, cwd: world.path('one') })).toMatchObject({
      status: 5,
      stderr: expect.stringContaining(
        `; it runs \`${process.execPath} ${world.path('two/app.mjs')}\`, this is \`${process.execPath} ${world.path('one/app.mjs')}\`\n`,
      ),
    });
  });

  it('S14: is the same after its configuration file was changed, and the reload follows the file', async () => {
    const config = world.path('config.json');
    writeFileSync(config, '{ "workers": 1 }');
    const how = { options: ['--config', config] };
    const { daemon } = await world.started(how);
    writeFileSync(config, '{ "workers": 2 }');
    expect(await startAgain(how)).toMatchObject({ status: 0 });
    expect((await daemon.settled(2)).workers).toHaveLength(2);
  });

  it('S14: asked with other words for the same is the same', async () => {
    await world.started();
    const options = ['--workers', '1', '--drain-timeout=30000ms'];
    expect(await startAgain({ options })).toMatchObject({ status: 0 });
  });
});

describe('a second start of something else', () => {
  it('exits 5 naming both programs, and how to run this instead', async () => {
    const { daemon, status } = await world.started();
    const second = await startAgain({ command: [fixture('service.mjs'), 'a b', "it's"] });
    expect(second).toMatchObject({ status: 5, stdout: '' });
    expect(second.stderr).toContain(
      `error TANIST_LOCK_HELD: already running: ${NAME} (pid ${status.pid}) holds the lock of ${world.pidFile}; ` +
        `it runs \`${fixture('service.mjs')}\`, this is \`${fixture('service.mjs')} 'a b' 'it'\\''s'\`\n` +
        'hint: Use "tanist restart" with these words',
    );
    expect(await daemon.running()).toEqual(status);
  });

  it.each([
    [['--workers', '2'], '--workers 1 there, 2 here'],
    [['--drain-timeout', '5s'], '--drain-timeout 30s there, 5s here'],
    [
      ['--log-level', 'warn', '--listen', 'admin=127.0.0.1:0'],
      '--listen listen0=127.0.0.1:0 there, listen0=127.0.0.1:0 admin=127.0.0.1:0 here; --log-level debug there, warn here',
    ],
    [['--respawn-limit', '5/1m'], '--respawn-limit none there, {"count":5,"withinMs":60000} here'],
    [['--umask', '077'], '--umask none there, 077 here'],
    [['--chdir', '/'], 'this would run in /\n'],
  ])('with %j exits 5 naming the difference', async (options, difference) => {
    const { daemon, status } = await world.started();
    const second = await startAgain({ options });
    expect(second).toMatchObject({ status: 5, stdout: '', stderr: expect.stringContaining(difference) });
    expect(await daemon.running()).toEqual(status);
  });
});

describe('a second start that cannot ask', () => {
  it('S15: because the control socket is gone exits 5 and says so', async () => {
    const { daemon, status } = await world.started();
    unlinkSync(world.controlPath);
    const second = await startAgain();
    expect(second).toMatchObject({ status: 5, stdout: '' });
    expect(second.stderr).toContain(
      `already running: ${NAME} (pid ${status.pid}) holds the lock of ${world.pidFile}; it cannot be asked to reload: the lock of "${world.pidFile}" is held, but nobody listens at "${world.controlPath}"\n`,
    );
    expect(exists(daemon.pid)).toBe(true);
  });

  it('S15: because the running one hangs exits 5 and says so', async () => {
    const { daemon } = await world.started();
    process.kill(daemon.pid, 'SIGSTOP');
    const second = await startAgain();
    process.kill(daemon.pid, 'SIGCONT');
    expect(second).toMatchObject({ status: 5, stdout: '' });
    expect(second.stderr).toContain(
      'it cannot be asked to reload: no answer on its control socket within 8s\nhint: Use "tanist reload"',
    );
    await daemon.running();
  });

  it('S15: because the running one is stopping exits 5 and says so', async () => {
    const leave = world.path('leave');
    world.release({ leave });
    const { daemon } = await world.started();
    process.kill(daemon.pid, 'SIGTERM');
    await world.step('leaving', 1);
    expect(await startAgain()).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('; it is stopping\nhint: Start it again when it has ended'),
    });
    world.open(leave);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
  });

  it('S15: because a program of its own started the running one exits 5 and says so', async () => {
    const program = world.path('own.mjs');
    const index = join(tanistScript, '../../tanist.js');
    writeFileSync(
      program,
      `import { createSupervisor } from ${JSON.stringify(index)};
const options = ${JSON.stringify({ command: fixture('service.mjs'), name: NAME, listen: '127.0.0.1:0' })};
process.exitCode = (await createSupervisor(options).done) === null ? 0 : 5;\n`,
    );
    const { daemon, status } = await world.started({ script: program });
    expect(await startAgain()).toMatchObject({
      status: 5,
      stderr: expect.stringContaining(
        `; it was started in another way than this: it supervises \`${fixture('service.mjs')}\`\n`,
      ),
    });
    // The program itself, started again, ends as it says it does.
    expect(await startAgain({ script: program })).toMatchObject({ status: 5 });
    expect(await daemon.running()).toEqual(status);
  });

  it('S15: because what runs cannot be looked up any more exits 5 and says so', async () => {
    const directory = world.path('release');
    mkdirSync(directory);
    writeFileSync(join(directory, 'app.mjs'), `import ${JSON.stringify(fixture('service.mjs'))};\n`);
    const { daemon, status } = await world.started({ cwd: directory, command: ['./app.mjs'] });
    rmSync(join(directory, 'app.mjs'));
    expect(await startAgain()).toMatchObject({
      status: 5,
      stderr: expect.stringContaining(
        `; what it runs cannot be looked up any more: ${join(directory, 'app.mjs')} does not exist or cannot be read\n`,
      ),
    });
    expect(await daemon.running()).toEqual(status);
  });

  it('waits for the verdict of a reload no longer than its reader wants', async () => {
    const { daemon } = await world.started();
    world.release({ gate: world.path('gate') });
    const second = world.start();
    await world.step('started', 2);
    process.kill(second.pid, 'SIGINT');
    expect(await second.exit()).toEqual({ code: null, signal: 'SIGINT' });
    // What was asked for goes on.
    world.open(world.path('gate'));
    await daemon.settled(2);
  });
});
