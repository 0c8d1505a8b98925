import type { PredecessorInput, PredecessorOrder } from '../../machines/contracts.js';
import type { LinkFact, PredecessorFact } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { type Message, parseIdentities, parseIdentity } from '../protocol/succession.js';
import { effect, type Unstamped } from './effect.js';
import { createLink } from './link.js';

type Fact = Unstamped<PredecessorFact | LinkFact>;

const factOf = (message: Message): Fact | null => {
  switch (message.say) {
    case 'granted':
      return { type: 'predecessor.granted' };
    case 'draining':
      return { type: 'predecessor.draining' };
    case 'drained':
      return { type: 'predecessor.drained' };
    case 'anchored': {
      const identity = parseIdentity(message);
      return identity && { type: 'predecessor.anchored', ...identity };
    }
    case 'stop':
      return { type: 'stop.relayed' };
    case 'workers':
      return { type: 'predecessor.workers', workers: parseIdentities(message.workers) };
    case 'joined':
      return typeof message.id === 'string' ? { type: 'reload.joined', id: message.id } : null;
    default:
      return null;
  }
};

/** Our end of everything that ties us to the generation before us. */
export const createPredecessor = (env: Env) =>
  effect<PredecessorInput, PredecessorOrder, PredecessorFact | LinkFact>(
    env,
    ({ input, report, onOrder }) => {
      const link = createLink({
        env,
        messages: input.messages,
        token: input.token,
        report,
        onMessage: (message) => {
          const fact = factOf(message);
          if (fact !== null) report(fact);
        },
        onEnd: () => report({ type: 'predecessor.ended' }),
      });
      const life = env.openStream(input.lifeRead, {
        onData: () => undefined,
        onEnd: () => report({ type: 'predecessor.departed' }),
      });
      onOrder((order) => {
        if (order.type === 'predecessor.kill') env.signalProcess(input.predecessor, 'SIGKILL', false);
        else link.obey(order);
      });
      return () => {
        link.close();
        life.close();
      };
    },
  );
