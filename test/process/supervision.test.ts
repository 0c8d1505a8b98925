import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, get, isRunning, until } from './harness.js';
import {
  GOOD,
  give,
  gone,
  idleDescriptors,
  library,
  limitDescriptors,
  newWorld,
  perl,
  SERVING,
  said,
  words,
} from './workers.js';

const LISTEN = ['--listen', '127.0.0.1:0'] as const;

/** The same steps in three languages. */
const LANGUAGES = {
  JavaScript: (...steps: string[]) => ['--', fixture('steps.mjs'), ...steps],
  Perl: perl,
  Python: (...steps: string[]) => ['--', 'python3', fixture('steps.py'), ...steps],
};

describe('starting workers', () => {
  it('S22: a worker that cannot be started is tried again after the delay, and nothing leaks', async () => {
    const world = newWorld();
    const program = world.path('program');
    const steps = `#!/bin/sh\nexec perl ${fixture('steps.pl')} 'say takeover' rest\n`;
    writeFileSync(program, steps, { mode: 0o755 });
    const daemon = world.run(['--respawn', 'fixed', '--respawn-delay', '120ms', '--', program]);
    const { workers, pid } = await daemon.running();
    const descriptors = await idleDescriptors(pid);
    renameSync(program, `${program}.away`);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    const failures = await daemon.manyLines(4, 'spawn.failed');
    expect(failures[0]?.msg).toMatch(/worker 1 could not be started: .*ENOENT/);
    const times = failures.map((line) => Date.parse(String(line.time)));
    for (const [index, time] of times.slice(1).entries())
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(115);
    renameSync(`${program}.away`, program);
    const after = await daemon.running();
    expect(after.workers[0]?.pid).toBeGreaterThan(0);
    expect(await idleDescriptors(pid)).toBe(descriptors);
    expect(after.pid).toBe(pid);
  });

  it('a worker that closes its channel and lives is kept, and replaced when it dies, and nothing leaks', async () => {
    const world = newWorld();
    const closer = `
      open(my $channel, '+<&=', $ENV{TANIST_CHANNEL_FD}) or die;
      syswrite $channel, "takeover\\n";
      sysread $channel, my $ok, 3;
      close $channel;
      syswrite STDOUT, "$$ closed\\n";
      sleep 1 while getppid == $ENV{TANIST_SUPERVISOR_PID};
    `;
    const daemon = world.run(['--', 'perl', '-e', closer]);
    const first = await said(daemon, 'closed');
    const { workers, pid } = await daemon.running();
    expect(workers[0]).toMatchObject({ pid: first, respawns: 0 });
    const descriptors = await idleDescriptors(pid);
    process.kill(first, 'SIGKILL');
    const second = await said(daemon, 'closed', 2);
    expect((await daemon.running()).workers[0]).toMatchObject({ pid: second, respawns: 1 });
    expect(await idleDescriptors(pid)).toBe(descriptors);
  });

  it('S22: when the system has no descriptors left, the supervisor goes on and tries again', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--respawn',
      'fixed',
      '--respawn-delay',
      '100ms',
      ...LISTEN,
      ...perl(...SERVING),
    ]);
    const { workers, pid, listeners } = await daemon.running();
    const limit = limitDescriptors(pid, 3);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.manyLines(2, 'spawn.failed');
    const connection = get(listeners[0]?.address ?? '');
    limitDescriptors(pid, limit);
    expect((await connection).status).toBe(200);
    expect((await daemon.running()).pid).toBe(pid);
  });

  it('S23: a worker that returns ends with status 0, and is respawned', async () => {
    const world = newWorld();
    const daemon = world.run(perl('say takeover', 'hear', 'exit 0'));
    const [first, second] = await daemon.manyLines(2, 'worker.exited');
    expect(first).toMatchObject({ slot: 1, code: 0, signal: null });
    expect(second?.pid).not.toBe(first?.pid);
    const status = await daemon.status('three processes', ({ workers }) => (workers[0]?.respawns ?? 0) >= 2);
    expect(status.workers[0]?.lastExit).toMatchObject({ code: 0, signal: null });
  });
});

