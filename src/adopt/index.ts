/**
 * What the preload loads when the program listens for the first time, or has not done so for a while.
 */
import { fstatSync } from 'node:fs';
import { FIRST_LISTENER_FD, VARIABLES } from '../protocol/environment.js';
import type { Listen } from '../worker/listening.js';
import { ALIVE_MS, ProgramAdoption } from './adoption.js';
import { whenMainHasRun } from './main-module.js';
import { RawChannel } from './raw-channel.js';

export interface PreloadParts {
  readonly listen: Listen;
  readonly standAside: () => void;
  readonly hasMet: () => boolean;
  /** Of the listeners, in their order. */
  readonly addresses: readonly string[];
}

const isSocket = (fd: number): boolean => {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    // EBADF: not even open.
    return false;
  }
};

/** Null where what the supervisor gave did not reach this process, as behind a wrapper that starts another. */
export const createAdoption = ({ addresses, ...parts }: PreloadParts): ProgramAdoption | null => {
  const { env, pid } = process;
  const channelFd = Number(env[VARIABLES.channelFd]);
  const isMeant = addresses.length === 0 || env[VARIABLES.listenPid] === String(pid);
  if (!isMeant || !isSocket(channelFd)) return null;
  const names = env[VARIABLES.listenFdNames]?.split(':') ?? [];
  const listeners = addresses.map((address, index) => ({
    name: names[index] ?? `listen${index}`,
    fd: FIRST_LISTENER_FD + index,
    address,
  }));
  const channel = new RawChannel(channelFd);
  return new ProgramAdoption({ ...parts, listeners, channel });
};

/** Looks after a program that has been running for a moment: what is it waiting for, is it ready without listening? */
export const attend = (adoption: ProgramAdoption): void => {
  adoption.tellWaiting();
  if (!adoption.mayBeReadyWithoutListening) return;
  whenMainHasRun(() => setTimeout(() => adoption.readyWithoutListening(), ALIVE_MS).unref());
};
