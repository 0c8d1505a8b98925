/**
 * The real door: Env on Node and the kernel.
 */
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import type { Account } from '../../machines/policy.js';
import { createControlServer } from './control-server.js';
import { duplicate, makeToken, socketPair, sweepDescriptors, takeToken } from './descriptors.js';
import type { Env } from './env.js';
import { collectEvidence } from './evidence/collection.js';
import { takeOverSignal } from './held-signals.js';
import { asAccount, assume, give, obstacle } from './identity.js';
import { listenUnix, removeQuietly } from './listening.js';
import { holdersOf, lockPidFile, openFence, tryLock } from './locks.js';
import { openMemory } from './memory.js';
import { openListeners } from './open-listeners.js';
import { orphans, reapingObstacle, reapOrphan } from './orphans.js';
import type { Places } from './places.js';
import { isAlive, Processes } from './processes.js';
import { Streams } from './streams.js';

/** setTimeout takes no more: longer delays fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const NS_PER_MS = 1e6;

/** A clock that nobody sets. Not `performance`: that costs 150 KB, and this is all that is asked of it. */
const uptimeMs = (): number => Number(process.hrtime.bigint()) / NS_PER_MS;
const BEGAN_AT_MS = Date.now() - uptimeMs();
const now = (): number => BEGAN_AT_MS + uptimeMs();

const get = (socketPath: string, path: string, timeoutMs: number): Promise<number | string> =>
  new Promise((resolve) => {
    const probe = request({
      socketPath,
      path,
      method: 'GET',
      agent: false,
      headers: { host: 'localhost' },
    });
    // Of the whole request: an answer that comes in drops is none.
    const limit = setTimeout(() => {
      resolve(`no answer within ${timeoutMs} ms`);
      probe.destroy();
    }, timeoutMs);
    probe.once('close', () => clearTimeout(limit));
    probe.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      probe.destroy();
    });
    probe.on('error', (error) => resolve(error.message));
    probe.end();
  });

/** The real operating system. */
export interface NodeEnv extends Env {
  /** The emergency path: kill every child with its process group. */
  killAll(): void;
}

/**
 * Opens the door to the operating system that this process runs on.
 *
 * Descriptors that whoever started this process has left open are closed at an exec from now on. One is enough for a
 * process.
 *
 * @param places where sockets are made for a moment, and where those of the probes are.
 * @param account whom this process is to become: files that are locked before are opened as that user;
 *   null for whoever it is.
 */
export const createNodeEnv = ({ scratch, quarters }: Places, account: Account | null): NodeEnv => {
  const streams = new Streams();
  const processes = new Processes(streams.sockets);
  sweepDescriptors();
  return {
    pid: process.pid,
    now,
    setTimer(callback, delayMs) {
      const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
      return () => clearTimeout(timer);
    },
    afterPoll(callback) {
      // Runs in the check phase, after the poll phase that follows this call has delivered what waits.
      let pending = setImmediate(() => {
        pending = setImmediate(callback);
      });
      return () => clearImmediate(pending);
    },
    onSignal(signal, callback) {
      process.on(signal, callback);
      takeOverSignal(signal, callback);
      return () => process.off(signal, callback);
    },
    spawn: (spawnRequest) => processes.spawn(spawnRequest),
    signalChild: (pid, signal, group) => processes.signalChild(pid, signal, group),
    signalProcess: (identity, signal, group) => processes.signalProcess(identity, signal, group),
    isAlive,
    orphans: () => orphans((pid) => processes.isChild(pid)),
    reapOrphan,
    reapingObstacle,
    openMemory,
    collectEvidence: (request) =>
      collectEvidence(request, (descriptor, handlers) => streams.open(descriptor, handlers)),
    assume,
    give,
    obstacle,
    lockPidFile: (path, inherited) => asAccount(account, () => lockPidFile(path, inherited)),
    openFence: (path) => asAccount(account, () => openFence(path)),
    tryLock,
    holdersOf,
    listen: openListeners,
    listenUnix: (path) => (quarters === null ? listenUnix(path) : quarters.within(() => listenUnix(path))),
    unlink(path, file) {
      const reason = removeQuietly(path, file);
      quarters?.leave();
      return reason;
    },
    exists: existsSync,
    socketPair: () => socketPair(scratch),
    makeToken: () => makeToken(scratch),
    takeToken,
    duplicate,
    openStream: (descriptor, handlers) => streams.open(descriptor, handlers),
    close: (descriptor) => streams.close(descriptor),
    serveControl: createControlServer,
    get,
    killAll: () => processes.killAll(),
  };
};
