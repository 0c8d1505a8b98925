import { existsSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, get, tanistScript, until } from './harness.js';
import { GOOD, newWorld, perl, type Report, reported, runOddly, said } from './workers.js';

const THEIRS = /^(TANIST_(?!TEST$|RUN_DIR$|JOURNAL$)|LISTEN_|SERVER_STARTER_)/;

/** Variables that tanist gave, of all a worker has. */
const given = ({ env }: Report) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => THEIRS.test(name)));

/** The descriptors above the standard streams, each in a word. */
const descriptors = ({ fds }: Report) =>
  Object.fromEntries(
    Object.entries(fds)
      .filter(([fd]) => Number(fd) > 2)
      .map(([fd, { link, listening, family, blocking }]) => [
        fd,
        listening === undefined
          ? link
          : listening === 1
            ? `${blocking ? '' : 'non-blocking '}${family} listener`
            : `${family} stream`,
      ]),
  );

const REPORTING = ['report', 'say takeover', 'rest'] as const;

describe('what a worker gets', () => {
  it('has its listeners from 3 on, then its channel and the life pipe, and nothing else', async () => {
    const world = newWorld();
    const unix = world.path('listener');
    const listen = ['--listen', 'web=127.0.0.1:0', '--listen', '[::1]:0', '--listen', `admin=unix:${unix}`];
    const daemon = world.run([
      ...listen,
      '--ping-timeout',
      '3s',
      '--drain-timeout',
      '7s',
      '--stop-signal',
      'SIGINT',
      ...perl(...REPORTING),
    ]);
    const { listeners, pid } = await daemon.running();
    const report = await reported(daemon);
    expect(descriptors(report)).toEqual({
      3: 'inet listener',
      4: 'inet listener',
      5: 'unix listener',
      6: 'unix stream',
      7: 'unix stream',
    });
    expect(report.fds[0]?.link).toBe('/dev/null');
    const [v4 = '', v6 = ''] = listeners.map(({ address }) => address);
    expect(given(report)).toEqual({
      TANIST_CHANNEL_FD: '6',
      TANIST_GENERATION: '1',
      TANIST_SLOT: '1',
      TANIST_SUPERVISOR_PID: String(pid),
      TANIST_PING_TIMEOUT_MS: '3000',
      TANIST_DRAIN_TIMEOUT_MS: '7000',
      TANIST_STOP_SIGNAL: 'SIGINT',
      LISTEN_FDS: '3',
      LISTEN_FDNAMES: 'web:listen1:admin',
      LISTEN_PID: String(report.pid),
      SERVER_STARTER_PORT: `${v4}=3;${v6}=4;${unix}=5`,
      SERVER_STARTER_GENERATION: '1',
    });
    expect(report.ppid).toBe(pid);
    expect(daemon.stdout()).toMatch(new RegExp(`^${report.pid} report`));
  });

  it('without listeners has a channel at 3, the life pipe and the shared lock, and no word of listeners', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...REPORTING), {
      env: { LISTEN_FDS: '9', LISTEN_PID: '1', SERVER_STARTER_PORT: '80=3' },
    });
    await daemon.running();
    const report = await reported(daemon);
    expect(descriptors(report)).toEqual({
      3: 'unix stream',
      4: 'unix stream',
      5: world.path('perl.workers'),
    });
    expect(Object.keys(given(report)).sort()).toEqual([
      'TANIST_CHANNEL_FD',
      'TANIST_DRAIN_TIMEOUT_MS',
      'TANIST_GENERATION',
      'TANIST_PING_TIMEOUT_MS',
      'TANIST_SLOT',
      'TANIST_STOP_SIGNAL',
      'TANIST_SUPERVISOR_PID',
    ]);
    expect(given(report)).toMatchObject({
      TANIST_CHANNEL_FD: '3',
      TANIST_DRAIN_TIMEOUT_MS: '30000',
      TANIST_PING_TIMEOUT_MS: '5000',
    });
  });

  it('with --ready http has a probe socket of its own after the channel', async () => {
    const world = newWorld();
    const healthy = world.path('healthy');
    writeFileSync(healthy, '');
    const worker = perl('report', 'say takeover', `probed ${healthy}`, 'rest');
    const daemon = world.run(['--listen', '127.0.0.1:0', '--ready', 'http=/', '--workers', '2', ...worker]);
    const { workers } = await daemon.running();
    for (const [index, { pid }] of workers.entries()) {
      const report = await reported(daemon, pid ?? 0);
      expect(descriptors(report)).toEqual({
        3: 'inet listener',
        4: 'unix stream',
        5: 'unix listener',
        6: 'unix stream',
      });
      expect(given(report)).toMatchObject({
        TANIST_PROBE_FD: '5',
        TANIST_CHANNEL_FD: '4',
        TANIST_SLOT: String(index + 1),
      });
    }
  });

  it('S9: in a later generation is the same: nothing of the hand-over reaches it', async () => {
    const world = newWorld();
    const daemon = world.run(['--listen', '127.0.0.1:0', ...perl(...REPORTING)]);
    const before = await reported(await daemon.running().then(() => daemon));
    expect((await world.tanist('reload')).status).toBe(0);
    const { workers } = await daemon.settled(2);
    const after = await reported(daemon, workers[0]?.pid ?? 0);
    expect(descriptors(after)).toEqual(descriptors(before));
    expect(Object.keys(after.env).sort()).toEqual(Object.keys(before.env).sort());
    expect(given(after)).toMatchObject({
      TANIST_GENERATION: '2',
      SERVER_STARTER_GENERATION: '2',
      LISTEN_PID: String(after.pid),
    });
  });

  it('is a leader of its own group, in the start directory as it is, with the environment of the start', async () => {
    const world = newWorld();
    mkdirSync(world.path('release-1'));
    symlinkSync('release-1', world.path('current'));
    const daemon = world.run(perl(...REPORTING), { cwd: world.path('current'), env: { 'ODD NAME': 'ö\n=' } });
    await daemon.running();
    const report = await reported(daemon);
    expect([report.pgrp, report.session]).toEqual([report.pid, report.pid]);
    expect(report.cwd).toBe(world.path('release-1'));
    expect(report.env['ODD NAME']).toBe('ö\n=');
  });

  it('has none of the descriptors that whoever started the supervisor left open', async () => {
    const world = newWorld();
    const launcher = ['sh', '-c', 'exec 3</dev/null 7</dev/null 9</dev/zero; exec "$@"', 'sh'];
    const high = [
      'python3',
      '-c',
      'import os,sys; os.dup2(0, 251); os.set_inheritable(251, True); os.execvp(sys.argv[1], sys.argv[1:])',
    ];
    const daemon = runOddly(world, ['--listen', '127.0.0.1:0', ...perl(...REPORTING)], {
      launcher: [...launcher, ...high],
    });
    await daemon.running();
    expect(descriptors(await reported(daemon))).toEqual({
      3: 'inet listener',
      4: 'unix stream',
      5: 'unix stream',
    });
    expect((await world.tanist('reload')).status).toBe(0);
    const { workers } = await daemon.settled(2);
    const second = await reported(daemon, workers[0]?.pid ?? 0);
    expect(descriptors(second)).toEqual({ 3: 'inet listener', 4: 'unix stream', 5: 'unix stream' });
  });

  it('X23: starts with default signal dispositions, whatever the supervisor was started with', async () => {
    const world = newWorld();
    // A shell can only ignore signals; that is what nohup and careless scripts leave behind.
    const launcher = ['sh', '-c', 'trap "" HUP INT QUIT TERM PIPE USR1 USR2 CHLD; exec "$@"', 'sh'];
    const sh = ['--ready', 'alive=50ms', '--', 'sh', '-c', 'grep ^Sig /proc/self/status; exec sleep 1000'];
    const daemon = runOddly(world, ['--listen', '127.0.0.1:0', ...sh], { launcher });
    await daemon.running();
    const masks = Object.fromEntries(
      daemon
        .stdout()
        .split('\n')
        .map((line) => line.split(':\t')),
    );
    expect(masks).toMatchObject({ SigBlk: '0000000000000000', SigIgn: '0000000000000000' });
  });
});

