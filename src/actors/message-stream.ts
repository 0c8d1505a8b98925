import type { Env, Stream } from '../os/env.js';
import { ANCHOR_LINE_BYTES } from '../protocol/anchor.js';
import { LineSplitter } from '../protocol/lines.js';
import { type Message, parseMessage } from '../protocol/succession.js';

/** A socket to the anchor, or from it: every message that is one, and the end. */
export const openMessages = (
  env: Env,
  descriptor: number,
  handlers: { readonly onMessage: (message: Message) => void; readonly onEnd: () => void },
): Stream => {
  const splitter = new LineSplitter(ANCHOR_LINE_BYTES);
  return env.openStream(descriptor, {
    onData: (chunk) => {
      for (const fact of splitter.push(chunk)) {
        const message = fact.kind === 'line' ? parseMessage(fact.text) : null;
        if (message !== null) handlers.onMessage(message);
      }
    },
    onEnd: handlers.onEnd,
  });
};
