/**
 * An answer that goes on, a little at a time: what comes closely together is written together.
 *
 * One write costs the process more than the event that it tells of.
 */
import type { ServerResponse } from 'node:http';
import type { OpenAnswer } from './env.js';

const GATHER_MS = 20;
/** So much is not waited with. Characters. */
const MOST_CHARS = 262_144;

export interface GatheredStream extends OpenAnswer {
  /** Writes what is gathered, and ends the answer. */
  end(): void;
}

/** The first text after a silence goes at once. */
export const gatheredStream = (response: ServerResponse): GatheredStream => {
  let [waiting, chars] = [[] as string[], 0];
  let timer: NodeJS.Timeout | null = null;
  const isOver = (): boolean => response.writableEnded || response.destroyed;
  const flush = (): void => {
    if (waiting.length > 0 && !isOver()) response.write(waiting.join(''));
    [waiting, chars] = [[], 0];
  };
  const rest = (): void => {
    timer = null;
    if (waiting.length === 0) return;
    flush();
    timer = setTimeout(rest, GATHER_MS);
  };
  response.once('close', () => {
    if (timer !== null) clearTimeout(timer);
  });
  return {
    write: (text) => {
      if (isOver()) return 0;
      waiting.push(text);
      chars += text.length;
      if (timer === null || chars > MOST_CHARS) flush();
      timer ??= setTimeout(rest, GATHER_MS);
      return response.writableLength + chars;
    },
    abort: () => response.destroy(),
    end: () => {
      flush();
      response.end();
    },
  };
};
