import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Daemon, tanistScript, until, type World } from './harness.js';
import { GOOD, newWorld, perl, reported } from './workers.js';

const REPORTING = ['report', 'say takeover', 'rest'] as const;

/** What the worker of the generation in charge says of itself. */
const workerOf = async (daemon: Daemon, generation: number) => {
  const { workers } = await daemon.settled(generation);
  return reported(daemon, workers[0]?.pid ?? 0);
};

const file = (world: World, name: string, text: string): string => {
  writeFileSync(world.path(name), text);
  return world.path(name);
};

describe('--env-file', () => {
  it('gives its variables to workers: later files win, and all over the environment', async () => {
    const world = newWorld();
    const one = file(world, 'one.env', 'A=one\nB=one\nC=one\n');
    const two = file(world, 'two.env', '# overrides\nexport B="two\nlines"\n');
    const daemon = world.run(['--env-file', one, '--env-file', two, ...perl(...REPORTING)], {
      env: { C: 'inherited', D: 'inherited' },
    });
    const { env } = await workerOf(daemon, 1);
    expect(env).toMatchObject({ A: 'one', B: 'two\nlines', C: 'one', D: 'inherited' });
  });

  it('is read again by every generation, and by none in between', async () => {
    const world = newWorld();
    const path = file(world, 'x.env', 'VERSION=one\nOLD=1\n');
    const daemon = world.run(['--env-file', 'x.env', ...perl(...REPORTING)], { cwd: world.directory });
    const { workers } = await daemon.running();
    writeFileSync(path, 'VERSION=two\n');
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    const respawned = await daemon.status(
      'another worker',
      ({ state, workers: [worker] }) => state === 'running' && worker?.pid !== workers[0]?.pid,
    );
    expect((await reported(daemon, respawned.workers[0]?.pid ?? 0)).env).toMatchObject({ VERSION: 'one' });
    expect((await world.tanist('reload')).status).toBe(0);
    const { env } = await workerOf(daemon, 2);
    expect(env.VERSION).toBe('two');
    expect(env).not.toHaveProperty('OLD');
  });

  it('with mistakes starts nothing: every one is told with file and line', async () => {
    const world = newWorld();
    const path = file(world, 'x.env', 'A=1\noops\nB="2\n');
    const missing = world.path('missing.env');
    const files = ['--env-file', path, '--env-file', missing, '--env-file', world.directory];
    // Without the dashes Node itself ends with status 9 when a file behind --env-file is missing.
    const words = ['--', tanistScript, 'run', ...files, ...perl(...GOOD)];
    const result = spawnSync(process.execPath, words, { env: world.env, encoding: 'utf8' });
    expect(result.status).toBe(2);
    expect(result.stderr.split('\n')).toEqual([
      'error TANIST_ENV_FILE: 4 mistakes in environment files',
      `  ${path}:2: expected NAME=value, not "oops"`,
      `  ${path}:3: a value that starts with ": expected the same at its end`,
      `  ${missing}: does not exist`,
      `  ${world.directory}: is not a regular file`,
      expect.stringMatching(/^hint: A line is NAME=value/),
      '',
    ]);
    expect(world.processes()).toEqual([]);
  });

  it('that has become malformed refuses a reload, config-invalid, and the old generation goes on', async () => {
    const world = newWorld();
    const path = file(world, 'x.env', 'A=1\n');
    const daemon = world.run(['--env-file', path, ...perl(...REPORTING)]);
    const before = await daemon.running();
    writeFileSync(path, 'A=1\n\nTANIST_SLOT=7\n');
    const malformed = await world.tanist('reload');
    expect(malformed.status).toBe(4);
    expect(malformed.stdout).toContain('refused (config-invalid)');
    expect(malformed.stdout).toContain(`${path}:3: expected another name than TANIST_SLOT`);
    rmSync(path);
    const gone = await world.tanist('reload');
    expect(gone.status).toBe(4);
    expect(gone.stdout).toContain(`refused (config-invalid): environment file ${path}: does not exist`);
    const after = await daemon.running();
    expect(after).toMatchObject({
      generation: 1,
      pid: before.pid,
      workers: [{ pid: before.workers[0]?.pid }],
    });
  });

  it('may hold the PATH in which the command is found', async () => {
    const world = newWorld();
    mkdirSync(world.path('bin'));
    symlinkSync('/usr/bin/perl', world.path('bin/own-perl'));
    const path = file(world, 'x.env', `PATH=${world.path('bin')}:/usr/bin:/bin\n`);
    const [, , ...rest] = perl(...REPORTING);
    const daemon = world.run(['--env-file', path, '--', 'own-perl', ...rest]);
    expect((await workerOf(daemon, 1)).env.PATH).toContain(world.path('bin'));
  });
});

