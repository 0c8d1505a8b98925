import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Daemon, get, until } from './harness.js';
import { GOOD, give, newWorld, perl, residentMb, runOddly, SERVING, said, words } from './workers.js';

const LISTEN = ['--listen', '127.0.0.1:0'] as const;
/** With a journal, into which every word of a flood goes: 75 MB were measured (Node 20). */
const GROWTH_MB = 120;
/** What arrives together costs a few events, whatever it says; a busy machine may sleep for seconds itself. */
const PROMPT_MS = 5_000;

/** Asks for the status until a worker has written the text; returns the slowest answer and the largest memory. */
const watch = async (daemon: Daemon, end: RegExp): Promise<{ slowestMs: number; largestMb: number }> => {
  let [slowestMs, largestMb] = [0, 0];
  await until(`a worker that says ${end}`, async () => {
    const askedAt = performance.now();
    await until('an answer', () => daemon.statusNow());
    slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    largestMb = Math.max(largestMb, residentMb(daemon.pid));
    return words(daemon).some(({ text }) => end.test(text));
  });
  return { slowestMs, largestMb };
};

describe('a worker that floods its channel', () => {
  const READABLE = {
    'with lines of rubbish': 'flood 50 what is this supposed to mean, and who is going to read all of it?\\n',
    'with empty lines': 'flood 5 \\n',
    'with what is not UTF-8':
      'flood 5 \\xff\\xfe\\x00\\xc3\\x28 this is no text at all, however long one looks at it\\n',
    'with status texts': 'flood 50 status working\\n',
    'with takeovers': 'flood 50 takeover\\n',
  };

  it.each(Object.entries(READABLE))('%s costs no memory, stops nothing, and may go on', async (_, flood) => {
    const world = newWorld();
    const go = world.path('go');
    const daemon = world.run([
      ...LISTEN,
      ...perl('say takeover', 'hear', `await ${go}`, flood, 'say ping', 'hear pong', 'serve'),
    ]);
    const { pid, listeners } = await daemon.running();
    const beforeMb = residentMb(pid);
    give(go);
    const { slowestMs, largestMb } = await watch(daemon, /heard pong/);
    expect(largestMb - beforeMb).toBeLessThan(GROWTH_MB);
    expect(slowestMs).toBeLessThan(PROMPT_MS);
    expect((await get(listeners[0]?.address ?? '')).status).toBe(200);
    expect((await daemon.running()).workers[0]?.respawns).toBe(0);
  });

  it('with rubbish is mentioned ten times a second, with the number of those that were left out', async () => {
    const world = newWorld();
    const daemon = world.run(
      perl(
        'say takeover',
        'hear',
        'flood 2 rubbish\\n',
        'say ping',
        'hear',
        `await ${world.path('go')}`,
        'say more rubbish',
        'rest',
      ),
    );
    await said(daemon, 'heard pong');
    const during = daemon.lines().filter(({ event }) => event === 'line.rejected');
    const times = during.map(({ time }) => Date.parse(String(time)));
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
    expect(during.length).toBeLessThanOrEqual(10 * (Math.floor(seconds) + 2));
    expect(during[0]).toMatchObject({ level: 'warn', excerpt: 'rubbish', dropped: 0 });
  });

  const UNREADABLE = {
    'with pings whose answers it does not read': [
      'flood 50 ping\\n',
      /more than 65536 bytes of answers were not read/,
    ],
    'with a line that does not end': ['flood 100 xxxxxxxxxxxxxxxx', /a line is longer than 4096 bytes/],
  } as const;

  it.each(Object.entries(UNREADABLE))('%s loses it, and is replaced', async (_, [flood, why]) => {
    const world = newWorld();
    const go = world.path('go');
    const daemon = world.run([
      ...LISTEN,
      '--drain-timeout',
      '300ms',
      '--respawn-delay',
      '50ms',
      ...perl('ignore TERM', 'say takeover', 'hear', `await ${go}`, flood, 'hang'),
    ]);
    const { pid, workers } = await daemon.running();
    const beforeMb = residentMb(pid);
    give(go);
    const { slowestMs, largestMb } = await watch(daemon, /^flood broken after \d+$/);
    expect(largestMb - beforeMb).toBeLessThan(GROWTH_MB);
    expect(slowestMs).toBeLessThan(PROMPT_MS);
    const overflowed = await daemon.line('channel.overflowed');
    expect(overflowed).toMatchObject({ level: 'warn', slot: 1, msg: expect.stringMatching(why) });
    // It does not leave when it is asked to.
    const exited = await daemon.line('worker.exited');
    expect(exited).toMatchObject({ pid: workers[0]?.pid, signal: 'SIGKILL' });
    await daemon.manyLines(2, 'worker.spawned');
  });

  it('at the limit of a line keeps it', async () => {
    const world = newWorld();
    const daemon = world.run(
      perl(
        `say status ${'x'.repeat(4_088)}`,
        'say takeover',
        'hear',
        `say ${'x'.repeat(4_096)}`,
        'hear',
        'hang',
      ),
    );
    await said(daemon, 'heard ok');
    await said(daemon, 'end of channel');
    await daemon.status('the text', ({ workers }) => workers[0]?.status?.length === 4_088);
  });
});

it('a channel that the worker closes itself does not end it', async () => {
  const world = newWorld();
  const daemon = world.run(perl('say takeover', 'hear', 'close', 'note closed', 'hang'));
  const pid = await said(daemon, 'closed');
  const status = await daemon.running();
  expect(status.workers[0]).toMatchObject({ pid, respawns: 0, state: 'ready' });
});

describe('a log that cannot be written', () => {
  it('because the disk is full does not stop the daemon, nor change its status', async () => {
    const world = newWorld();
    const full = openSync('/dev/full', 'w');
    const daemon = runOddly(world, [...LISTEN, '--respawn-delay', '50ms', ...perl(...SERVING)], {
      stderr: full,
    });
    closeSync(full);
    const { workers, pid, listeners } = await daemon.running();
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.status(
      'a respawn',
      (status) => status.state === 'running' && status.workers[0]?.respawns === 1,
    );
    expect((await get(listeners[0]?.address ?? '')).status).toBe(200);
    expect((await world.tanist('reload')).status).toBe(0);
    expect((await daemon.settled(2)).pid).not.toBe(pid);
    expect((await world.tanist('stop')).status).toBe(0);
  });

  it('because nobody reads the pipe any more does not stop the daemon, nor change its status', async () => {
    const world = newWorld();
    const daemon = runOddly(
      world,
      [...LISTEN, '--respawn-delay', '50ms', '--respawn-limit', '1/1m', ...perl(...GOOD)],
      {
        stderr: 'pipe',
      },
    );
    daemon.child.stderr?.destroy();
    const { workers } = await daemon.running();
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    const second = await daemon.status(
      'a respawn',
      (status) => status.state === 'running' && status.workers[0]?.respawns === 1,
    );
    process.kill(second.workers[0]?.pid ?? 0, 'SIGKILL');
    expect(await daemon.exit()).toEqual({ code: 6, signal: null });
    await world.empty();
  });
});
