import { Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Listen, warmUpHttp } from '../../src/worker/warm-up.js';

const own = Server.prototype.listen;
afterEach(() => {
  Server.prototype.listen = own;
});

const sockets = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((kind) => /Pipe|TCP/.test(kind));

describe('the warm-up', () => {
  it('has answered, through the kernel where there are names that are no files, and leaves nothing', async () => {
    const before = sockets();
    const listened: unknown[] = [];
    let connections = 0;
    const listen: Listen = function (...args) {
      listened.push(args[0]);
      this.on('connection', () => {
        connections += 1;
      });
      return own.apply(this, args as Parameters<typeof own>);
    };
    await warmUpHttp(listen);
    if (process.platform === 'linux')
      expect(listened).toEqual([{ path: expect.stringMatching(/^\0tanist-warm-up-/), exclusive: true }]);
    expect(connections).toBe(3);
    await vi.waitFor(() => expect(sockets().length).toBeLessThanOrEqual(before.length));
  });

  it('calls the listen it is given, not what a program has put in its place', async () => {
    let calls = 0;
    Server.prototype.listen = function (this: Server) {
      calls += 1;
      return this;
    } as typeof own;
    await warmUpHttp(own as Listen);
    expect(calls).toBe(0);
  });

  it('does without a socket where none can be had', async () => {
    let connections = 0;
    const listen: Listen = function () {
      this.on('connection', () => {
        connections += 1;
      });
      process.nextTick(() => this.emit('error', new Error('EACCES')));
      return this;
    };
    await warmUpHttp(listen);
    expect(connections).toBe(3);
  });
});