describe('signals to the supervisor', () => {
  it('X23: SIGHUP reloads, and SIGPIPE does nothing', async () => {
    const world = newWorld();
    const daemon = world.run(['--listen', '127.0.0.1:0', ...perl(...GOOD)]);
    await daemon.running();
    process.kill(daemon.pid, 'SIGPIPE');
    process.kill(daemon.pid, 'SIGHUP');
    expect((await daemon.settled(2)).lastReload).toMatchObject({ outcome: 'promoted' });
    expect((await daemon.line('hangup.received')).msg).toBe('reload asked for by SIGHUP');
  });

  it('X23: SIGHUP stops if standard input was a terminal at the first start, in later generations too', async () => {
    const world = newWorld();
    const terminal = ['python3', fixture('terminal.py')];
    const daemon = runOddly(world, ['--listen', '127.0.0.1:0', ...perl(...GOOD)], { launcher: terminal });
    const first = await daemon.running();
    expect((await world.tanist('reload')).status).toBe(0);
    const second = await daemon.settled(2);
    expect(second.pid).not.toBe(first.pid);
    process.kill(second.pid, 'SIGHUP');
    expect((await daemon.line('hangup.received')).msg).toBe('stop asked for by SIGHUP');
    // Only the terminal is left.
    await until('the end', () => world.processes().every((pid) => pid === daemon.pid));
    expect(existsSync(world.path('perl.pid'))).toBe(false);
  });
});

