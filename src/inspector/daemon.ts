/**
 * A daemon's control socket, as the inspector uses it: questions, orders, and the stream of events.
 */
import http from 'node:http';
import { messageSplitter, type StreamMessage } from './event-stream.js';

export interface DaemonAnswer {
  readonly status: number;
  readonly body: string;
}

/** No honest answer is longer. */
const ANSWER_BYTES = 4 * 1_048_576;

/**
 * One request. Rejects when nobody listens, when the connection breaks, and when it takes longer than `limitMs`.
 *
 * @param limitMs null: as long as it takes.
 */
export const askDaemon = (
  controlPath: string,
  method: 'GET' | 'POST',
  path: string,
  limitMs: number | null,
): Promise<DaemonAnswer> =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath: controlPath, method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        chunks.push(chunk);
        if (sizeBytes > ANSWER_BYTES) request.destroy(new Error('the answer does not end'));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    const timer =
      limitMs === null ? null : setTimeout(() => request.destroy(new Error('no answer')), limitMs);
    request.on('close', () => {
      if (timer !== null) clearTimeout(timer);
      reject(new Error('the connection ended before the answer'));
    });
    request.on('error', reject);
    request.end();
  });

/** Asks for the stop: answered at once, while the connection stays open until the last process has gone. */
export const askToStop = (controlPath: string, limitMs: number): Promise<DaemonAnswer> =>
  new Promise((resolve, reject) => {
    const options = { socketPath: controlPath, method: 'POST', path: '/stop', agent: false };
    const request = http.request(options, (response) => {
      clearTimeout(timer);
      response.on('error', () => undefined).resume();
      resolve({ status: response.statusCode ?? 0, body: '{"outcome":"stopping"}' });
    });
    const timer = setTimeout(() => request.destroy(new Error('no answer')), limitMs);
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
    request.end();
  });

export interface EventHandlers {
  readonly onMessages: (messages: readonly StreamMessage[]) => void;
  /** Called once: the generation has ended, or cannot be listened to. */
  readonly onEnd: () => void;
}

/**
 * Listens to the events of whoever is in charge now.
 *
 * @param since number of the last event that is known; null for none.
 * @returns what ends it.
 */
export const listenToDaemon = (
  controlPath: string,
  since: number | null,
  { onMessages, onEnd }: EventHandlers,
): (() => void) => {
  const path = since === null ? '/events' : `/events?since=${since}`;
  const request = http.get({ socketPath: controlPath, path, agent: false }, (response) => {
    if (response.statusCode !== 200) return request.destroy();
    const split = messageSplitter();
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      try {
        onMessages(split(chunk));
      } catch (error) {
        request.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    // What ended it is told by `close`.
    response.on('error', () => undefined);
    return undefined;
  });
  request.on('error', () => undefined);
  request.once('close', onEnd);
  return () => request.destroy();
};
