/**
 * How a program was started: as somebody's worker, or not.
 */
import { fstatSync } from 'node:fs';
import { startTimeOf } from '../os/processes.js';
import { VARIABLES } from '../protocol/environment.js';

const isSocket = (descriptor: number): boolean => {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    // EBADF: the variable came along without the descriptor.
    return false;
  }
};

const numberIn = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;

/**
 * Whether this process is the worker of the supervisor that the environment names.
 *
 * The channel must really be there, and that supervisor must have started us: what a worker starts may inherit
 * both variables and descriptors, and is nobody's worker. If the supervisor is gone we may have been its worker:
 * then the channel has ended, and the worker leaves, where a supervisor would start the service a second time.
 */
export const isWorker = (env: Readonly<Record<string, string | undefined>>, parentPid: number): boolean => {
  const channel = numberIn(env[VARIABLES.channelFd]);
  const supervisor = numberIn(env[VARIABLES.supervisorPid]);
  if (channel === null || supervisor === null || !isSocket(channel)) return false;
  return supervisor === parentPid || startTimeOf(supervisor) === null;
};