describe('a daemon that a worker starts', () => {
  it('X15: is a first generation of its own, and takes its own lock', async () => {
    const world = newWorld();
    const inner = `"${process.execPath}" "${tanistScript}" run --name inner --listen 127.0.0.1:0 -- perl "${fixture('steps.pl')}" report 'say takeover' rest`;
    const daemon = world.run([
      '--name',
      'outer',
      '--listen',
      '127.0.0.1:0',
      ...perl('say takeover', 'hear', `shell ${inner}`, 'exit 0'),
    ]);
    const report = await reported(daemon);
    expect(report.env.TANIST_SUPERVISOR_PID).not.toBe(String(daemon.pid));
    expect(given(report)).toMatchObject({
      TANIST_GENERATION: '1',
      TANIST_CHANNEL_FD: '4',
      LISTEN_FDNAMES: 'listen0',
    });
    expect(descriptors(report)).toEqual({ 3: 'inet listener', 4: 'unix stream', 5: 'unix stream' });
    const innerStatus = JSON.parse((await world.tanist('status', '--name', 'inner', '--json')).stdout);
    expect(innerStatus).toMatchObject({ name: 'inner', generation: 1, state: 'running' });
    expect(innerStatus.pid).not.toBe(daemon.pid);
    // Its reload and its stop concern it alone.
    expect((await world.tanist('reload', '--name', 'inner')).status).toBe(0);
    expect((await world.tanist('stop', '--name', 'inner')).status).toBe(0);
    const outer = JSON.parse((await world.tanist('status', '--name', 'outer', '--json')).stdout);
    expect(outer).toMatchObject({ pid: daemon.pid, generation: 1 });
  });

  it('X15: of the same name is refused, and the outer one goes on', async () => {
    const world = newWorld();
    const inner = `"${process.execPath}" "${tanistScript}" run --name outer -- sleep 1000`;
    const daemon = world.run(['--name', 'outer', ...perl('say takeover', 'hear', `shell ${inner}`, 'rest')]);
    await said(daemon, 'shell 5');
    const status = await daemon.running();
    expect(status).toMatchObject({ pid: daemon.pid, generation: 1 });
    expect(status.workers[0]?.respawns).toBe(0);
  });

  it('X9, X15: is not taken for a successor when somebody invents a hand-over', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...REPORTING), {
      env: { TANIST_HANDOVER_FD: '0', TANIST_GENERATION: '41' },
    });
    expect(await daemon.running()).toMatchObject({ generation: 1 });
    expect((await reported(daemon)).env.TANIST_HANDOVER_FD).toBeUndefined();
  });
});

