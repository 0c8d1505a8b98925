/**
 * Env on the simulated kernel: one per process, every call as the real door answers it.
 */

import { TanistError } from '../errors.js';
import type { Dispose, Env, EvidenceRequest, MemoryGauge, PidFile } from '../os/env.js';
import { childrenOf } from './children.js';
import { type Description, FileDescription, ListeningDescription, StreamEnd } from './descriptions.js';
import type { Machinery } from './machinery.js';
import { mayFail } from './machinery.js';
import type { SimulatedProcess } from './process.js';
import { openStream } from './streams.js';

const nothing = (): void => undefined;

/** How long it takes to look at a process. */
const EVIDENCE_MS = 10;

const pidOf = (content: string): number | null =>
  /^[1-9][0-9]*\n/.test(content) ? Number.parseInt(content, 10) : null;

const pidFileOf = (
  machinery: Machinery,
  process: SimulatedProcess,
  path: string,
  descriptor: number,
): PidFile => {
  const { kernel, off } = machinery;
  const inode = () => {
    const description = process.descriptors.get(descriptor);
    if (!(description instanceof FileDescription)) throw new Error(`EBADF: ${descriptor} is no file`);
    return description.inode;
  };
  return {
    descriptor,
    writePid(pid) {
      mayFail(machinery, 'writePid');
      kernel.happen({ kind: 'act', by: process, words: 'writes its pid' });
      if (!off.has('pid')) inode().content = `${pid}\n`;
    },
    remove(pid) {
      mayFail(machinery, 'removePid');
      const written = pidOf(inode().content);
      if (kernel.files.get(path) === inode() && (written === null || written === pid))
        kernel.files.delete(path);
    },
  };
};

const locks = (machinery: Machinery, process: SimulatedProcess) => {
  const { kernel, off } = machinery;
  const isFree = (description: FileDescription, mode: 'exclusive' | 'shared', safeguard: 'lock' | 'fence') =>
    description.lock(mode) || off.has(safeguard);
  return {
    lockPidFile: (path, inherited) => {
      if (inherited !== null)
        return { outcome: 'acquired', file: pidFileOf(machinery, process, path, inherited) };
      mayFail(machinery, 'lockPidFile');
      const description = kernel.open(path);
      const descriptor = process.install(description);
      if (isFree(description, 'exclusive', 'lock')) {
        return { outcome: 'acquired', file: pidFileOf(machinery, process, path, descriptor) };
      }
      const holderPid = pidOf(description.inode.content);
      process.closeDescriptor(descriptor);
      return { outcome: 'held', holderPid };
    },
    openFence: (path) => {
      mayFail(machinery, 'openFence');
      return process.install(kernel.open(path));
    },
    tryLock: (descriptor, mode) => {
      mayFail(machinery, 'tryLock');
      const description = process.descriptors.get(descriptor);
      return description instanceof FileDescription && isFree(description, mode, 'fence');
    },
    holdersOf: (path) => {
      const inode = kernel.files.get(path);
      const holds = (description: Description) =>
        description instanceof FileDescription && description.inode === inode;
      return [...kernel.processes.values()]
        .filter((other) => other !== process && [...other.descriptors.values()].some(holds))
        .map(({ pid }) => pid);
    },
  } satisfies Partial<Env>;
};

