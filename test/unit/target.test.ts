import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLogs, findTarget, findTargets, isOver } from '../../src/client/target.js';
import { isLockFree, openLockProbe } from '../../src/os/lock-probe.js';
import { printable } from '../../src/words/terminal.js';

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  flockSync: (fd: number, operation: string) => void;
};

let directory = '';
let servers: Server[] = [];
let locks: number[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-'));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  for (const fd of locks) closeSync(fd);
  rmSync(directory, { recursive: true });
  servers = [];
  locks = [];
});

const path = (...names: string[]): string => join(directory, ...names);

/** A socket that accepts connections, as a running supervisor's does. */
const answering = (...names: string[]): Promise<void> =>
  new Promise((done) => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    server.listen(path(...names), done);
  });

/** A socket whose owner is gone without removing it. */
const stale = async (...names: string[]): Promise<void> => {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(path('live'), done);
  });
  linkSync(path('live'), path(...names));
  await new Promise((done) => server.close(done));
};

const locked = (...names: string[]): void => {
  const fd = openSync(path(...names), 'w');
  flockSync(fd, 'exnb');
  locks.push(fd);
};

const only = () => ({ kind: 'only', runDirectory: directory }) as const;
const named = (name: string) => ({ kind: 'name', name, runDirectory: directory }) as const;

test('a pid file is the target it names, whatever is there', async () => {
  expect(await findTarget({ kind: 'pid-file', pidFile: '/x/web.pid' })).toEqual({
    name: 'web',
    pidFile: '/x/web.pid',
    controlPath: '/x/web.sock',
  });
  expect(await findTarget({ kind: 'pid-file', pidFile: '/x/lock' })).toMatchObject({
    controlPath: '/x/lock.sock',
  });
});

test('a control socket is a target, whoever answers there', async () => {
  const unknown = { name: 'web', pidFile: null, controlPath: path('web.sock') };
  const at = () => findTarget({ kind: 'control', controlPath: path('web.sock') });
  expect(await at()).toEqual(unknown);
  await stale('web.sock');
  expect(await at()).toEqual(unknown);
  unlinkSync(path('web.sock'));
  // It accepts, and says nothing that could be understood.
  await answering('web.sock');
  expect(await at()).toEqual(unknown);
});

test('what has no lock is over when its control socket is gone', async () => {
  const target = { name: 'web', pidFile: null, controlPath: path('web.sock') };
  expect(isOver(target)).toBe(true);
  await stale('web.sock');
  expect(isOver(target)).toBe(false);
});

test('the only supervisor that runs is found among what others left behind', async () => {
  await answering('web.sock');
  await stale('old.sock');
  writeFileSync(path('old.pid'), '4242\n');
  writeFileSync(path('notes.txt'), '');
  writeFileSync(path('.pid'), '');
  expect(await findTarget(only())).toEqual({
    name: 'web',
    pidFile: path('web.pid'),
    controlPath: path('web.sock'),
  });
});

test('a supervisor that does not answer yet is known by its lock', async () => {
  locked('starting.pid');
  expect(await findTarget(only())).toMatchObject({ name: 'starting' });
});

test('with several, one has to be named', async () => {
  await answering('b.sock');
  await answering('a.sock');
  expect((await findTargets(only())).map(({ name }) => name)).toEqual(['a', 'b']);
  await expect(findTarget(only())).rejects.toMatchObject({
    code: 'TANIST_AMBIGUOUS_TARGET',
    exitStatus: 2,
    message: expect.stringMatching(/^2 supervisors .*a\.pid.*b\.pid/),
    hint: expect.stringContaining('--name'),
  });
  expect(await findTarget(named('b'))).toMatchObject({ pidFile: path('b.pid') });
});

test('with none, nothing is running', async () => {
  const none = { code: 'TANIST_NOT_RUNNING', exitStatus: 3 };
  await expect(findTarget(only())).rejects.toMatchObject(none);
  await expect(findTarget({ kind: 'only', runDirectory: path('missing') })).rejects.toMatchObject(none);
  expect(await findTargets(only())).toEqual([]);
});

test("another user's supervisors are in a directory of their own, one level below", async () => {
  mkdirSync(path('www', 'deeper'), { recursive: true });
  await answering('www', 'web.sock');
  await answering('www', 'deeper', 'hidden.sock');
  expect((await findTargets(only())).map(({ pidFile }) => pidFile)).toEqual([path('www', 'web.pid')]);
  expect(await findTarget(named('web'))).toMatchObject({ pidFile: path('www', 'web.pid') });
});

