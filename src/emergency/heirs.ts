/**
 * The other generation in an emergency: it decides what becomes of the service.
 */
import type { Failure } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { cutMessage } from '../protocol/anchor.js';
import { formatMessage } from '../protocol/succession.js';
import type { Child, Holdings } from './holdings.js';

const NOBODY_LISTENS = { onData: () => undefined, onEnd: () => undefined };

/** Says something on a socket, whether an effect has opened it or not. */
export const say = (env: Env, holdings: Holdings, descriptor: number, message: object): void => {
  const stream = holdings.streams.get(descriptor) ?? env.openStream(descriptor, NOBODY_LISTENS);
  stream.write(formatMessage(message));
};

/** In the words in which every successor fails: the predecessor aborts, and kills what is left. */
export const tellPredecessor = (env: Env, holdings: Holdings, messages: number, failure: Failure): void =>
  say(env, holdings, messages, { say: 'failed', reason: 'exited', detail: cutMessage(failure.message) });

/** The end of its socket tells a successor that it is alone. */
export const endLink = (env: Env, holdings: Holdings, successor: Child): void => {
  for (const descriptor of successor.streams) close(env, holdings, descriptor);
};

export const close = (env: Env, holdings: Holdings, descriptor: number): void => {
  const stream = holdings.streams.get(descriptor);
  // After its end the number may be another's.
  if (!holdings.forget(descriptor)) return;
  if (stream === undefined) env.close(descriptor);
  else stream.close();
};
