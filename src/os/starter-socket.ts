/**
 * The daemon's end of the socket to the command that waits for its start.
 */
import { fstatSync, writeSync } from 'node:fs';
import { VARIABLES } from '../protocol/environment.js';
import { type StarterMessage, starterLine } from '../protocol/starter.js';

let found: number | null | undefined;

const socketIn = (text: string | undefined): number | null => {
  if (text === undefined || !/^[0-9]{1,4}$/.test(text)) return null;
  try {
    return fstatSync(Number(text)).isSocket() ? Number(text) : null;
  } catch {
    // The variable came along without the descriptor: nobody waits for this process.
    return null;
  }
};

/** The socket's descriptor; null where nobody waits. The variable is gone after the first look. */
export const starterDescriptor = (): number | null => {
  if (found === undefined) {
    found = socketIn(process.env[VARIABLES.starterFd]);
    delete process.env[VARIABLES.starterFd];
  }
  return found;
};

/** Says it at once: this process is about to end. */
export const tellStarter = (descriptor: number, message: StarterMessage): void => {
  try {
    writeSync(descriptor, starterLine(message));
  } catch {
    // EPIPE: nobody is left to be told, and the log says the rest.
  }
};