test('a name means the file in the run directory itself first', async () => {
  mkdirSync(path('www'));
  writeFileSync(path('www', 'web.pid'), '');
  expect(await findTarget(named('web'))).toMatchObject({ pidFile: path('www', 'web.pid') });
  writeFileSync(path('web.pid'), '');
  expect(await findTarget(named('web'))).toMatchObject({ pidFile: path('web.pid') });
  expect(await findTarget(named('unknown'))).toMatchObject({ pidFile: path('unknown.pid') });
});

test("what root has started for this user is found in root's run directory, and nothing else there", async () => {
  const me = userInfo().username;
  for (const name of ['own', 'roots']) mkdirSync(path(name));
  for (const name of [me, 'somebody']) mkdirSync(path('roots', name));
  await answering('roots', 'of-root.sock');
  await answering('roots', 'somebody', 'other.sock');
  await answering('roots', me, 'web.sock');
  await answering('own', 'mine.sock');
  const both = { runDirectory: path('own'), rootsDirectory: path('roots') };
  expect((await findTargets({ kind: 'only', ...both })).map(({ pidFile }) => pidFile)).toEqual([
    path('own', 'mine.pid'),
    path('roots', me, 'web.pid'),
  ]);
  expect(await findTarget({ kind: 'name', name: 'web', ...both })).toMatchObject({
    pidFile: path('roots', me, 'web.pid'),
  });
  expect(await findTarget({ kind: 'name', name: 'other', ...both })).toMatchObject({
    pidFile: path('own', 'other.pid'),
  });
});

test('a name that runs for two users has to be told by its pid file', async () => {
  for (const name of ['www', 'ann']) {
    mkdirSync(path(name));
    await answering(name, 'web.sock');
  }
  await expect(findTarget(named('web'))).rejects.toMatchObject({ code: 'TANIST_AMBIGUOUS_TARGET' });
});

test('logs are found where daemons have left them, one level below as well', async () => {
  mkdirSync(path('www'));
  for (const name of ['a.log', 'www/b.log', 'c.txt']) writeFileSync(path(name), '');
  expect((await findLogs(only())).map(({ pidFile }) => pidFile)).toEqual([
    path('a.pid'),
    path('www', 'b.pid'),
  ]);
  expect(await findLogs(named('b'))).toMatchObject([{ pidFile: path('www', 'b.pid') }]);
});

test('a run directory that is none is an error of its own', async () => {
  writeFileSync(path('file'), '');
  await expect(findTarget({ kind: 'only', runDirectory: path('file') })).rejects.toMatchObject({
    code: 'TANIST_RUN_DIR',
    message: expect.stringContaining('ENOTDIR'),
  });
});

test('a lock is free without file and without holder, and looking at it leaves it free', () => {
  expect(isLockFree(path('x.pid'))).toBe(true);
  writeFileSync(path('x.pid'), '1\n');
  expect([isLockFree(path('x.pid')), isLockFree(path('x.pid'))]).toEqual([true, true]);
  locked('x.pid');
  expect(isLockFree(path('x.pid'))).toBe(false);
});

test('a probe keeps looking at its own file when a new one takes its place', () => {
  locked('x.pid');
  const probe = openLockProbe(path('x.pid'));
  expect(probe.isFree()).toBe(false);
  unlinkSync(path('x.pid'));
  locked('x.pid');
  const [first] = locks.splice(0, 1);
  closeSync(first ?? -1);
  expect(probe.isFree()).toBe(true);
  expect(isLockFree(path('x.pid'))).toBe(false);
  probe.close();
});

test('a lock is not looked for behind a symlink', () => {
  writeFileSync(path('x'), '');
  symlinkSync(path('x'), path('x.pid'));
  expect(() => isLockFree(path('x.pid'))).toThrow(/x\.pid" cannot be opened \(ELOOP\)/);
});

test('text from elsewhere stays on one line and cannot steer the terminal', () => {
  expect(printable('a\u001b[31mb\u001b[0m\r\nc\u0007\u009b2J\u202e\u2028d\u0000 é✓ ')).toBe('ab c d é✓');
});