const sockets = (machinery: Machinery, process: SimulatedProcess) => {
  const { kernel, off } = machinery;
  const bind = (address: string): number => {
    if (kernel.listeners.get(address)?.isOpen)
      throw new TanistError('TANIST_LISTEN_IN_USE', `${address} is in use`);
    const listener = new ListeningDescription(() => {
      if (kernel.listeners.get(address) === listener) kernel.listeners.delete(address);
    });
    kernel.listeners.set(address, listener);
    return process.install(listener);
  };
  return {
    listen: (spec) =>
      kernel.promise(process, () => {
        mayFail(machinery, 'listen');
        // Nobody has started these supervisors with sockets of his own.
        if (spec.kind !== 'unix' && spec.kind !== 'tcp')
          throw new TanistError('TANIST_LISTEN_FAILED', `nobody has left a socket for ${spec.name}`);
        const address = spec.kind === 'unix' ? `unix:${spec.path}` : `${spec.host}:${spec.port}`;
        return [{ name: spec.name, address, descriptor: bind(address) }];
      }),
    listenUnix: (path) =>
      kernel.promise(process, () => {
        mayFail(machinery, 'listenUnix');
        // It is renamed into place: whoever listens there still has his socket, and no name for it.
        kernel.listeners.delete(path);
        return bind(path);
      }),
    unlink: (path) => {
      kernel.files.delete(path);
      kernel.listeners.delete(path);
      return null;
    },
    exists: machinery.exists,
    socketPair: () =>
      kernel.promise(process, () => {
        mayFail(machinery, 'socketPair');
        const [one, other] = StreamEnd.pair();
        return [process.install(one), process.install(other)] as const;
      }),
    makeToken: () =>
      kernel.promise(process, () => {
        mayFail(machinery, 'makeToken');
        return process.install(StreamEnd.token());
      }),
    takeToken: (descriptor) => {
      if (machinery.trouble('takeToken') !== null) return false;
      const token = process.descriptors.get(descriptor);
      const isTaken = token instanceof StreamEnd && (token.hasBytes || off.has('token'));
      if (token instanceof StreamEnd) token.read();
      kernel.happen({
        kind: 'act',
        by: process,
        words: isTaken ? 'takes the token' : 'finds the token gone',
      });
      return isTaken;
    },
    duplicate: (descriptor) => {
      const description = process.descriptors.get(descriptor);
      if (description === undefined)
        throw new Error(`EBADF: ${process.name} has no descriptor ${descriptor}`);
      return process.install(description);
    },
    openStream: (descriptor, handlers) => openStream(machinery, process, descriptor, handlers),
    close: (descriptor) => process.closeDescriptor(descriptor),
    get: (socketPath, _path, timeoutMs) => {
      const { promise, resolve } = kernel.answered<number | string>();
      const listener = kernel.listeners.get(socketPath);
      if (listener === undefined) {
        kernel.task(process, 'io', () => resolve('connect ENOENT'));
        return promise;
      }
      const server = [...kernel.processes.values()].find(
        (other) => other !== process && [...other.descriptors.values()].includes(listener),
      );
      const stop = kernel.timer(process, timeoutMs, () => resolve(`no answer within ${timeoutMs} ms`));
      if (server === undefined) return promise;
      kernel.task(server, 'io', () => {
        const answer = machinery.probe(server);
        if (answer === null) return;
        kernel.task(process, 'io', () => {
          stop();
          resolve(answer);
        });
      });
      return promise;
    },
  } satisfies Partial<Env>;
};

const control = (machinery: Machinery, process: SimulatedProcess): Pick<Env, 'serveControl'> => ({
  serveControl: (handler) => {
    const claimed = new Set<string>();
    const isOurs = (path: string) => machinery.control.get(path)?.process === process;
    return {
      claim: (path, first) =>
        machinery.kernel.promise(process, () => {
          mayFail(machinery, 'claim');
          const occupant = machinery.control.get(path)?.process;
          if (first && occupant !== process && occupant?.isAlive)
            throw new Error(`${path} is a socket in use`);
          claimed.add(path);
          machinery.control.set(path, { process, handler });
        }),
      remove: () => {
        for (const path of claimed) if (isOurs(path)) machinery.control.delete(path);
      },
      close: () => {
        // Whoever was accepted before keeps waiting for his answer; the end of the process ends that.
      },
      abandon: () => {
        // The same.
      },
    };
  },
});

