import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { newDaemons, TICKER } from './daemons.js';
import { ended, exists, workerPid } from './generations.js';
import { fixture, root, until } from './harness.js';

describe('the ticker', () => {
  it('ticks, is reloaded in exclusive mode, and stops: tanist status, reload and stop find it by its name', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--every', '20ms', '--word', 'tock'], { script: TICKER });
    await daemon.running();
    await until('a third tick', () => daemon.stdout().includes('tock 3 of generation 1\n'));
    const status = await world.tanist('status', '--name', 'ticker');
    expect([status.status, status.stdout]).toEqual([
      0,
      expect.stringMatching(/^ticker: running, generation 1, pid /),
    ]);
    const reload = await world.tanist('reload', '--name', 'ticker');
    expect([reload.status, reload.stdout]).toEqual([
      0,
      expect.stringMatching(/^promoted: generation 2 serves/),
    ]);
    await until('a tick of the second', () => daemon.stdout().includes('tock 1 of generation 2\n'));
    await daemon.settled(2);
    const stop = await world.tanist('stop', '--name', 'ticker');
    expect(stop.status).toBe(0);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    await world.empty();
    // No tick of the first after its end, and none of the second before it.
    const said = daemon.stdout().split('\n').slice(0, -1);
    const kinds = said.map((line) => line.replace(/ \d+ of/, ' of'));
    expect(kinds.filter((line, index) => line !== kinds[index - 1])).toEqual([
      'tock of generation 1',
      'generation 1 ends',
      'tock of generation 2',
      'generation 2 ends',
    ]);
  });

  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  it.skipIf(major < 22 || (major === 22 && minor < 18))(
    'is the same in TypeScript, where Node runs it',
    async () => {
      const world = newDaemons();
      const daemon = world.launch(['--every', '20ms'], { script: TICKER.replace('.mjs', '.ts') });
      await daemon.running();
      expect((await world.tanist('reload', '--name', 'ticker')).status).toBe(0);
      await until('a tick of the second', () => daemon.stdout().includes('tick 1 of generation 2\n'));
    },
  );

  it('is started again when its worker is killed', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--every=20ms'], { script: TICKER });
    const before = workerPid(await daemon.running());
    process.kill(before, 'SIGKILL');
    await daemon.line('worker.exited', ({ pid }) => pid === before);
    const after = await daemon.status('another worker', ({ state, workers }) => {
      return state === 'running' && workers[0]?.pid !== before;
    });
    expect(after.workers[0]).toMatchObject({ respawns: 1, generation: 1, lastExit: { signal: 'SIGKILL' } });
  });
});

