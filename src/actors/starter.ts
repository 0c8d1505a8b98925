import type { StarterInput, StarterOrder } from '../../machines/contracts.js';
import type { StarterFact } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { READY, starterLine } from '../protocol/starter.js';
import { effect } from './effect.js';

/**
 * The command that waits for a daemonized start: told that every worker is ready, or seen to end before.
 *
 * The socket stays open to the end of the process where it was not told: whoever ends the process says why.
 */
export const createStarter = (env: Env) =>
  effect<StarterInput, StarterOrder, StarterFact>(env, ({ input, report, onOrder }) => {
    let told = false;
    const stream = env.openStream(input.descriptor, {
      background: true,
      onData: () => undefined,
      onEnd: () => {
        if (!told) report({ type: 'starter.gone' });
      },
    });
    onOrder(() => {
      told = true;
      // It ends, and with it the socket.
      stream.write(starterLine(READY));
    });
    return undefined;
  });
