import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import { FIRST_LISTENER_FD, VARIABLES } from '../protocol/environment.js';
import { WorkerError } from './worker-error.js';

export interface InheritedListener {
  readonly name: string;
  readonly fd: number;
}

/** What the supervisor gave this process. */
export interface Inheritance {
  /** Null when not supervised. */
  readonly channelFd: number | null;
  /** Null without `--ready http`. */
  readonly probeFd: number | null;
  /** In the order of `--listen`. */
  readonly listeners: readonly InheritedListener[];
  /** Whose listeners `LISTEN_PID` says they are, when they are another process's; else null. */
  readonly listenersOfPid: string | null;
  readonly generation: number;
  readonly slot: number;
  readonly pingTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** How long this process may be silent once it has pinged; null for as long as it likes. */
  readonly watchdogMs: number | null;
  /** What asks this process to leave. */
  readonly stopSignal: NodeJS.Signals;
}

/** The supervisor's own defaults, for a program that runs alone. */
const DEFAULTS = { pingTimeoutMs: 5_000, drainTimeoutMs: 30_000, stopSignal: 'SIGTERM' } as const;

/** Descriptors are this process's alone: a program that it starts must not believe it has them too. */
const NOT_PASSED_ON = [
  VARIABLES.channelFd,
  VARIABLES.probeFd,
  VARIABLES.listenFds,
  VARIABLES.listenFdNames,
  VARIABLES.listenPid,
];

/**
 * Reads what the supervisor left in the environment, and removes the descriptors from it.
 *
 * @throws {WorkerError} `TANIST_ENVIRONMENT_INVALID` if a variable is not a number, or names a descriptor
 * that is no socket of this process; the environment is then left as it was.
 */
export const takeInheritance = (env: NodeJS.ProcessEnv, pid: number): Inheritance => {
  const inheritance: Inheritance = {
    channelFd: socketIn(env, VARIABLES.channelFd),
    probeFd: socketIn(env, VARIABLES.probeFd),
    ...listenersIn(env, pid),
    generation: numberIn(env, VARIABLES.generation) ?? 0,
    slot: numberIn(env, VARIABLES.slot) ?? 0,
    pingTimeoutMs: numberIn(env, VARIABLES.pingTimeoutMs) ?? DEFAULTS.pingTimeoutMs,
    drainTimeoutMs: numberIn(env, VARIABLES.drainTimeoutMs) ?? DEFAULTS.drainTimeoutMs,
    watchdogMs: numberIn(env, VARIABLES.watchdogMs),
    stopSignal: signalIn(env, VARIABLES.stopSignal) ?? DEFAULTS.stopSignal,
  };
  for (const name of NOT_PASSED_ON) delete env[name];
  return inheritance;
};

const listenersIn = (
  env: NodeJS.ProcessEnv,
  pid: number,
): Pick<Inheritance, 'listeners' | 'listenersOfPid'> => {
  const count = numberIn(env, VARIABLES.listenFds) ?? 0;
  if (count === 0) return { listeners: [], listenersOfPid: null };
  // As sd_listen_fds(3) has it: the descriptors are meant for one process, not for what it starts.
  const owner = env[VARIABLES.listenPid] ?? 'nobody';
  if (owner !== String(pid)) return { listeners: [], listenersOfPid: owner };
  const names = env[VARIABLES.listenFdNames]?.split(':') ?? [];
  const listeners = Array.from({ length: count }, (_, index) => ({
    name: names[index] ?? `listen${index}`,
    fd: checkedSocket(FIRST_LISTENER_FD + index, VARIABLES.listenFds),
  }));
  return { listeners, listenersOfPid: null };
};

const numberIn = (env: NodeJS.ProcessEnv, name: string): number | null => {
  const text = env[name];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new WorkerError('TANIST_ENVIRONMENT_INVALID', `${name} must be a whole number, not "${text}".`);
};

const signalIn = (env: NodeJS.ProcessEnv, name: string): NodeJS.Signals | null => {
  const text = env[name];
  // One that cannot be caught is nothing to prepare for.
  if (text === undefined || text === 'SIGKILL') return null;
  if (text in constants.signals) return text as NodeJS.Signals;
  throw new WorkerError(
    'TANIST_ENVIRONMENT_INVALID',
    `${name} must be the name of a signal, such as SIGTERM, not "${text}".`,
  );
};

const socketIn = (env: NodeJS.ProcessEnv, name: string): number | null => {
  const fd = numberIn(env, name);
  return fd === null ? null : checkedSocket(fd, name);
};

const checkedSocket = (fd: number, name: string): number => {
  if (isSocket(fd)) return fd;
  throw new WorkerError(
    'TANIST_ENVIRONMENT_INVALID',
    `${name} promises a socket as descriptor ${fd}, but this process has none there. Something between the ` +
      'supervisor and this program, npm or a shell, kept the variable and closed the descriptor: give tanist ' +
      'the program itself, as in "tanist run -- node app.js".',
  );
};

const isSocket = (fd: number): boolean => {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    // EBADF: not even open.
    return false;
  }
};