describe('the command', () => {
  // No backslash: Node runs no module of such a name.
  const odd = 'it’s a "quoted"  näme\nwith $(two) lines; `x` * &';

  it('X2: spaces, quotes, newlines and non-ASCII in path and arguments arrive unchanged, after a reload too', async () => {
    const world = newWorld();
    const directory = world.path(odd);
    mkdirSync(directory);
    const script = `${directory}/${odd}.mjs`;
    writeFileSync(script, `await import(${JSON.stringify(fixture('arguments.mjs'))});`);
    const args = [odd, '', '--', '-x', ' leading', 'trailing\n', '$HOME', '%s\\n', 'a\\'];
    const daemon = world.run(['--name', 'odd', '--listen', '127.0.0.1:0', script, ...args], {
      cwd: directory,
    });
    const { workers } = await daemon.running();
    expect((await world.tanist('reload', '--name', 'odd')).stdout).toMatch(/promoted/);
    const second = await daemon.settled(2);
    for (const pid of [workers[0]?.pid, second.workers[0]?.pid]) {
      const words =
        daemon
          .stdout()
          .split('\n')
          .find((line) => line.startsWith(`${pid} `)) ?? '';
      expect(JSON.parse(words.slice(words.indexOf(' ')))).toEqual({ script, args, cwd: directory });
    }
  });

  it('that is a program of such a name is found and run without a shell', async () => {
    const world = newWorld();
    const program = world.path('a "program" ö');
    writeFileSync(program, `#!/bin/sh\nexec perl '${fixture('steps.pl')}' "$@"\n`, { mode: 0o755 });
    const daemon = world.run([
      '--name',
      'odd',
      '--listen',
      '127.0.0.1:0',
      program,
      'report',
      'say takeover',
      'rest',
      odd,
    ]);
    await daemon.running();
    const report = await reported(daemon);
    expect(report.args).toEqual(['report', 'say takeover', 'rest', odd]);
  });

  it('X2: in a release directory that is a symlink is resolved anew by a reload, not by a respawn', async () => {
    const world = newWorld();
    for (const release of ['release-1', 'release-2']) {
      mkdirSync(world.path(release));
      writeFileSync(
        world.path(`${release}/app.mjs`),
        `const release = ${JSON.stringify(release)};\nawait import(${JSON.stringify(fixture('library.mjs'))});\nconsole.log(process.pid + ' ' + release + ' in ' + process.cwd());\n`,
      );
    }
    symlinkSync('release-1', world.path('current'));
    const daemon = world.run(
      ['--name', 'app', '--respawn-delay', '50ms', '--listen', '127.0.0.1:0', 'app.mjs'],
      { cwd: world.path('current') },
    );
    const { workers, listeners } = await daemon.running();
    await said(daemon, `release-1 in ${world.path('release-1')}`);
    unlinkSync(world.path('current'));
    symlinkSync('release-2', world.path('current'));
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await said(daemon, `release-1 in ${world.path('release-1')}`, 2);
    await daemon.status(
      'the respawn',
      (status) => status.state === 'running' && status.workers[0]?.respawns === 1,
    );
    expect((await world.tanist('reload')).status).toBe(0);
    await said(daemon, `release-2 in ${world.path('release-2')}`);
    expect((await get(listeners[0]?.address ?? '')).status).toBe(200);
  });
});
