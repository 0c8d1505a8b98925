import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { get, openListener, type WorkerPlan, WorkerUnderTest } from './fake-supervisor.js';

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

const PROGRAMS = {
  'http-service.mjs': [process.execPath, example('http-service.mjs')],
  'worker.pl': ['perl', example('worker.pl')],
  'worker.py': ['python3', example('worker.py')],
};

const LEFT = { code: 0, signal: null };

const start = async (
  program: readonly string[],
  { env, ...plan }: Omit<WorkerPlan, 'program' | 'listeners'> = {},
  listener?: { readonly fd: number; readonly port: number },
) => {
  const web = listener ?? (await openListener());
  const worker = new WorkerUnderTest({ program, listeners: { web }, env: { BOOT_MS: '0', ...env }, ...plan });
  return { worker, port: web.port };
};

describe.each(Object.entries(PROGRAMS))('the example %s', (_, program) => {
  it('serves once it is told to, survives SIGUSR2 and leaves on SIGTERM', async () => {
    const { worker, port } = await start(program);
    expect(await worker.hear()).toBe('takeover');
    worker.say('ok');
    const { status, body } = await get({ port });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ pid: worker.process.pid, generation: 7, slot: 2 });
    worker.signal('SIGUSR2');
    expect((await get({ port })).status).toBe(200);
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('leaves on SIGTERM while it waits for ok', async () => {
    const { worker } = await start(program);
    expect(await worker.hear()).toBe('takeover');
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
  });

  it('leaves when its supervisor is gone', async () => {
    const { worker, port } = await start(program);
    await worker.letServe();
    expect((await get({ port })).status).toBe(200);
    worker.channel.destroy();
    expect(await worker.exited).toEqual(LEFT);
  });

  it('shares its listener with another of its kind', async () => {
    const listener = await openListener();
    const workers = await Promise.all([1, 2].map(async () => (await start(program, {}, listener)).worker));
    await Promise.all(workers.map((worker) => worker.letServe()));
    const answers = await Promise.all(Array.from({ length: 40 }, () => get({ port: listener.port })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const worker of workers) worker.signal('SIGTERM');
    expect(await Promise.all(workers.map((worker) => worker.exited))).toEqual([LEFT, LEFT]);
  });
});

describe('the example http-service.mjs', () => {
  it('tells the version of the directory it was started in', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'tanist-version-'));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, 'VERSION'), '2\n');
    const { worker, port } = await start(PROGRAMS['http-service.mjs'], { cwd, env: { VERSION: '1' } });
    await worker.letServe();
    expect(JSON.parse((await get({ port })).body)).toMatchObject({ version: '2' });
    expect((await get({ port, path: '/health' })).status).toBe(200);
    expect((await get({ port, path: '/elsewhere' })).status).toBe(404);
  });

  it('answers a slow request before it leaves', async () => {
    const { worker, port } = await start(PROGRAMS['http-service.mjs'], { env: { VERSION: '1' } });
    await worker.letServe();
    await get({ port });
    const slow = get({ port, path: '/slow?ms=300' });
    // Requests of one process are read in the order in which they were sent.
    await get({ port });
    worker.signal('SIGTERM');
    expect(JSON.parse((await slow).body)).toMatchObject({ version: '1' });
    expect(await worker.exited).toEqual(LEFT);
    expect(await worker.output).toContain('has answered everything');
  });
});

describe('the example worker.sh', () => {
  const spooling = () => {
    const spool = mkdtempSync(join(tmpdir(), 'tanist-spool-'));
    onTestFinished(() => rmSync(spool, { recursive: true }));
    const worker = new WorkerUnderTest({ program: ['sh', example('worker.sh'), spool] });
    return { spool, worker };
  };

  /** Puts a job there in one step, and waits until it is done. */
  const put = (spool: string, name: string, text: string): void => {
    writeFileSync(join(spool, 'new'), text);
    renameSync(join(spool, 'new'), join(spool, `${name}.job`));
  };
  const done = (spool: string, name: string): Promise<string> =>
    vi.waitFor(() => readFileSync(join(spool, `${name}.done`), 'utf8'), { timeout: 8_000, interval: 20 });

  it('works once it is told to, pings, survives SIGUSR2 and leaves on SIGTERM', async () => {
    const { spool, worker } = spooling();
    put(spool, 'first', 'one\n');
    expect(await worker.hear()).toBe('takeover');
    worker.signal('SIGUSR2');
    worker.say('ok');
    expect(await worker.hear()).toBe('ping');
    expect(await done(spool, 'first')).toBe('ONE\n7\n');
    put(spool, 'second', 'two\n');
    worker.say('pong');
    expect(await worker.hear()).toBe('ping');
    expect(await done(spool, 'second')).toBe('TWO\n7\n');
    worker.signal('SIGTERM');
    worker.say('pong');
    expect(await worker.exited).toEqual(LEFT);
    expect(readdirSync(spool).sort()).toEqual(['first.done', 'second.done']);
  });

  it('finishes the job in hand before it leaves, and begins no other', async () => {
    const { spool, worker } = spooling();
    // A job that is as long as the test wants it: its text is still being written.
    spawnSync('mkfifo', [join(spool, 'long.job')]);
    put(spool, 'other', 'left for others');
    // Both ends, so that opening it waits for nobody, and before the worker gives it another name.
    const writer = openSync(join(spool, 'long.job'), 'r+');
    await worker.letServe();
    await vi.waitFor(() => expect(readdirSync(spool)).toContain(`long.job.${worker.process.pid}.new`), {
      timeout: 8_000,
      interval: 20,
    });
    worker.signal('SIGTERM');
    writeSync(writer, 'long\n');
    closeSync(writer);
    worker.say('pong');
    expect(await worker.exited).toEqual(LEFT);
    expect(await done(spool, 'long')).toBe('LONG\n7\n');
    expect(readdirSync(spool).sort()).toEqual(['long.done', 'other.job']);
  });

  it('leaves on SIGTERM while it waits for ok, and when its supervisor is gone', async () => {
    const { worker } = spooling();
    expect(await worker.hear()).toBe('takeover');
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual(LEFT);
    const { worker: other } = spooling();
    await other.letServe();
    other.channel.destroy();
    expect(await other.exited).toEqual(LEFT);
  });
});
