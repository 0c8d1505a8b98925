import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { get, isRunning, until } from './harness.js';
import { GOOD, give, gone, library, newWorld, perl, SERVING, said, words } from './workers.js';

const LISTEN = ['--listen', '127.0.0.1:0'] as const;
const DRAIN_MS = 400;
/** "At once" on a machine that does other things too. */
const PROMPT_MS = 8_000;

/** What a daemon has left in the directory. The lock that workers share is never removed: it may be held. */
const leftFiles = (directory: string): string[] =>
  readdirSync(directory).filter((name) => !/^(log-|out-|finish$)|\.workers$/.test(name));

describe.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('%s to the supervisor', (signal) => {
  it('S29, X11: it stays until its worker has finished, holds the lock meanwhile, and exits 0', async () => {
    const world = newWorld();
    const finish = world.path('finish');
    const daemon = world.run([...LISTEN, ...perl(`drain TERM ${finish}`, ...SERVING)]);
    const { workers } = await daemon.running();
    process.kill(daemon.pid, signal);
    expect(await said(daemon, 'got TERM')).toBe(workers[0]?.pid);
    expect(await daemon.statusNow()).toMatchObject({ state: 'stopping', workers: [{ state: 'draining' }] });
    const other = await world.tanist('run', '--name', 'perl', '--', 'sleep', '1000');
    expect(other.status).toBe(5);
    give(finish);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    // The worker was gone before.
    expect(await daemon.line('worker.exited')).toMatchObject({ code: 0, pid: workers[0]?.pid });
    expect(leftFiles(world.directory)).toEqual([]);
    await world.empty();
  });

  it('S29, X10: a hung worker is killed at the drain limit with its process group, and not before', async () => {
    const world = newWorld();
    const worker = perl('ignore TERM', 'fork', 'say takeover', 'hang');
    const daemon = world.run(['--drain-timeout', `${DRAIN_MS}ms`, '--workers', '2', ...worker]);
    await daemon.running();
    await said(daemon, /^grandchild/, 2);
    const askedAt = performance.now();
    process.kill(daemon.pid, signal);
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    const tookMs = performance.now() - askedAt;
    expect(tookMs).toBeGreaterThanOrEqual(DRAIN_MS);
    expect(tookMs).toBeLessThan(DRAIN_MS + PROMPT_MS);
    expect(
      daemon.lines().filter(({ event, signal: by }) => event === 'worker.exited' && by === 'SIGKILL'),
    ).toHaveLength(2);
    expect(world.processes()).toEqual([]);
  });
});

describe('a stop', () => {
  it('X8: kills what a worker that leaves in time leaves behind', async () => {
    const world = newWorld();
    const daemon = world.run(['--drain-timeout', '30s', ...perl('leave TERM', 'fork', ...GOOD)]);
    await daemon.running();
    const grandchild = await said(daemon, /^grandchild/);
    const { status, durationMs } = await world.tanist('stop');
    expect(status).toBe(0);
    expect(durationMs).toBeLessThan(PROMPT_MS);
    await gone(grandchild);
  });

  it('asked for twice kills at once', async () => {
    const world = newWorld();
    const daemon = world.run([
      '--drain-timeout',
      '60s',
      ...perl('ignore TERM', 'fork', 'say takeover', 'hang'),
    ]);
    await daemon.running();
    await said(daemon, /^grandchild/);
    process.kill(daemon.pid, 'SIGTERM');
    await daemon.line('worker.draining');
    expect(isRunning(daemon.pid)).toBe(true);
    const askedAt = performance.now();
    process.kill(daemon.pid, 'SIGTERM');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(PROMPT_MS);
    expect(world.processes()).toEqual([]);
  });

  it('asked for twice by tanist stop kills at once, and both commands return', async () => {
    const world = newWorld();
    const daemon = world.run(['--drain-timeout', '60s', ...perl('ignore TERM', 'say takeover', 'hang')]);
    await daemon.running();
    const first = world.tanist('stop');
    await daemon.line('worker.draining');
    const second = await world.tanist('stop');
    expect(second.status).toBe(0);
    expect(second.durationMs).toBeLessThan(PROMPT_MS);
    expect((await first).status).toBe(0);
    expect((await daemon.exit()).code).toBe(0);
  });

  it('returns when the lock is free and the pid file is gone', async () => {
    const world = newWorld();
    const finish = world.path('finish');
    const daemon = world.run(perl(`drain TERM ${finish}`, ...GOOD));
    await daemon.running();
    let returned = false;
    const stopping = world.tanist('stop', '--json').finally(() => {
      returned = true;
    });
    await said(daemon, 'got TERM');
    expect((await daemon.statusNow())?.state).toBe('stopping');
    expect(returned).toBe(false);
    expect(readFileSync(world.path('perl.pid'), 'utf8')).toBe(`${daemon.pid}\n`);
    give(finish);
    const { status, stdout } = await stopping;
    expect([status, JSON.parse(stdout)]).toEqual([0, { outcome: 'stopped', name: 'perl' }]);
    expect(leftFiles(world.directory)).toEqual([]);
    const again = world.run(perl(...GOOD));
    await again.line('worker.ready');
  });

  it('that takes longer than its --timeout goes on', async () => {
    const world = newWorld();
    const finish = world.path('finish');
    const daemon = world.run(perl(`drain TERM ${finish}`, ...GOOD));
    await daemon.running();
    const { status, stderr } = await world.tanist('stop', '--timeout', '300ms');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^error TANIST_TIMEOUT: no end within 300ms/),
    ]);
    await said(daemon, 'got TERM');
    give(finish);
    expect((await daemon.exit()).code).toBe(0);
  });

  it('while a worker has not got ready asks it to leave', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, '--ready', 'http=/', ...perl('leave TERM', 'note started', 'rest')]);
    await said(daemon, 'started');
    expect((await world.tanist('stop')).status).toBe(0);
    await said(daemon, 'got TERM');
    expect((await daemon.exit()).code).toBe(0);
  });

  it('while a slot waits to be filled again does not wait for it', async () => {
    const world = newWorld();
    const daemon = world.run(['--respawn', 'fixed', '--respawn-delay', '1h', ...perl('exit 7')]);
    await daemon.line('worker.delayed');
    const { status, durationMs } = await world.tanist('stop');
    expect(status).toBe(0);
    expect(durationMs).toBeLessThan(PROMPT_MS);
    expect((await daemon.exit()).code).toBe(0);
  });

  it('as the very first thing a starting supervisor hears is obeyed', async () => {
    const world = newWorld();
    const daemon = world.run([...LISTEN, ...perl(...SERVING)]);
    // As soon as it handles signals: before, the system ends it.
    await until('its handlers', () => caught(daemon.pid, 'SIGQUIT'));
    process.kill(daemon.pid, 'SIGTERM');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(leftFiles(world.directory)).toEqual([]);
    await world.empty();
  });

  it('asks workers with the signal they were promised', async () => {
    const world = newWorld();
    const daemon = world.run(['--stop-signal', 'SIGINT', ...perl('ignore TERM', 'leave INT', ...GOOD)]);
    await daemon.running();
    expect((await world.tanist('stop')).status).toBe(0);
    expect(words(daemon).map(({ text }) => text)).toContain('got INT');
  });

  it('with no time to drain kills at once', async () => {
    const world = newWorld();
    const daemon = world.run(['--drain-timeout', '0ms', ...perl('ignore TERM', 'say takeover', 'hang')]);
    await daemon.running();
    const { status, durationMs } = await world.tanist('stop');
    expect(status).toBe(0);
    expect(durationMs).toBeLessThan(PROMPT_MS);
  });

  it('lets a request that is being answered finish', async () => {
    const world = newWorld();
    const slow = world.path('finish');
    const daemon = world.run([...LISTEN, ...library()], { env: { SLOW_FILE: slow } });
    const { listeners } = await daemon.running();
    const answer = get(listeners[0]?.address ?? '', '/slow');
    await said(daemon, 'begins /slow');
    process.kill(daemon.pid, 'SIGTERM');
    await said(daemon, 'leaving: TANIST_LEAVING');
    give(slow);
    expect(await answer).toMatchObject({ status: 200 });
    expect((await daemon.exit()).code).toBe(0);
  });
});

