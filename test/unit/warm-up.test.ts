import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Listen } from '../../src/worker/listening.js';
import { warmUp } from '../../src/worker/warm-up.js';

const own = Server.prototype.listen;
afterEach(() => {
  Server.prototype.listen = own;
});

const sockets = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((kind) => /Pipe|TCP/.test(kind));
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('the warm-up', () => {
  it('has answered, through the kernel where there are names that are no files, and leaves nothing', async () => {
    const before = [sockets().length, timers()] as const;
    const listened: unknown[] = [];
    let connections = 0;
    const listen: Listen = function (...args) {
      listened.push(args[0]);
      this.on('connection', () => {
        connections += 1;
      });
      return own.apply(this, args as Parameters<typeof own>);
    };
    await warmUp(true, listen);
    expect(timers()).toBeLessThanOrEqual(before[1]);
    if (process.platform === 'linux')
      expect(listened).toEqual([{ path: expect.stringMatching(/^\0tanist-warm-up-/), exclusive: true }]);
    expect(connections).toBe(3);
    await vi.waitFor(() => expect(sockets().length).toBeLessThanOrEqual(before[0]));
  });

  it('accepts without HTTP where a program serves none', async () => {
    let [connections, requests] = [0, 0];
    const listen: Listen = function (...args) {
      this.on('connection', () => {
        connections += 1;
      });
      return own.apply(this, args as Parameters<typeof own>);
    };
    const count = () => {
      requests += 1;
    };
    subscribe('http.server.request.start', count);
    await warmUp(false, listen);
    unsubscribe('http.server.request.start', count);
    expect([connections, requests]).toEqual([3, 0]);
  });

  it('calls the listen it is given, not what a program has put in its place', async () => {
    let calls = 0;
    Server.prototype.listen = function (this: Server) {
      calls += 1;
      return this;
    } as typeof own;
    await warmUp(true, own as Listen);
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
    await warmUp(true, listen);
    expect(connections).toBe(3);
  });
});
