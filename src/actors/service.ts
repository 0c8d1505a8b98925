import type { ServiceFact, ServiceInput, ServiceOrder } from '../../machines/anchor.js';
import type { Env, Stream } from '../os/env.js';
import { parseCount, parseFailure } from '../protocol/anchor.js';
import { formatMessage, type Message, parseIdentity } from '../protocol/succession.js';
import { effect, failureOf, type Unstamped } from './effect.js';
import { openMessages } from './message-stream.js';

const factOf = (message: Message): Unstamped<ServiceFact> | null => {
  switch (message.say) {
    case 'charged': {
      const identity = parseIdentity(message);
      return identity && { type: 'service.charged', ...identity, generation: parseCount(message.generation) };
    }
    case 'concluded':
      return { type: 'service.concluded', failure: parseFailure(message.failure) };
    default:
      return null;
  }
};

/** The first process's end of the socket pair that ties it to every later generation. */
export const createService = (env: Env) =>
  effect<ServiceInput, ServiceOrder, ServiceFact>(env, ({ report, onOrder, ended }) => {
    // What is closed is forgotten: its number may be somebody else's by then.
    const open = new Set<number>();
    const close = (descriptor: number) => {
      if (open.delete(descriptor)) env.close(descriptor);
    };
    let [near, far] = [-1, -1];
    let stream: Stream | null = null;
    env.socketPair().then(
      (pair) => {
        [near, far] = pair;
        for (const descriptor of pair) open.add(descriptor);
        if (ended()) for (const descriptor of pair) close(descriptor);
        else report({ type: 'service.prepared', descriptor: far });
      },
      (error: unknown) => report({ type: 'service.failed', ...failureOf(error, 'TANIST_RUN_DIR') }),
    );
    onOrder((order) => {
      if (order.type === 'service.forward') {
        stream?.write(formatMessage({ say: 'signal', signal: order.signal, stops: order.stops }));
        return;
      }
      // As long as we hold it ourselves, its end would never be seen.
      close(far);
      open.delete(near);
      stream = openMessages(env, near, {
        onMessage: (message) => {
          const fact = factOf(message);
          if (fact !== null) report(fact);
        },
        onEnd: () => report({ type: 'service.ended' }),
      });
    });
    return () => {
      stream?.close();
      for (const descriptor of [...open]) close(descriptor);
    };
  });