describe.each(Object.entries(LANGUAGES))('a worker in %s', (_, worker) => {
  it('S24: is answered pong and ok, and is killed when it says shutdown', async () => {
    const world = newWorld();
    const daemon = world.run(
      worker('say ping', 'hear', 'say takeover', 'hear', 'say ping', 'hear', 'say shutdown', 'rest'),
    );
    const { pid } = await daemon.line('worker.exited', ({ signal }) => signal === 'SIGKILL');
    expect(
      words(daemon)
        .filter((word) => word.pid === pid)
        .map(({ text }) => text),
    ).toEqual(['heard pong', 'heard ok', 'heard pong']);
    await daemon.line('worker.spawned', (line) => line.pid !== pid);
  });

  it('S24: may say what is no word of the protocol: it is logged, and the channel stays usable', async () => {
    const world = newWorld();
    const daemon = world.run(
      worker('say hello wörld', 'say Ping', 'say ', 'say takeover', 'hear', 'say ping', 'hear', 'rest'),
    );
    await said(daemon, 'heard pong');
    const rejected = await daemon.manyLines(3, 'line.rejected');
    expect(rejected.map(({ excerpt }) => excerpt)).toEqual(['hello wörld', 'Ping', '']);
    expect(rejected[0]).toMatchObject({ level: 'warn', slot: 1 });
    expect((await daemon.running()).workers[0]?.respawns).toBe(0);
  });

  it('S25: hears the end of its channel when its supervisor is killed, and leaves', async () => {
    const world = newWorld();
    const daemon = world.run(worker(...GOOD));
    const { pid } = await daemon.running();
    process.kill(pid, 'SIGKILL');
    await said(daemon, 'end of channel');
    await world.empty();
  });

  it('S40: a repeated takeover is answered at once', async () => {
    const world = newWorld();
    const daemon = world.run(
      worker('say takeover', 'hear', 'say takeover', 'hear', 'say takeover', 'hear', 'say ping', 'rest'),
    );
    await said(daemon, 'heard pong');
    expect(words(daemon).map(({ text }) => text)).toEqual(['heard ok', 'heard ok', 'heard ok', 'heard pong']);
    expect((await daemon.running()).workers[0]?.respawns).toBe(0);
  });
});

it('S40: the takeover of a respawned worker is answered at once, also after a reload', async () => {
  const world = newWorld();
  const daemon = world.run([...LISTEN, '--respawn-delay', '100ms', ...perl(...SERVING)]);
  await daemon.running();
  expect((await world.tanist('reload')).status).toBe(0);
  const { workers } = await daemon.settled(2);
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  const { workers: replaced } = await daemon.status(
    'another worker',
    (status) => status.workers[0]?.respawns === 1 && status.state === 'running',
  );
  expect(await said(daemon, 'heard ok', 3)).toBe(replaced[0]?.pid);
});

it('S24: what a worker says of itself is shown in the status until it says something else', async () => {
  const world = newWorld();
  const file = world.path('go');
  const daemon = world.run(
    perl('say takeover', 'say status 3 of 7 – ünïcode', `await ${file}`, 'say status', 'rest'),
  );
  await daemon.status('the text', ({ workers }) => workers[0]?.status === '3 of 7 – ünïcode');
  give(file);
  await daemon.status('nothing', ({ workers }) => workers[0]?.status === '');
});

describe('tanist/worker', () => {
  it('S25: a worker that pings notices a supervisor that hangs, leaves, and is respawned when it wakes', async () => {
    const world = newWorld();
    const daemon = world.run(['--ping-timeout', '300ms', ...library()], {
      env: { SERVE: 'no', PING_EVERY_MS: '50' },
    });
    const { pid, workers } = await daemon.running();
    process.kill(pid, 'SIGSTOP');
    const left = await said(daemon, 'leaving: TANIST_SUPERVISOR_GONE');
    expect(left).toBe(workers[0]?.pid);
    await said(daemon, 'hook');
    process.kill(pid, 'SIGCONT');
    await daemon.line('worker.exited', (line) => line.pid === left);
    expect(
      (
        await daemon.status(
          'a respawn',
          (status) => status.state === 'running' && status.workers[0]?.respawns === 1,
        )
      ).pid,
    ).toBe(pid);
  });

  it('S26: readyToTakeOver waits for ok, and fails when the supervisor ends before', async () => {
    const world = newWorld();
    const daemon = world.run(['--ready', 'http=/health', ...LISTEN, ...library()], {
      env: { HEALTHY_FILE: world.path('healthy') },
    });
    // Asked only once it has said takeover.
    await said(daemon, 'answers 500 to /health');
    process.kill(daemon.pid, 'SIGKILL');
    await said(daemon, 'leaving: TANIST_SUPERVISOR_GONE');
    await world.empty();
    expect(daemon.stdout()).not.toMatch('serving');
  });

  it('S26: the error of readyToTakeOver says that the supervisor is gone', async () => {
    const world = newWorld();
    const daemon = world.run(['--ready', 'http=/health', ...library()], {
      env: { HEALTHY_FILE: world.path('healthy'), SERVE: 'no', HOOK_FILE: world.path('leave') },
    });
    await daemon.line('worker.spawned');
    await said(daemon, 'started');
    process.kill(daemon.pid, 'SIGKILL');
    await said(daemon, 'takeover: TANIST_SUPERVISOR_GONE');
    give(world.path('leave'));
    await world.empty();
  });

  it('S28: SIGTERM on the worker runs its hook once, it exits 0, and is respawned', async () => {
    const world = newWorld();
    const hook = world.path('hook');
    const daemon = world.run(library(), { env: { SERVE: 'no', HOOK_FILE: hook } });
    const { workers } = await daemon.running();
    const pid = workers[0]?.pid ?? 0;
    for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT'] as const) {
      process.kill(pid, signal);
      await said(daemon, 'hook');
    }
    give(hook);
    expect(await daemon.line('worker.exited')).toMatchObject({ pid, code: 0, signal: null });
    expect(words(daemon).filter((word) => word.pid === pid && word.text === 'hook')).toHaveLength(1);
    await daemon.status(
      'a respawn',
      (status) => status.state === 'running' && status.workers[0]?.respawns === 1,
    );
  });

  it('X14: SIGUSR2 leaves a worker alone, also when the whole process group of the supervisor gets it', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, ...library()]);
    const { workers, listeners } = await daemon.running();
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGUSR2');
    expect((await get(listeners[0]?.address ?? '')).body).toBe(`${pid} at /`);
    process.kill(-daemon.pid, 'SIGUSR2');
    await daemon.settled(2);
    // The reload's own way: it was asked to leave, and left.
    expect(await daemon.line('worker.exited', (line) => line.pid === pid)).toMatchObject({
      code: 0,
      signal: null,
    });
    expect(daemon.lines().filter(({ event }) => event === 'reload.requested')).toHaveLength(1);
  });
});

