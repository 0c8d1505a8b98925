import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOn } from '../../src/worker/listening.js';

const HOST = '127.0.0.1';

const newServer = (): Server => {
  const server = createServer();
  onTestFinished(() => void server.close());
  return server;
};

const listeners = (server: Server): readonly number[] =>
  ['error', 'listening'].map((event) => server.listenerCount(event));

describe('listening', () => {
  it('leaves the errors that come later to the program', async () => {
    const server = newServer();
    await listenOn(server, { host: HOST, port: 0 });
    expect(server.listening).toBe(true);
    expect(listeners(server)).toEqual([0, 0]);
  });

  it("fails with the system's error, and can be tried again", async () => {
    const [first, second] = [newServer(), newServer()];
    await listenOn(first, { host: HOST, port: 0 });
    const address = first.address() as { port: number };
    await expect(listenOn(second, { host: HOST, port: address.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    expect(listeners(second)).toEqual([0, 0]);
    await listenOn(second, { host: HOST, port: 0 });
    expect(second.listening).toBe(true);
  });

  it('fails where the address is none, and leaves nothing behind', async () => {
    const server = newServer();
    await expect(listenOn(server, { host: HOST, port: 70_000 })).rejects.toMatchObject({
      code: 'ERR_SOCKET_BAD_PORT',
    });
    expect(listeners(server)).toEqual([0, 0]);
  });
});
