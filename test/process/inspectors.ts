/**
 * The inspector under test: started as a command, and asked over plain HTTP as a browser or an enemy would.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import http from 'node:http';
import { onTestFinished } from 'vitest';
import type { JournalEntry } from '../../src/journal/entry.js';
import { FACT_TIMEOUT_MS, root, tanistScript, until, type World } from './harness.js';

export interface Page {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** `name=value`, as the browser sends it back. */
  readonly cookie: string;
  readonly child: ChildProcess;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/** One request to a port of 127.0.0.1, with these headers and no others that matter. */
export const ask = (
  port: number,
  { path = '/', method = 'GET', headers = {}, body }: Ask = {},
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
        response.on('error', reject);
      },
    );
    request.setTimeout(FACT_TIMEOUT_MS, () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body);
  });

/** What the first visit gives. */
export const cookieOf = async (url: string): Promise<string> => {
  const { port, pathname, search } = new URL(url);
  const { headers } = await ask(Number(port), { path: pathname + search });
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
};

/** `tanist inspect --json …`, as soon as it has said where it is. */
export const inspect = async (world: World, ...words: readonly string[]): Promise<Page> => {
  const child = spawn(process.execPath, [tanistScript, 'inspect', '--json', ...words], {
    env: world.env,
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk;
    });
  const line = await until(
    () => `the address of the page in ${JSON.stringify(said)}`,
    () => /^\{"name".*\}$/m.exec(said)?.[0],
  );
  const { url } = JSON.parse(line) as { url: string };
  const { host, port, searchParams } = new URL(url);
  const token = searchParams.get('token') ?? '';
  return { url, host, port: Number(port), token, cookie: await cookieOf(url), child };
};

/** Somebody who looks on. */
export class Onlooker {
  readonly #request: http.ClientRequest;
  #response: http.IncomingMessage | null = null;
  #text = '';
  isClosed = false;

  constructor(port: number, cookie: string, lastId?: number) {
    const headers = { cookie, ...(lastId === undefined ? {} : { 'last-event-id': String(lastId) }) };
    this.#request = http.get(
      { host: '127.0.0.1', port, path: '/stream', headers, agent: false },
      (response) => {
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
      },
    );
    this.#request.on('error', () => {
      this.isClosed = true;
    });
    onTestFinished(() => this.close());
  }

  status(): Promise<number> {
    return until('the head of the stream', () => this.#response?.statusCode);
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  get text(): string {
    return this.#text;
  }

  /** The data of all messages of a name. */
  messages<T>(name: string): T[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.split('\n').includes(`event: ${name}`))
      .map((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as T);
  }

  entries(): JournalEntry[] {
    return this.messages<JournalEntry[]>('entries').flat();
  }

  link(): string | undefined {
    return this.messages<{ state: string }>('link').at(-1)?.state;
  }

  lastId(): number {
    return Number(
      this.#text
        .match(/^id: (\d+)$/gm)
        ?.at(-1)
        ?.slice(4) ?? 0,
    );
  }
}