it('X14: a worker that handles no signal is in a process group of its own', async () => {
  const world = newWorld();
  const daemon = world.run([...LISTEN, '--drain-timeout', '5s', ...perl(...SERVING)]);
  const { workers } = await daemon.running();
  process.kill(-daemon.pid, 'SIGUSR2');
  await daemon.settled(2);
  expect(await daemon.line('worker.exited', (line) => line.pid === workers[0]?.pid)).toMatchObject({
    signal: 'SIGTERM',
  });
});

describe('respawning', () => {
  it('S27: a death is a warning with pid and status, and fixed always waits the same', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn', 'fixed', '--respawn-delay', '150ms', ...perl('exit 7')]);
    const deaths = await daemon.manyLines(3, 'worker.exited');
    expect(deaths[0]).toMatchObject({ level: 'warn', slot: 1, code: 7, signal: null });
    const delays = await daemon.manyLines(3, 'worker.delayed');
    expect(delays.slice(0, 3).map(({ delayMs }) => delayMs)).toEqual([150, 150, 150]);
    const starts = (await daemon.manyLines(3, 'worker.spawned')).map(({ time }) => Date.parse(String(time)));
    const ends = deaths.map(({ time }) => Date.parse(String(time)));
    expect((starts[1] ?? 0) - (ends[0] ?? 0)).toBeGreaterThanOrEqual(148);
    expect((starts[2] ?? 0) - (ends[1] ?? 0)).toBeGreaterThanOrEqual(148);
  });

  it('S27, X18: adaptive doubles the wait after each young death, up to the delay', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn-delay', '350ms', ...perl('exit 7')]);
    const delays = await daemon.manyLines(5, 'worker.delayed');
    expect(delays.slice(0, 5).map(({ delayMs }) => delayMs)).toEqual([100, 200, 350, 350, 350]);
    expect(delays.slice(0, 5).map(({ youngDeaths }) => youngDeaths)).toEqual([1, 2, 3, 4, 5]);
  });

  it('S27: adaptive replaces a worker that has been ready for the delay at once', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn-delay', '250ms', ...perl(...GOOD)]);
    const ready = await daemon.line('worker.ready');
    await until('the age', () => Date.now() - Date.parse(String(ready.time)) > 260);
    process.kill(ready.pid ?? 0, 'SIGKILL');
    const [exited, spawned] = [
      await daemon.line('worker.exited'),
      (await daemon.manyLines(2, 'worker.spawned'))[1],
    ];
    expect(Date.parse(String(spawned?.time)) - Date.parse(String(exited.time))).toBeLessThan(4_000);
    // A delay of nothing is no news.
    expect(daemon.lines().filter(({ event }) => event === 'worker.delayed')).toEqual([]);
  });

  it('S27: one slot that crashes does not disturb the others', async () => {
    const world = newWorld();
    const daemon = world.run(['--workers', '3', '--respawn-delay', '150ms', ...perl(...GOOD)]);
    const { workers } = await daemon.running();
    const [first, second, third] = workers.map(({ pid }) => pid ?? 0);
    process.kill(second ?? 0, 'SIGKILL');
    await daemon.line('state.changed', ({ to }) => to === 'respawning');
    const after = await daemon.status(
      'all ready',
      (status) => status.state === 'running' && status.workers[1]?.respawns === 1,
    );
    expect(after.workers.map(({ pid }) => pid)).toEqual([first, after.workers[1]?.pid, third]);
    expect(after.workers[1]?.lastExit).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('S27: more respawns than the limit end the supervisor with status 6, and nothing is left', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--respawn-limit',
      '3/1m',
      '--respawn-delay',
      '20ms',
      ...LISTEN,
      ...perl('exit 7'),
    ]);
    expect(await daemon.exit()).toEqual({ code: 6, signal: null });
    expect(daemon.lines().filter(({ event }) => event === 'worker.spawned')).toHaveLength(4);
    expect(daemon.stderr()).toMatch(/error TANIST_RESPAWN_LIMIT: more than 3 respawns within 60 s/);
    await world.empty();
    expect((await world.tanist('status')).status).toBe(3);
  });

  it('S27: the limit counts all slots together, and ends those that work', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--workers',
      '2',
      '--respawn-limit',
      '2/1m',
      '--respawn-delay',
      '20ms',
      ...perl(...GOOD),
    ]);
    for (const slot of [0, 1, 0]) {
      const { workers } = await daemon.running();
      const pid = workers[slot]?.pid ?? 0;
      process.kill(pid, 'SIGKILL');
      await daemon.line('worker.exited', (line) => line.pid === pid);
    }
    expect(await daemon.exit()).toEqual({ code: 6, signal: null });
    await world.empty();
  });

  it('X22: no signal cuts the wait before a respawn short', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn', 'fixed', '--respawn-delay', '700ms', ...perl('exit 7')]);
    const delayed = await daemon.line('worker.delayed');
    for (const signal of ['SIGCHLD', 'SIGCONT', 'SIGWINCH', 'SIGURG', 'SIGPIPE'] as const) {
      process.kill(daemon.pid, signal);
    }
    process.kill(daemon.pid, 'SIGSTOP');
    process.kill(daemon.pid, 'SIGCONT');
    const [, second] = await daemon.manyLines(2, 'worker.spawned');
    expect(Date.parse(String(second?.time)) - Date.parse(String(delayed.time))).toBeGreaterThanOrEqual(698);
    expect(daemon.lines().filter(({ event }) => event === 'worker.spawned')).toHaveLength(2);
  });
});

