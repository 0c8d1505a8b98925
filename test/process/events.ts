/**
 * Somebody who listens to the journal of a daemon on its control socket.
 */
import http from 'node:http';
import type { JournalEntry } from '../../src/journal/entry.js';
import { FACT_TIMEOUT_MS, until } from './harness.js';

/** One message of an event stream. */
export interface Message {
  /** `message` where it has no name. */
  readonly event: string;
  readonly id: number;
  readonly data: string;
}

const messageOf = (block: string): Message | null => {
  const fields = new Map(
    block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^[^:]*: /, '')]),
  );
  const data = fields.get('data');
  if (data === undefined) return null;
  return { event: fields.get('event') ?? 'message', id: Number(fields.get('id')), data };
};

export class EventListener {
  readonly #request: http.ClientRequest;
  #text = '';
  #response: http.IncomingMessage | null = null;
  isClosed = false;

  constructor(socketPath: string, query = '') {
    this.#request = http.get({ socketPath, path: `/events${query}`, agent: false }, (response) => {
      this.#response = response;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        this.#text += chunk;
      });
      response.on('close', () => {
        this.isClosed = true;
      });
      // Whoever is cut off in the middle is told by `close`.
      response.on('error', () => undefined);
    });
    this.#request.setTimeout(FACT_TIMEOUT_MS);
    this.#request.on('error', () => {
      this.isClosed = true;
    });
  }

  get receivedChars(): number {
    return this.#text.length;
  }

  /** Waits for the head of the answer. */
  status(): Promise<number> {
    return until('the head of the event stream', () => this.#response?.statusCode);
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  get contentType(): string | undefined {
    return this.#response?.headers['content-type'];
  }

  messages(name?: string): Message[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((block) => messageOf(block) ?? [])
      .filter(({ event }) => name === undefined || event === name);
  }

  /** What was told as an event or as a snapshot. */
  entries(name: 'message' | 'snapshot' = 'message'): JournalEntry[] {
    return this.messages(name).map(({ data }) => JSON.parse(data) as JournalEntry);
  }

  /** Waits for an event of that type. */
  entry(type: string): Promise<JournalEntry> {
    return until(`the event ${type}`, () => this.entries().find(({ event }) => event.type === type));
  }
}
