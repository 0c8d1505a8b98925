import type { SuccessorInput, SuccessorOrder } from '../../machines/contracts.js';
import type { Counters } from '../../machines/counters.js';
import type { LinkFact, SuccessorFact } from '../../machines/events.js';
import { MAX_DURATION_MS } from '../../machines/policy.js';
import type { DescriptorSource, Env } from '../os/env.js';
import type { Relaunch } from '../program.js';
import { VARIABLES } from '../protocol/environment.js';
import type { Message } from '../protocol/succession.js';
import { parseIdentities } from '../protocol/succession.js';
import { effect, failureOf, type Unstamped } from './effect.js';
import { createLink, detailOf, type Link, reasonOf } from './link.js';

type Fact = Unstamped<SuccessorFact | LinkFact>;

/** The socket to the predecessor, in every successor. */
const MESSAGES_FD = 3;

/** Sockets that one reload needs, made before the successor starts. */
interface Sockets {
  /** One byte in a closed stream, of which both generations hold the reading end. */
  readonly token: number;
  readonly lifeWrite: number;
  readonly lifeRead: number;
}

const makeSockets = async (env: Env): Promise<Sockets> => {
  const token = await env.makeToken();
  try {
    const [lifeWrite, lifeRead] = await env.socketPair();
    return { token, lifeWrite, lifeRead };
  } catch (error) {
    env.close(token);
    throw error;
  }
};

const layoutOf = (
  { descriptors, record }: SuccessorInput,
  sockets: Sockets,
  output: readonly [number, number],
) => {
  const sources: DescriptorSource[] = ['null', ...output, 'stream'];
  const put = (source: number): number => sources.push(source) - 1;
  const numbers = {
    lock: descriptors.lock === null ? null : put(descriptors.lock),
    token: put(sockets.token),
    lifeWrite: put(sockets.lifeWrite),
    lifeRead: put(sockets.lifeRead),
    peerRead: put(descriptors.lifeRead),
    fence: descriptors.fence === null ? null : put(descriptors.fence),
    ...(descriptors.anchor === null ? {} : { anchor: put(descriptors.anchor) }),
  };
  const listeners = record.listeners.map((listener) => ({
    ...listener,
    descriptor: put(listener.descriptor),
  }));
  return { sources, record: { ...record, descriptors: numbers, listeners } };
};

const factOf = (message: Message): Fact | null => {
  switch (message.say) {
    case 'takeover':
      return { type: 'takeover.requested' };
    case 'activated':
      return {
        type: 'successor.activated',
        probationMs: durationOf(message.probationMs),
        limitMs: durationOf(message.limitMs),
      };
    case 'failed':
      return { type: 'successor.failed', reason: reasonOf(message), detail: detailOf(message) };
    case 'committed':
      return { type: 'successor.committed' };
    case 'stop':
      return { type: 'stop.relayed' };
    case 'workers':
      return { type: 'successor.workers', workers: parseIdentities(message.workers) };
    default:
      return null;
  }
};

/** Longer than any sum of settings is nobody's duration. */
const LONGEST_MS = 4 * MAX_DURATION_MS;

const durationOf = (value: unknown): number =>
  typeof value === 'number' && value >= 0 ? Math.min(value, LONGEST_MS) : 0;

/** What of the original program is gone, in words; null when all is there. */
const missing = (env: Env, { startDirectory, script, node }: Relaunch): string | null => {
  if (!env.exists(startDirectory)) return `the start directory ${startDirectory} is gone`;
  if (!env.exists(script)) return `the program ${script} is gone`;
  if (!env.exists(node)) return `${node} is gone`;
  return null;
};

/** What a successor is started with. */
export interface SuccessorOptions {
  /** This program, to be started again. */
  readonly relaunch: Relaunch;
  /** Standard output and standard error of every process that is started. */
  readonly output: () => readonly [number, number];
  /** What the next generation counts on from. */
  readonly counters?: () => Counters;
}

/** The next generation's supervisor, and our end of everything that ties us to it. */
export const createSuccessor = (env: Env, { relaunch, output, counters }: SuccessorOptions) =>
  effect<SuccessorInput, SuccessorOrder, SuccessorFact | LinkFact>(
    env,
    ({ input, report, onOrder, ended }) => {
      const { generation } = input.record;
      const early: SuccessorOrder[] = [];
      let link: Link | null = null;
      let pid = 0;
      let life: { close(): void } | null = null;

      const obey = (order: SuccessorOrder) => {
        if (link === null) early.push(order);
        else if (order.type === 'successor.kill') env.signalChild(pid, 'SIGKILL', true);
        else link.obey(order);
      };
      const unspawned = (failure: { code: string; message: string }) =>
        report({ type: 'successor.unspawned', generation, ...failure });

      const start = (sockets: Sockets) => {
        const { sources, record } = layoutOf(input, sockets, output());
        env.spawn({
          role: 'successor',
          file: relaunch.node,
          // Without the dashes Node takes an --env-file behind the script for its own, and refuses to start without it.
          args: [...relaunch.nodeArgs, '--', relaunch.script, ...relaunch.args],
          cwd: relaunch.startDirectory,
          env: { ...relaunch.env, PWD: relaunch.startDirectory, [VARIABLES.handoverFd]: String(MESSAGES_FD) },
          descriptors: sources,
          onSpawn: (child) => {
            pid = child.pid;
            env.close(sockets.lifeWrite);
            life = env.openStream(sockets.lifeRead, {
              onData: () => undefined,
              onEnd: () => report({ type: 'successor.departed' }),
            });
            link = createLink({
              env,
              messages: child.streams[0] ?? -1,
              token: sockets.token,
              report,
              onMessage: (message) => {
                const fact = factOf(message);
                if (fact !== null) report(fact);
              },
              // Its exit says more than the end of the socket, and says it as soon.
              onEnd: () => undefined,
            });
            link.say(counters === undefined ? record : { ...record, counters: counters() });
            report({ type: 'successor.spawned', generation, pid, startTime: child.startTime });
            for (const order of early.splice(0)) obey(order);
          },
          onFailure: (failure) => {
            for (const descriptor of Object.values(sockets)) env.close(descriptor);
            unspawned(failure);
          },
          onExit: ({ code, signal }) => report({ type: 'successor.exited', pid, code, signal }),
        });
      };

      onOrder(obey);
      const gone = missing(env, relaunch);
      if (gone !== null) {
        unspawned({
          code: 'TANIST_SPAWN_FAILED',
          message: `${gone}: a reload starts the original program again`,
        });
        return undefined;
      }
      makeSockets(env).then(
        (sockets) => {
          if (ended()) for (const descriptor of Object.values(sockets)) env.close(descriptor);
          else start(sockets);
        },
        (error: unknown) => unspawned(failureOf(error, 'TANIST_SPAWN_FAILED')),
      );
      return () => {
        link?.close();
        life?.close();
      };
    },
  );
