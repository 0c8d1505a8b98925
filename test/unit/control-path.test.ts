/** The path of a control socket: whose it may become, and whose it stays. */
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { isAnswered } from '../../src/client/control-client.js';
import { createControlServer } from '../../src/os/control-server.js';

let directory = '';
const path = (name = 'c.sock'): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const control = () => {
  const server = createControlServer((request) => request.respond(200, {}));
  onTestFinished(() => server.close());
  return server;
};

/** A listener, and a name that stays when it has gone. */
const listener = async (name: string) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => {
    server.listen(path('other'), done);
  });
  linkSync(path('other'), path(name));
  return () => new Promise((done) => server.close(done));
};

test('a path where nobody is becomes ours, for this user alone', async () => {
  const server = control();
  await server.claim(path(), true);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(await isAnswered(path())).toBe(true);
  server.remove();
  expect(readdirSync(directory)).toEqual([]);
});

test('a socket that refuses connections is replaced', async () => {
  const end = await listener('c.sock');
  await end();
  expect(await isAnswered(path())).toBe(false);
  await control().claim(path(), true);
  expect(await isAnswered(path())).toBe(true);
});

test('nobody’s live socket is taken, and nothing of the try is left', async () => {
  const end = await listener('c.sock');
  onTestFinished(() => void end());
  const { ino } = statSync(path());
  const server = control();
  await expect(server.claim(path(), true)).rejects.toThrow(`${path()} is a socket in use`);
  server.remove();
  expect(statSync(path()).ino).toBe(ino);
  expect(readdirSync(directory).sort()).toEqual(['c.sock', 'other']);
});

test.each([
  ['a file', () => writeFileSync(path(), 'precious')],
  ['a link to a file', () => symlinkSync(path('precious'), path())],
])('%s is left alone, and named', async (_, make) => {
  writeFileSync(path('precious'), 'precious');
  make();
  await expect(control().claim(path(), true)).rejects.toThrow(`${path()} exists and is not a socket`);
  expect(readFileSync(path(), 'utf8')).toBe('precious');
});

test('of two that claim it in the same moment one gets it', async () => {
  const outcomes = await Promise.allSettled([control().claim(path(), true), control().claim(path(), true)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await isAnswered(path())).toBe(true);
});

test('the socket of another generation is taken over, and not removed by who had it', async () => {
  const [one, other] = [control(), control()];
  await one.claim(path(), true);
  await other.claim(path(), false);
  one.remove();
  expect(existsSync(path())).toBe(true);
  expect(await isAnswered(path())).toBe(true);
});
