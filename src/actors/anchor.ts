import type { AnchorFact, AnchorInput, AnchorOrder } from '../../machines/anchor.js';
import type { Request } from '../../machines/events.js';
import type { Dispose, Env, Stream } from '../os/env.js';
import { cutMessage, parseCount } from '../protocol/anchor.js';
import { formatMessage } from '../protocol/succession.js';
import { effect } from './effect.js';
import { openMessages } from './message-stream.js';
import { requestOf } from './signals.js';

/** Where no descriptor is left, the anchor's words wait in the socket until it is opened. */
const OPEN_RETRY_MS = 1_000;

/**
 * A later generation's end of the socket pair to the first process, while it is in charge.
 *
 * It reads a duplicate: when it stops, the descriptor itself is still there for another successor.
 */
export const createAnchor = (env: Env) =>
  effect<AnchorInput, AnchorOrder, AnchorFact | Request>(env, ({ input, report, onOrder }) => {
    const { descriptor, pid, startTime, generation } = input;
    let stream: Stream | null = null;
    let stopTimer: Dispose = () => {
      // No timer runs yet.
    };
    const duplicate = (): number | null => {
      try {
        return env.duplicate(descriptor);
      } catch {
        // EMFILE: workers and clients will give some back.
        return null;
      }
    };
    const open = () => {
      const ours = duplicate();
      if (ours === null) {
        stopTimer = env.setTimer(open, OPEN_RETRY_MS);
        return;
      }
      stream = openMessages(env, ours, {
        onMessage: (message) => {
          const request =
            message.say === 'signal' && typeof message.signal === 'string' ? requestOf(message.signal) : null;
          if (request !== null) report({ ...request, anchorStops: parseCount(message.stops) });
        },
        onEnd: () => {
          env.close(descriptor);
          report({ type: 'anchor.ended' });
        },
      });
      stream.write(formatMessage({ say: 'charged', pid, startTime, generation }));
    };
    open();
    onOrder(({ failure }) => {
      const said = failure && { code: failure.code, message: cutMessage(failure.message) };
      stream?.write(formatMessage({ say: 'concluded', failure: said }));
    });
    return () => {
      stopTimer();
      stream?.close();
    };
  });
