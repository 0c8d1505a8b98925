/**
 * One request of the load, from the moment it is due until it is over.
 */
import http from 'node:http';
import type { Socket } from 'node:net';
import { type LoadPlan, monotonicMs, type Outcome, type Sample } from './plan.js';

export interface Due {
  readonly dueAtMs: number;
  /** The connection of a client that keeps it; null for a connection of the request's own. */
  readonly agent: http.Agent | null;
}

/** A request under way. */
export interface UnderWay {
  readonly due: Due;
  /** Ends it as one that had no answer in time. */
  expire(): void;
}

const outcomeOf = (error: NodeJS.ErrnoException): Outcome => {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused';
    // Node's "socket hang up" has this code too.
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset';
    case 'ETIMEDOUT':
      return 'timeout';
    default:
      return 'other';
  }
};

/**
 * @param isDoomed whether a local port belonged to a connection to a worker that was killed.
 * @param onEnd called once.
 */
export const startRequest = (
  due: Due,
  plan: LoadPlan,
  isDoomed: (port: number) => boolean,
  onEnd: (request: UnderWay, sample: Sample) => void,
): UnderWay => {
  const lagMs = monotonicMs() - due.dueAtMs;
  let port = 0;
  let over = false;
  const end = (outcome: Outcome, detail: string | null) => {
    if (over) return;
    over = true;
    const latencyMs = monotonicMs() - due.dueAtMs;
    onEnd(underWay, { dueAtMs: due.dueAtMs, latencyMs, lagMs, outcome, kept: due.agent !== null, detail });
  };
  const fail = (error: NodeJS.ErrnoException) =>
    end(isDoomed(port) ? 'lost' : outcomeOf(error), `${error.code ?? ''} ${error.message}`.trim());
  const { host, path } = plan;
  const outgoing = http.get({ host, port: plan.port, path, agent: due.agent ?? false }, (incoming) => {
    const status = incoming.statusCode ?? 0;
    incoming.on('error', fail);
    incoming.on('end', () => (status === 200 ? end('ok', null) : end('status', `status ${status}`)));
    incoming.resume();
  });
  outgoing.on('error', fail);
  outgoing.once('socket', (socket: Socket) => {
    const learnPort = () => {
      port = socket.localPort ?? 0;
    };
    if (socket.connecting) socket.once('connect', learnPort);
    else learnPort();
  });
  const underWay: UnderWay = {
    due,
    expire: () => {
      end('timeout', `no answer within ${plan.timeoutMs} ms`);
      outgoing.destroy();
    },
  };
  return underWay;
};