describe('--chdir', () => {
  const release = (world: World, name: string): void => {
    mkdirSync(world.path(name));
    writeFileSync(
      world.path(`${name}/worker`),
      `#!/bin/sh\nexec ${perl(...REPORTING)
        .slice(1)
        .map(quoted)
        .join(' ')}\n`,
      {
        mode: 0o755,
      },
    );
  };
  const quoted = (word: string): string => `'${word}'`;
  const point = (world: World, name: string): void => {
    symlinkSync(name, world.path('next'));
    renameSync(world.path('next'), world.path('current'));
  };

  it('is where workers run and where a relative command is looked up, anew in each generation', async () => {
    const world = newWorld();
    release(world, 'one');
    release(world, 'two');
    point(world, 'one');
    const daemon = world.run(['--chdir', 'current', '--', './worker'], { cwd: world.directory });
    expect(await workerOf(daemon, 1)).toMatchObject({
      cwd: world.path('one'),
      env: { PWD: world.path('current') },
    });
    point(world, 'two');
    expect((await world.tanist('reload')).status).toBe(0);
    expect(await workerOf(daemon, 2)).toMatchObject({
      cwd: world.path('two'),
      env: { PWD: world.path('current') },
    });
  });

  it('leaves the other paths of the command line where tanist was started', async () => {
    const world = newWorld();
    mkdirSync(world.path('app'));
    file(world, 'x.env', 'FOUND=1\n');
    const daemon = world.run(
      ['--chdir', 'app', '--env-file', 'x.env', '--listen', 'unix:web.listener', ...perl(...REPORTING)],
      { cwd: world.directory },
    );
    const { cwd, env } = await workerOf(daemon, 1);
    expect({ cwd, found: env.FOUND }).toEqual({ cwd: world.path('app'), found: '1' });
    expect((await daemon.running()).listeners).toEqual([
      { name: 'listen0', address: `unix:${world.path('web.listener')}` },
    ]);
  });

  it.each([
    ['does not exist', (_: World) => undefined],
    ['is not a directory', (world: World) => file(world, 'app', '')],
  ])('that %s starts nothing', async (problem, prepare) => {
    const world = newWorld();
    prepare(world);
    const result = await world.tanist('run', '--chdir', world.path('app'), ...perl(...GOOD));
    expect(result.status).toBe(2);
    expect(result.stderr).toBe(
      `error TANIST_WORKING_DIRECTORY: the working directory ${world.path('app')} ${problem}\nhint: Make the directory, or name another with --chdir.\n`,
    );
  });

  it('that is gone at a reload refuses it, spawn-failed, and the old generation goes on', async () => {
    const world = newWorld();
    mkdirSync(world.path('app'));
    const daemon = world.run(['--chdir', world.path('app'), ...perl(...REPORTING)]);
    const before = await daemon.running();
    rmSync(world.path('app'), { recursive: true });
    const result = await world.tanist('reload');
    expect(result.status).toBe(4);
    expect(result.stdout).toContain(
      `refused (spawn-failed): the working directory ${world.path('app')} does not exist`,
    );
    expect(await daemon.running()).toMatchObject({ generation: 1, pid: before.pid });
  });
});

describe('--umask', () => {
  const MAKING = 'umask && : > made && exec sleep 1000';
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it.each([
    ['000', '0000', '666', []],
    ['027', '0027', '640', ['--listen', '127.0.0.1:0']],
    ['0777', '0777', '0', []],
  ])("%s is the workers' mask, and not that of tanist's own files", async (mask, told, made, options) => {
    const world = newWorld();
    mkdirSync(world.path('app'));
    const start = ['--name', 'x', '--umask', mask, '--chdir', world.path('app'), '--ready', 'alive=1ms'];
    const daemon = world.run([...start, ...options, '--', 'sh', '-c', MAKING]);
    for (const generation of [1, 2]) {
      if (generation === 2) expect((await world.tanist('reload')).status).toBe(0);
      await daemon.settled(generation);
      // A program without the protocol is ready before it has done anything.
      await until('the file that a worker makes', () => existsSync(join(world.path('app'), 'made')));
      expect(daemon.stdout()).toBe(`${told}\n`.repeat(generation));
      expect(modeOf(join(world.path('app'), 'made'))).toBe(made);
      expect(modeOf(world.path('x.pid'))).toBe('644');
      expect(modeOf(world.path('x.sock'))).toBe('600');
      rmSync(join(world.path('app'), 'made'));
    }
  });

  it('without it workers have the mask that tanist was started with', async () => {
    const world = newWorld();
    const daemon = world.run(['--ready', 'alive=1ms', '--', 'sh', '-c', 'umask && exec sleep 1000']);
    await until('the mask', () => daemon.stdout().endsWith('\n'));
    expect(daemon.stdout()).toBe(`0${process.umask().toString(8).padStart(3, '0')}\n`);
  });
});