/** Of every other process everything is found out soon; the others never answer. */
const evidenceOf = (
  machinery: Machinery,
  process: SimulatedProcess,
  { pid, directory, onBegun, onDone, onFailure }: EvidenceRequest,
): Dispose => {
  const { kernel } = machinery;
  const trouble = machinery.trouble('collectEvidence');
  if (trouble !== null) return kernel.task(process, 'io', () => onFailure(trouble.message));
  const stops = [kernel.task(process, 'io', () => onBegun(`${directory}/${pid}`))];
  if (pid % 2 === 0) stops.push(kernel.timer(process, EVIDENCE_MS, onDone));
  return () => {
    for (const stop of stops) stop();
  };
};

/** It is of one process, and not of whoever has its pid later. */
const gaugeOf = (machinery: Machinery, pid: number): MemoryGauge => {
  mayFail(machinery, 'openMemory');
  const { kernel } = machinery;
  const measured = kernel.processes.get(pid);
  if (measured === undefined) throw new Error(`ENOENT: no such process (simulated)`);
  return {
    read: () => {
      mayFail(machinery, 'openMemory');
      return measured.isAlive ? measured.memoryBytes : null;
    },
    close: () => undefined,
  };
};

/** The simulated door of one process. */
export const createSimulatedEnv = (machinery: Machinery, process: SimulatedProcess): Env => {
  const { kernel, off } = machinery;
  return {
    pid: process.pid,
    now: () => kernel.nowMs,
    setTimer: (callback, delayMs) =>
      off.has('alarms') ? () => undefined : kernel.timer(process, delayMs, callback),
    afterPoll: (callback) => kernel.task(process, 'check', callback),
    onSignal: (signal, callback) => {
      process.handlers.set(signal, callback);
      // The handler stays and does nothing more, as the real door has it.
      return () => process.handlers.set(signal, () => undefined);
    },
    ...childrenOf(machinery, process),
    // The host of this world has an init of its own.
    orphans: () => [],
    reapOrphan: () => null,
    reapingObstacle: () => null,
    openMemory: (pid) => gaugeOf(machinery, pid),
    assume: (account) => {
      mayFail(machinery, 'assume');
      kernel.note(() => `${process.name} becomes ${account.user}`);
      if (!off.has('account')) process.account = account;
      return [account.gid];
    },
    // Nothing in this world depends on whom a path belongs to.
    give: nothing,
    obstacle: () => null,
    collectEvidence: (request) => evidenceOf(machinery, process, request),
    ...locks(machinery, process),
    ...sockets(machinery, process),
    ...control(machinery, process),
  };
};

const never = <Value>(): Promise<Value> => new Promise<Value>(nothing);

/**
 * The door of a process that was killed in the middle of its own code: the rest of that code runs, since
 * nothing here can stop it, and does nothing.
 */
export const DEAD: Env = {
  pid: 0,
  now: () => 0,
  setTimer: () => nothing,
  afterPoll: () => nothing,
  onSignal: () => nothing,
  spawn: nothing,
  signalChild: () => 'the process has ended',
  signalProcess: () => 'the process has ended',
  isAlive: () => false,
  orphans: () => [],
  reapOrphan: () => null,
  reapingObstacle: () => null,
  openMemory: () => ({ read: () => null, close: nothing }),
  collectEvidence: () => nothing,
  lockPidFile: () => ({ outcome: 'held', holderPid: null }),
  openFence: () => 0,
  tryLock: () => false,
  holdersOf: () => [],
  listen: never,
  listenUnix: never,
  unlink: () => null,
  assume: () => [],
  give: nothing,
  obstacle: () => null,
  exists: () => false,
  socketPair: never,
  makeToken: never,
  takeToken: () => false,
  duplicate: () => 0,
  openStream: () => ({ write: () => 0, close: nothing }),
  close: nothing,
  serveControl: () => ({ claim: never, remove: nothing, close: nothing, abandon: nothing }),
  get: never,
};