describe('a command line', () => {
  test('S2: a bad one is answered on standard error with every mistake and the way to the help, status 2', async () => {
    const world = newDaemons();
    const result = await world.ended(['--every', '5', '--workers=none', '--txt', 'x', '--pid-file']);
    expect([result.status, result.stdout]).toEqual([2, '']);
    expect(result.stderr.split('\n')).toEqual([
      'error TANIST_USAGE: 4 mistakes',
      '  unknown option --txt: did you mean --text?',
      '  --pid-file needs a value, but the line ends',
      expect.stringContaining('--every "5": expected'),
      expect.stringContaining('--workers "none": expected'),
      `hint: Run "${fixture('daemon.mjs')} --help" for all options.`,
      '',
    ]);
    expect(world.remains()).toEqual([]);
  });

  test('S2: the help is an answer, on standard output, status 0', async () => {
    const world = newDaemons();
    const result = await world.ended(['--every', '1s', '--help']);
    expect([result.status, result.stderr]).toEqual([0, '']);
    expect(result.stdout).toMatch(/^Usage: daemon\.mjs \[options\]\n\nDoes as it is told\.\n/);
  });

  test.each([52, 70, 90])('S3: the help is wrapped to a terminal of %i columns', async (columns) => {
    const result = await newDaemons().ended(['--help'], { env: { COLUMNS: String(columns) } });
    const longest = Math.max(...result.stdout.split('\n').map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(columns);
    expect(longest).toBeGreaterThan(columns - 12);
  });

  test('S5: the workers and every generation get the original arguments, and what the path means now', async () => {
    const world = newDaemons();
    const [one, two, current] = ['release one', 'release "two"', 'the current'].map((name) =>
      world.path(name),
    );
    for (const release of [one, two]) {
      mkdirSync(release as string);
      mkdirSync(join(release as string, 'node_modules'));
      symlinkSync(root, join(release as string, 'node_modules/tanist'));
      writeFileSync(join(release as string, 'dä mon.mjs'), readFileSync(fixture('daemon.mjs')));
    }
    symlinkSync(one as string, current as string);
    const text = `it's "q" $HOME \\ \n ü`;
    const script = join(current as string, 'dä mon.mjs');
    const daemon = world.launch(['--text', text, '--every=2s', '--name', 'service'], {
      script,
      nodeArgs: ['--stack-trace-limit=7'],
    });
    await daemon.running();
    const first = await world.takes('started');
    expect(first.options).toEqual({ every: 2_000, text });
    expect(first.argv).toEqual([
      join(one as string, 'dä mon.mjs'),
      '--text',
      text,
      '--every=2s',
      '--name',
      'service',
    ]);
    renameSync(current as string, `${current}.old`);
    symlinkSync(two as string, `${current}.new`);
    renameSync(`${current}.new`, current as string);
    // Within a generation nothing changes.
    process.kill(first.pid, 'SIGKILL');
    expect((await world.takes('started', 2)).argv).toEqual(first.argv);
    await daemon.running();
    expect((await world.reload()).verdict.outcome).toBe('promoted');
    const third = await world.takes('started', 3);
    expect(third).toMatchObject({ generation: 2, options: first.options });
    expect(third.argv).toEqual([join(two as string, 'dä mon.mjs'), ...(first.argv ?? []).slice(1)]);
    expect(readFileSync(`/proc/${third.pid}/cmdline`, 'utf8').split('\0')[1]).toBe('--stack-trace-limit=7');
  });

  test('S6: a start that fails says why, and the status is the truth', async () => {
    const world = newDaemons();
    const first = world.launch(['--listen', 'unix:taken'], { cwd: world.directory });
    await first.running();
    const taken = await world.ended(['--name', 'other', '--listen', `unix:${world.path('taken')}`]);
    expect([taken.status, taken.stderr]).toEqual([
      1,
      expect.stringMatching(/^error TANIST_LISTEN_IN_USE: /m),
    ]);
    writeFileSync(world.path('file'), '');
    const nowhere = await world.ended(['--run-dir', world.path('file/deep')]);
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringMatching(/^error TANIST_RUN_DIR: /m)]);
    expect(world.taken('started')).toHaveLength(1);
  });

  test('S14: the same start again is a reload with its verdict; another one is refused with the difference', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--text', 'x y']);
    await daemon.running();
    const again = await world.ended(['--text', 'x y']);
    expect([again.status, again.stdout]).toEqual([
      0,
      expect.stringMatching(/^promoted: generation 2 serves/),
    ]);
    await daemon.settled(2);
    const more = await world.ended(['--text', 'x y', '--workers', '2']);
    expect([more.status, more.stderr]).toEqual([
      5,
      expect.stringMatching(/^error TANIST_LOCK_HELD: .*; it runs .*x y/m),
    ]);
    const defined = await world.ended(['--text', 'x y'], { plan: { define: { workers: 2 } } });
    // What the program brings along is read by the new version for both: a reload is what it takes.
    expect([defined.status, defined.stderr]).toEqual([0, expect.stringContaining('runs already')]);
    const byTanist = await world.tanist('run', '--name', 'daemon', '--', 'sleep', '1000');
    expect([byTanist.status, byTanist.stderr]).toEqual([
      5,
      expect.stringContaining('in another way than this'),
    ]);
  });

  test('S15: where no reload is allowed, the same start again is refused with that reason', async () => {
    const world = newDaemons();
    const plan = { define: { canDoHotReload: false } };
    const daemon = world.launch([], { plan });
    const status = await daemon.running();
    const again = await world.ended([], { plan });
    expect([again.status, again.stderr]).toEqual([5, expect.stringContaining('; it allows no reload\n')]);
    expect(workerPid(await daemon.running())).toBe(workerPid(status));
  });

  test('S10: --no-warn silences warnings, and no errors', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--no-warn']);
    const before = workerPid(await daemon.running());
    process.kill(before, 'SIGKILL');
    await daemon.status(
      'another worker',
      ({ workers }) => workers[0]?.state === 'ready' && workers[0].pid !== before,
    );
    expect(daemon.stderr()).toBe('');
    const failed = await world.ended(['--no-warn', '--run-dir', '/dev/null/x']);
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringContaining('TANIST_RUN_DIR')]);
  });
});

