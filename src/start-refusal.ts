/**
 * Tells whoever waits for this process why it does not start: a predecessor, or the command that detached it.
 */
import type { Failure } from '../machines/events.js';
import { asTanistError } from './errors.js';
import { HandoverRefused } from './handover.js';
import { handoverDescriptor, refuseHandover } from './os/handover-socket.js';
import { starterDescriptor, tellStarter } from './os/starter-socket.js';

/** Tells the command that waits for a daemonized start why there is none. */
export const tellFailure = (
  descriptor: number,
  { code, message, hint }: Failure & { readonly hint?: string },
): void => tellStarter(descriptor, { say: 'failed', code, message, ...(hint === undefined ? {} : { hint }) });

/** A successor's failure to start, in the words of a verdict. */
const reasonOf = (error: unknown) => {
  if (error instanceof HandoverRefused) return error.reason;
  const { code, exitStatus } = asTanistError(error);
  if (code === 'TANIST_COMMAND_NOT_FOUND' || code === 'TANIST_WORKING_DIRECTORY') return 'spawn-failed';
  return exitStatus === 2 ? 'config-invalid' : 'exited';
};

/**
 * Tells the predecessor, if there is one, why this process cannot succeed it, or the command that waits for a
 * daemon why it cannot start. Said before anything was taken over or opened.
 */
export const tellWaiting = (error: unknown): void => {
  const messages = handoverDescriptor(process.env);
  const starter = starterDescriptor();
  if (messages !== null)
    refuseHandover(messages, reasonOf(error), error instanceof Error ? error.message : String(error));
  else if (starter !== null) tellFailure(starter, asTanistError(error));
};
