import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Follower } from '../../src/inspector/follower.js';

/** A daemon that says what it is told to: only its control socket. */
class FakeDaemon {
  readonly controlPath: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tanist-follower-'));
  readonly #server: http.Server;
  readonly #listeners: http.ServerResponse[] = [];
  /** Answers to /status wait here while it is not null. */
  #held: (() => void)[] | null = null;

  constructor() {
    this.controlPath = join(this.#directory, 'x.sock');
    this.#server = http.createServer(({ url }, response) => {
      if (url !== '/status') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
        this.#listeners.push(response);
        return;
      }
      // As it is when it is asked: it may have changed by the time this is read.
      const answer = () => response.end(JSON.stringify({ pid: 7, state: 'running', journal: null }));
      if (this.#held === null) answer();
      else this.#held.push(answer);
    });
    onTestFinished(() => {
      this.die();
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }

  listen(): Promise<void> {
    // Closing the server removes the name it was bound to: what becomes of the other is the tests' business.
    const bound = join(this.#directory, 'bound');
    return new Promise((resolve) => {
      this.#server.listen({ path: bound }, () => {
        renameSync(bound, this.controlPath);
        resolve();
      });
    });
  }

  hold(): void {
    this.#held ??= [];
  }

  get isAsked(): boolean {
    return (this.#held ?? []).length > 0;
  }

  answer(): void {
    for (const give of this.#held?.splice(0) ?? []) give();
  }

  get isListenedTo(): boolean {
    return this.#listeners.length > 0;
  }

  /** What a supervisor that was asked to stop writes. */
  sayStopping(): void {
    const entry = {
      seq: 9,
      time: new Date(9).toISOString(),
      generation: 1,
      pid: 7,
      actor: 'supervisor',
      event: { type: 'stop.requested' },
      from: 'running',
      to: 'stopping.draining',
      effects: [],
    };
    for (const response of this.#listeners) response.write(`id: 9\ndata: ${JSON.stringify(entry)}\n\n`);
  }

  removePath(): void {
    rmSync(this.controlPath);
  }

  die(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const followed = async () => {
  const daemon = new FakeDaemon();
  await daemon.listen();
  const links: string[] = [];
  const entries = vi.fn();
  const follower = new Follower({
    controlPath: daemon.controlPath,
    onEntries: entries,
    onStatus: () => undefined,
    onLink: ({ state }) => links.push(state),
  });
  onTestFinished(() => follower.close());
  await vi.waitFor(() => expect(daemon.isListenedTo).toBe(true));
  expect(links).toEqual(['connecting', 'connected']);
  return { daemon, links, entries };
};

it('takes a daemon that gave its path back for stopped, also when no event told of it', async () => {
  const { daemon, links } = await followed();
  daemon.removePath();
  daemon.die();
  await vi.waitFor(() => expect(links.at(-1)).toBe('ended'), 5_000);
});

it('takes a daemon that left its path behind for lost', async () => {
  const { daemon, links } = await followed();
  daemon.die();
  await vi.waitFor(() => expect(links.at(-1)).toBe('disconnected'), 5_000);
});

it('believes the word of the end more than an answer to what was asked before it', async () => {
  const { daemon, links, entries } = await followed();
  daemon.hold();
  await vi.waitFor(() => expect(daemon.isAsked).toBe(true), 5_000);
  daemon.sayStopping();
  await vi.waitFor(() => expect(entries).toHaveBeenCalled());
  daemon.answer();
  await vi.waitFor(() => expect(daemon.isAsked).toBe(true), 5_000);
  daemon.die();
  await vi.waitFor(() => expect(links.at(-1)).toBe('ended'), 5_000);
});

it('waits for a daemon that has never been there', async () => {
  const links: string[] = [];
  const daemon = new FakeDaemon();
  const follower = new Follower({
    controlPath: daemon.controlPath,
    onEntries: () => undefined,
    onStatus: () => undefined,
    onLink: ({ state }) => links.push(state),
  });
  onTestFinished(() => follower.close());
  await new Promise((resolve) => setImmediate(resolve));
  await daemon.listen();
  await vi.waitFor(() => expect(links).toEqual(['connecting', 'connected']), 5_000);
});