describe('a worker’s descendants', () => {
  it('X12: its death is noticed while a descendant holds its channel open', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn-delay', '50ms', ...perl('fork', 'say takeover', 'hear', 'exit 3')]);
    const grandchild = await said(daemon, /^grandchild of/);
    const exited = await daemon.line('worker.exited');
    expect(exited).toMatchObject({ code: 3 });
    await said(daemon, /^grandchild of/, 2);
    await gone(grandchild);
  });

  it('X8: what is left of its process group is killed when it has exited, and nobody else', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--workers',
      '2',
      '--respawn-delay',
      '50ms',
      ...perl('fork', 'escape', ...GOOD),
    ]);
    const { workers } = await daemon.running();
    const [victim, other] = workers.map(({ pid }) => pid ?? 0);
    await said(daemon, /^grandchild of/, 4);
    const grandchildren = words(daemon).filter(({ text }) => text.startsWith('grandchild of'));
    const session = (pid: number) =>
      Number(
        readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[3],
      );
    const isEscaped = ({ pid }: { pid: number }) => session(pid) === pid;
    const escaped = grandchildren.filter(isEscaped);
    const mine = grandchildren.filter((word) => !isEscaped(word) && word.text.endsWith(` ${victim}`));
    const others = grandchildren.filter((word) => !isEscaped(word) && word.text.endsWith(` ${other}`));
    expect([escaped.length, mine.length, others.length]).toEqual([2, 1, 1]);
    process.kill(victim ?? 0, 'SIGKILL');
    await daemon.line('worker.exited', ({ pid }) => pid === victim);
    await gone(mine[0]?.pid ?? 0);
    // What made a session of its own is out of reach, and the other worker's family is not concerned.
    for (const { pid } of [...escaped, ...others]) expect(isRunning(pid)).toBe(true);
    process.kill(daemon.pid, 'SIGTERM');
    expect((await daemon.exit()).code).toBe(0);
    expect(world.processes().sort()).toEqual(
      words(daemon)
        .filter(({ pid, text }) => text.startsWith('grandchild of') && isRunning(pid))
        .map(({ pid }) => pid)
        .sort(),
    );
    expect(world.processes().every((pid) => session(pid) === pid)).toBe(true);
  });
});
