import type { LinkOrder } from '../../machines/contracts.js';
import type { LinkFact } from '../../machines/events.js';
import type { ReloadReason } from '../../machines/status.js';
import type { Dispose, Env, Stream } from '../os/env.js';
import { LineSplitter } from '../protocol/lines.js';
import { formatMessage, type Message, parseMessage, SUCCESSION_LINE_BYTES } from '../protocol/succession.js';
import type { Unstamped } from './effect.js';
import { killLeftovers } from './kill.js';

export interface LinkOptions {
  readonly env: Env;
  readonly messages: number;
  readonly token: number;
  readonly report: (fact: Unstamped<LinkFact>) => void;
  readonly onMessage: (message: Message) => void;
  readonly onEnd: () => void;
}

export interface Link {
  say(message: object): void;
  obey(order: LinkOrder): void;
  close(): void;
}

/** What both generations do with the socket, the token and the leftovers between them. */
export const createLink = (options: LinkOptions): Link => {
  const { env, report } = options;
  const splitter = new LineSplitter(SUCCESSION_LINE_BYTES);
  let stopLooking: Dispose = () => {
    // Nobody looks.
  };
  const stream: Stream = env.openStream(options.messages, {
    onData: (chunk) => {
      for (const fact of splitter.push(chunk)) {
        const message = fact.kind === 'line' ? parseMessage(fact.text) : null;
        if (message !== null) options.onMessage(message);
      }
    },
    onEnd: options.onEnd,
  });
  return {
    say: (message) => {
      stream.write(formatMessage(message));
    },
    obey(order) {
      switch (order.type) {
        case 'inbox.read':
          stopLooking();
          stopLooking = env.afterPoll(() => report({ type: 'inbox.empty' }));
          return;
        case 'token.take':
          report({ type: env.takeToken(options.token) ? 'token.taken' : 'token.gone' });
          return;
        case 'link.say':
          stream.write(formatMessage(order.message));
          return;
        case 'leftovers.kill':
          report({ type: 'leftovers.counted', remaining: killLeftovers(env, order.leftovers) });
          return;
      }
    },
    close() {
      stopLooking();
      stream.close();
      env.close(options.token);
    },
  };
};

const REASONS: readonly string[] = [
  'spawn-failed',
  'exited',
  'worker-exited',
  'start-timeout',
  'not-ready',
  'reload-timeout',
  'config-invalid',
  'health-failed',
  'takeover-timeout',
  'stopped',
  'incompatible',
] satisfies ReloadReason[];

/** The reason a message names; `exited` for one this tanist does not know. */
export const reasonOf = (message: Message): ReloadReason =>
  typeof message.reason === 'string' && REASONS.includes(message.reason)
    ? (message.reason as ReloadReason)
    : 'exited';

export const detailOf = (message: Message): string =>
  typeof message.detail === 'string' ? message.detail : '';
