import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Screen, Watcher } from './watchers.js';
import { GOOD, newWorld, perl } from './workers.js';

const started = async () => {
  const world = newWorld();
  const log = world.path('perl.log');
  const daemon = world.run(['--log-file', log, ...perl(...GOOD)], { log });
  const status = await daemon.running();
  return { world, log, daemon, status };
};

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const eventsOf = (text: string): unknown[] =>
  linesOf(text)
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { event: string }).event);

describe('logs', () => {
  it('shows the last lines, as many as asked for, as they are in the file', async () => {
    const { world, log, status } = await started();
    expect(status.logFile).toBe(log);
    for (let times = 0; times < 3; times += 1) expect((await world.tanist('reload')).status).toBe(0);
    const [all, ten, two] = [
      await world.tanist('logs', '-n', '1000000'),
      await world.tanist('logs'),
      await world.tanist('logs', '--lines', '2', '--name', 'perl'),
    ];
    const lines = linesOf(all.stdout);
    expect(lines.length).toBeGreaterThan(12);
    expect(readFileSync(log, 'utf8').startsWith(all.stdout)).toBe(true);
    expect([ten.status, linesOf(ten.stdout).length, linesOf(two.stdout).length]).toEqual([0, 10, 2]);
    expect(readFileSync(log, 'utf8')).toContain(two.stdout);
  });

  it('follows across reloads, a file that is moved away and one that is cut off', async () => {
    const { world, log, daemon } = await started();
    const follower = new Watcher(world, ['logs', '-f', '-n', '1']);
    await follower.says('the last line', () => linesOf(follower.output).length > 0);
    expect((await world.tanist('reload')).status).toBe(0);
    await follower.says('the reload', () => eventsOf(follower.output).includes('reload.promoted'));
    renameSync(log, `${log}.1`);
    process.kill((await daemon.settled(2)).workers[0]?.pid ?? 0, 'SIGKILL');
    await follower.says('the new file', () =>
      follower.output.includes(`the log goes on in a new file: ${log}\n`),
    );
    await follower.says('the death', () => eventsOf(follower.output).includes('worker.exited'));
    await daemon.running(2);
    await follower.says('the new worker', () =>
      /worker\.ready[^\n]*"generation":2|"generation":2[^\n]*worker\.ready/.test(follower.output),
    );
    truncateSync(log);
    await follower.says('the cut', () =>
      follower.output.includes(`the log was cut off, and begins anew: ${log}\n`),
    );
    expect((await world.tanist('stop')).status).toBe(0);
    await follower.says('the end', () => /stopping → stopped/.test(follower.output));
    // It waits for the next start: only Ctrl-C ends it.
    follower.child.kill('SIGINT');
    expect(await follower.end()).toBe(0);
  });

  it('is pretty on a terminal, and as it is with --json', async () => {
    const { world } = await started();
    const pretty = new Screen(world, ['logs']);
    expect(await pretty.end()).toBe(0);
    expect(pretty.output).toMatch(/\[\d\d:\d\d:\d\d\.\d+\].*worker 1/);
    expect(pretty.output).not.toContain('{"level"');
    const plain = new Screen(world, ['logs', '--json']);
    expect(await plain.end()).toBe(0);
    expect(plain.output).toContain('{"level"');
  });

  it('shows what a daemon that has ended has left, found without a name', async () => {
    const { world, log } = await started();
    expect((await world.tanist('stop')).status).toBe(0);
    for (const target of [[], ['--name', 'perl'], ['--pid-file', world.path('perl.pid')]]) {
      const answer = await world.tanist('logs', '-n', '1', ...target);
      expect([answer.status, answer.stdout]).toEqual([0, expect.stringContaining('stopping → stopped')]);
    }
    writeFileSync(world.path('other.log'), '');
    expect(await world.tanist('logs')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('TANIST_AMBIGUOUS_TARGET: 2 supervisors could be meant'),
    });
    expect(existsSync(log)).toBe(true);
  });

  it('of a daemon without a log file says where its log goes', async () => {
    const world = newWorld();
    const daemon = world.run(perl(...GOOD));
    await daemon.running();
    const answer = await world.tanist('logs');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(
      `error TANIST_NO_LOG_FILE: perl has no log file: its log goes to the standard error it was started with (${world.path('log-0')})\nhint: `,
    );
  });

  it('where nothing ever ran exits 3', async () => {
    const world = newWorld();
    expect(await world.tanist('logs')).toMatchObject({ status: 3 });
    expect(await world.tanist('logs', '-f', '--name', 'web')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`and there is no log at ${world.path('web.log')}\n`),
    });
  });
});
