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
const LOOK_EVERY_MS = 1_000;

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
  /** How often it was looked at since it took something. */
  looks: number;
}

export class Audience {
  readonly #options: AudienceOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #latest = new Map<Topic, string>();
  readonly #timer: NodeJS.Timeout;
  /**
   * How often one may be found full: looks and not time, since this process may sleep itself. After a sleep its
   * timers come first, and only then what the browsers have taken meanwhile.
   */
  readonly #mostLooks: number;
  #heartbeatAtMs = 0;
  /** How many were dropped because they did not read. */
  dropped = 0;

  constructor(options: AudienceOptions) {
    this.#options = options;
    const everyMs = Math.min(LOOK_EVERY_MS, options.stallMs);
    this.#mostLooks = Math.ceil(options.stallMs / everyMs);
    this.#timer = setInterval(() => this.#look(), everyMs);
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
      looks: 0,
    };
    this.#viewers.add(viewer);
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('drain', () => {
      viewer.isFull = false;
      viewer.looks = 0;
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
      if (viewer.isFull) viewer.looks += 1;
      else if (isDue) viewer.isFull = !viewer.response.write(': still here\n\n');
      if (viewer.looks <= this.#mostLooks) continue;
      this.dropped += 1;
      // Its end is told later: until then it would be found full again.
      this.#viewers.delete(viewer);
      viewer.response.destroy();
    }
  }
}
