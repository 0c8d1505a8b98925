/**
 * The browsers that look on: each takes entries from the history as fast as it reads, and holds nobody up.
 */
import type { ServerResponse } from 'node:http';
import type { History } from './history.js';

/** What there is only one of: the latest replaces the one before. */
export type Topic = 'hello' | 'link' | 'status' | 'usage';

/** At once in the buffers of one connection, and no more. */
const BATCH_CHARS = 262_144;
const HEARTBEAT_MS = 15_000;

export interface AudienceOptions {
  readonly history: History;
  /** How many may look on at once. */
  readonly most: number;
  /** One who takes nothing for so long is dropped. Milliseconds. */
  readonly stallMs: number;
}

interface Viewer {
  readonly response: ServerResponse;
  /** Index of the last entry that was handed to it. */
  sent: number;
  readonly topics: Set<Topic>;
  isFull: boolean;
  progressAtMs: number;
}

export class Audience {
  readonly #options: AudienceOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #latest = new Map<Topic, string>();
  readonly #timer: NodeJS.Timeout;
  #heartbeatAtMs = 0;
  /** How many were dropped because they did not read. */
  dropped = 0;

  constructor(options: AudienceOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), Math.min(1_000, options.stallMs));
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** @returns false when too many look on already. */
  admit(response: ServerResponse, after: number): boolean {
    if (this.#viewers.size >= this.#options.most) return false;
    const sent = after <= this.#options.history.last ? after : 0;
    const viewer: Viewer = {
      response,
      sent,
      topics: new Set(this.#latest.keys()),
      isFull: false,
      progressAtMs: performance.now(),
    };
    this.#viewers.add(viewer);
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('drain', () => {
      viewer.isFull = false;
      viewer.progressAtMs = performance.now();
      this.#pump(viewer);
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sent === after ? 'retry: 1000\n\n' : 'retry: 1000\nevent: reset\ndata: {}\n\n');
    this.#pump(viewer);
    return true;
  }

  tell(topic: Topic, value: unknown): void {
    this.#latest.set(topic, JSON.stringify(value));
    for (const viewer of this.#viewers) {
      viewer.topics.add(topic);
      this.#pump(viewer);
    }
  }

  /** There are new entries in the history. */
  wake(): void {
    for (const viewer of this.#viewers) this.#pump(viewer);
  }

  /** What was told last is on its way after one more turn of the event loop. */
  close(): void {
    clearInterval(this.#timer);
    for (const { response } of this.#viewers) response.end();
  }

  /** Writes until the connection has enough: what follows waits in the history, which is bounded. */
  #pump(viewer: Viewer): void {
    while (!viewer.isFull) {
      const text = this.#next(viewer);
      if (text === null) return;
      viewer.isFull = !viewer.response.write(text);
      if (!viewer.isFull) viewer.progressAtMs = performance.now();
    }
  }

  #next(viewer: Viewer): string | null {
    const [topic] = viewer.topics;
    if (topic !== undefined) {
      viewer.topics.delete(topic);
      return `event: ${topic}\ndata: ${this.#latest.get(topic) ?? 'null'}\n\n`;
    }
    const batch = this.#options.history.batch(viewer.sent, BATCH_CHARS);
    if (batch === null) return null;
    viewer.sent = batch.last;
    return `event: entries\nid: ${batch.last}\ndata: ${batch.json}\n\n`;
  }

  #look(): void {
    const now = performance.now();
    const isDue = now - this.#heartbeatAtMs > HEARTBEAT_MS;
    if (isDue) this.#heartbeatAtMs = now;
    for (const viewer of this.#viewers) {
      if (viewer.isFull && now - viewer.progressAtMs > this.#options.stallMs) {
        this.dropped += 1;
        viewer.response.destroy();
      } else if (isDue && !viewer.isFull) viewer.isFull = !viewer.response.write(': still here\n\n');
    }
  }
}
