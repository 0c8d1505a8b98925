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

/** A connection of ours: ports are used again, so the moment of its begin tells two with the same port apart. */
export interface Connection {
  readonly port: number;
  readonly beganAtMs: number;
}

const connections = new WeakMap<Socket, Connection>();

/** The connection of a socket, from the first moment at which it is known. */
const followConnection = (socket: Socket, learn: (connection: Connection) => void): void => {
  const known = connections.get(socket);
  if (known !== undefined) {
    learn(known);
    return;
  }
  const beganAtMs = monotonicMs();
  socket.once('connect', () => {
    const connection = { port: socket.localPort ?? 0, beganAtMs };
    connections.set(socket, connection);
    learn(connection);
  });
};

/**
 * @param isDoomed whether a connection was to a worker that has been killed since.
 * @param onEnd called once.
 */
export const startRequest = (
  due: Due,
  plan: LoadPlan,
  isDoomed: (connection: Connection) => boolean,
  onEnd: (request: UnderWay, sample: Sample) => void,
): UnderWay => {
  const lagMs = monotonicMs() - due.dueAtMs;
  let connection: Connection | null = null;
  let over = false;
  const end = (outcome: Outcome, detail: string | null) => {
    if (over) return;
    over = true;
    const latencyMs = monotonicMs() - due.dueAtMs;
    onEnd(underWay, { dueAtMs: due.dueAtMs, latencyMs, lagMs, outcome, kept: due.agent !== null, detail });
  };
  const fail = (error: NodeJS.ErrnoException) => {
    const lost = connection !== null && isDoomed(connection);
    end(lost ? 'lost' : outcomeOf(error), `${error.code ?? ''} ${error.message}`.trim());
  };
  const { host, path } = plan;
  const outgoing = http.get({ host, port: plan.port, path, agent: due.agent ?? false }, (incoming) => {
    const status = incoming.statusCode ?? 0;
    incoming.on('error', fail);
    incoming.on('end', () => (status === 200 ? end('ok', null) : end('status', `status ${status}`)));
    incoming.resume();
  });
  outgoing.on('error', fail);
  outgoing.once('socket', (socket: Socket) => {
    followConnection(socket, (found) => {
      connection = found;
    });
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