describe('a supervisor that is killed', () => {
  it('leaves nothing behind: its workers see the end of their channel, and leave', async () => {
    const world = newWorld();
    const unix = world.path('listener');
    const daemon = world.run([...LISTEN, '--listen', `unix:${unix}`, '--workers', '3', ...library()]);
    const { listeners } = await daemon.running();
    process.kill(daemon.pid, 'SIGKILL');
    await world.empty();
    await expect(get(listeners[0]?.address ?? '')).rejects.toThrow(/ECONNREFUSED/);
    // What is left on disk is in nobody's way.
    expect(existsSync(world.path('library.pid'))).toBe(true);
    expect((await world.tanist('status')).status).toBe(3);
    const again = world.run(['--listen', `unix:${unix}`, ...library()]);
    await again.line('worker.ready');
    expect(await again.statusNow()).toMatchObject({ pid: again.pid, generation: 1 });
    expect((await get(`unix:${unix}`)).status).toBe(200);
  });

  it.each([
    ['with listeners', LISTEN],
    ['without listeners', []],
  ])('takes programs without the protocol along, %s', async (_, listen) => {
    const world = newWorld();
    const daemon = world.run([...listen, '--ready', 'alive=50ms', '--workers', '2', '--', 'sleep', '1000']);
    const { workers } = await daemon.running();
    process.kill(daemon.pid, 'SIGKILL');
    for (const { pid } of workers) await gone(pid ?? 0);
    await world.empty();
  });

  it('in exclusive mode: the next one waits for a worker that is slow to leave, and says for whom', async () => {
    const world = newWorld();
    const go = world.path('go');
    const first = world.run(perl('say takeover', 'hear', 'hear', `await ${go}`, 'exit 0'));
    const { workers } = await first.running();
    process.kill(first.pid, 'SIGKILL');
    await said(first, 'end of channel');
    const second = world.run(perl(...GOOD));
    const waiting = await second.line('fence.waiting');
    expect(waiting.msg).toBe(
      `waits at most 30 s for workers of an earlier supervisor: pid ${workers[0]?.pid}`,
    );
    expect(second.lines().filter(({ event }) => event === 'worker.spawned')).toEqual([]);
    give(go);
    await second.line('worker.ready');
    expect(isRunning(workers[0]?.pid ?? 0)).toBe(false);
  });

  it('in exclusive mode: the next one gives up at the drain limit, and touches nothing', async () => {
    const world = newWorld();
    const first = world.run(perl('say takeover', 'hang'));
    const { workers } = await first.running();
    process.kill(first.pid, 'SIGKILL');
    const second = world.run(['--drain-timeout', '200ms', ...perl(...GOOD)]);
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toMatch(/error TANIST_PREDECESSOR_WORKERS/);
    expect(isRunning(workers[0]?.pid ?? 0)).toBe(true);
  });
});

/** Whether a process handles a signal, by the mask of the kernel. */
const caught = (pid: number, signal: NodeJS.Signals): boolean => {
  const [, mask = '0'] = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
};