describe('a reload of a daemon', () => {
  test('S41: the old worker has exited before readyToTakeOver returns in the new one', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--name', 'service']);
    for (let generation = 1; generation <= 3; generation += 1) {
      await daemon.settled(generation);
      if (generation < 3) expect((await world.reload()).verdict.outcome).toBe('promoted');
    }
    expect(world.together()).toEqual([]);
    const order = world.taken().map(({ step, generation }) => `${step} ${generation}`);
    for (const generation of [1, 2])
      expect(order.indexOf(`left ${generation}`)).toBeLessThan(order.indexOf(`serving ${generation + 1}`));
  });

  test('a new version that fails is refused, and the same worker goes on', async () => {
    const world = newDaemons();
    const plan = world.planFile({});
    const daemon = world.launch(['--name', 'service', '--text', 'x'], { env: { PLAN: plan } });
    const pid = workerPid(await daemon.running());
    world.planFile({ boot: 'throw' });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'refused', reason: 'worker-exited' });
    // What was right for the old version is a mistake in the new one.
    world.planFile({ define: { options: {} } });
    const wrong = (await world.reload()).verdict;
    expect(wrong).toMatchObject({ outcome: 'refused', reason: 'config-invalid' });
    expect(wrong.detail).toContain('unknown option --text');
    world.planFile({ define: { workers: -1 } });
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'refused', reason: 'exited' });
    expect(workerPid(await daemon.running())).toBe(pid);
  });

  test('S31: is refused with a warning and a verdict where canDoHotReload is false', async () => {
    const world = newDaemons();
    const daemon = world.launch(['--name', 'service'], { plan: { define: { canDoHotReload: false } } });
    const status = await daemon.running();
    for (const [signal, event] of [
      ['SIGUSR2', 'reload.requested'],
      ['SIGHUP', 'hangup.received'],
    ] as const) {
      process.kill(daemon.pid, signal);
      const line = await daemon.line(event);
      expect([line.level, line.msg]).toEqual([
        'warn',
        `reload asked for by ${signal} is refused: this daemon allows none`,
      ]);
    }
    const asked = await world.tanist('reload', '--json');
    expect(asked.status).toBe(4);
    expect(JSON.parse(asked.stdout)).toMatchObject({
      outcome: 'refused',
      reason: 'not-reloadable',
      generation: 1,
    });
    const after = await daemon.running();
    expect([after.pid, workerPid(after), after.generation]).toEqual([daemon.pid, workerPid(status), 1]);
    expect(world.processes()).toHaveLength(2);
  });
});

describe('a program with a supervisor of its own', () => {
  it('loads tanist, and ends by itself when the supervisor has ended', async () => {
    const world = newDaemons();
    const daemon = world.launch(['{"name":"embedded"}'], { script: fixture('embedded.mjs') });
    const pid = workerPid(await daemon.running());
    const stop = await world.tanist('stop', '--name', 'embedded');
    expect(stop.status).toBe(0);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(daemon.stdout()).toBe('embedded\nthe end: orderly\n');
    expect(exists(pid)).toBe(false);
    await ended(daemon.pid);
  });

  it('gets every mistake as one TanistError', async () => {
    const result = await newDaemons().ended(['{"workers":0,"drainTimeout":"1s"}'], {
      script: fixture('embedded.mjs'),
    });
    expect(result.stdout).toBe('true TANIST_USAGE\n');
  });
});
