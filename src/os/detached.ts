/**
 * Starts this program again in a session of its own, and listens to what it says of its start.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Relaunch } from '../program.js';
import { VARIABLES } from '../protocol/environment.js';
import { LineSplitter } from '../protocol/lines.js';
import { parseStarterLine, type StarterMessage } from '../protocol/starter.js';
import { sweepDescriptors } from './descriptors.js';
import { takeOverSignal } from './held-signals.js';

/** Room for a message with the last words of a worker. */
const LINE_BYTES = 65_536;

export interface DetachedRequest {
  readonly relaunch: Relaunch;
  /** Standard output and standard error. */
  readonly output: number;
  /** Descriptors from 3 on that it finds under the same number. */
  readonly inherited: readonly number[];
  /** It has said so: it is not watched any longer. */
  readonly onReady: () => void;
  /** It is gone; `failure` is what it said last. */
  readonly onEnd: (end: {
    readonly code: number | null;
    readonly signal: string | null;
    readonly failure: Extract<StarterMessage, { say: 'failed' }> | null;
  }) => void;
  /** Nothing was started. */
  readonly onFailure: (message: string) => void;
}

export interface Detached {
  readonly pid: number;
  /** A signal, as long as it is our child and has not been reaped. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Signals that ask the waiting command to end. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

export const onEndingSignal = (callback: () => void): void => {
  for (const signal of ENDING) {
    process.on(signal, callback);
    takeOverSignal(signal, callback);
  }
};

/** @throws {TanistError} `TANIST_FS_EXT_MISSING`. */
export const startDetached = (request: DetachedRequest): Detached => {
  const { relaunch, output, inherited } = request;
  const starterFd = Math.max(2, ...inherited) + 1;
  const stdio = Array.from({ length: starterFd + 1 }, (_, number) => {
    if (number === 1 || number === 2) return output;
    if (number === starterFd) return 'pipe' as const;
    return inherited.includes(number) ? number : ('ignore' as const);
  });
  // What whoever started us left open is not the daemon's.
  sweepDescriptors();
  const child = spawn(relaunch.node, [...relaunch.nodeArgs, '--', relaunch.script, ...relaunch.args], {
    cwd: relaunch.startDirectory,
    env: { ...relaunch.env, PWD: relaunch.startDirectory, [VARIABLES.starterFd]: String(starterFd) },
    detached: true,
    stdio,
  });
  child.once('error', (error) => request.onFailure(error.message));
  const socket = child.stdio[starterFd] as Readable;
  const splitter = new LineSplitter(LINE_BYTES);
  let failure: Extract<StarterMessage, { say: 'failed' }> | null = null;
  socket.on('data', (chunk: Uint8Array) => {
    for (const fact of splitter.push(chunk)) {
      const message = fact.kind === 'line' ? parseStarterLine(fact.text) : null;
      if (message?.say === 'ready') {
        // Nothing of it keeps this process alive any longer.
        child.unref();
        socket.destroy();
        request.onReady();
      } else if (message !== null) failure = message;
    }
  });
  socket.on('error', () => {
    // ECONNRESET: it is gone; its exit says more.
  });
  // After its exit and the end of its socket: everything it said has been read.
  child.once('close', (code, signal) => request.onEnd({ code, signal, failure }));
  return { pid: child.pid ?? 0, signal: (signal) => child.kill(signal) };
};
