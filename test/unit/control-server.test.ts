import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createControlServer } from '../../src/os/control-server.js';

it('the control socket is its owner’s alone whatever the mask of the process, which stays as it was', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-control-'));
  const before = process.umask(0);
  const server = createControlServer(({ respond }) => respond(200, {}));
  onTestFinished(() => {
    process.umask(before);
    server.remove();
    server.close();
    rmSync(directory, { recursive: true });
  });
  await server.claim(join(directory, 'a.sock'), true);
  expect((lstatSync(join(directory, 'a.sock')).mode & 0o777).toString(8)).toBe('600');
  expect(process.umask()).toBe(0);
});
