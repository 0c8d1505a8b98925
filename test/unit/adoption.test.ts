import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { descriptorOf, duplicate } from '../../src/os/descriptors.js';
import { listenOn } from '../../src/os/listening.js';

/** A descriptor of a socket that listens there, and nothing else of it. */
const listening = async (options: net.ListenOptions): Promise<{ fd: number; server: net.Server }> => {
  const server = net.createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(options, resolve));
  return { fd: duplicate(descriptorOf(server)), server };
};

test('where no table tells, a descriptor is taken over by listening on it once more, and nobody is accepted', async () => {
  const { fd, server } = await listening({ host: '127.0.0.1', port: 0 });
  const { port } = server.address() as net.AddressInfo;
  const { descriptor, address } = await listenOn(fd);
  onTestFinished(() => closeSync(descriptor));
  expect(address).toBe(`127.0.0.1:${port}`);
  expect(descriptor).not.toBe(fd);
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  const client = net.connect({ host: '127.0.0.1', port });
  onTestFinished(() => void client.destroy());
  expect(await accepted).toBeInstanceOf(net.Socket);
});

test('so is one at a Unix path, which stays where it is, though Node does not say where', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tanist-adopt-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 's');
  const { fd } = await listening({ path });
  const { descriptor, address } = await listenOn(fd);
  onTestFinished(() => closeSync(descriptor));
  expect(address).toBe('unix:?');
  expect(existsSync(path)).toBe(true);
});

test('what cannot listen is refused', async () => {
  const file = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(file));
  await expect(listenOn(file)).rejects.toThrow();
  const { server } = await listening({ host: '127.0.0.1', port: 0 });
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ host: '127.0.0.1', port });
  onTestFinished(() => void client.destroy());
  await new Promise((resolve) => client.once('connect', resolve));
  await expect(listenOn(duplicate(descriptorOf(client)))).rejects.toThrow(/EINVAL/);
});
