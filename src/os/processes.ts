/**
 * Children and signals: a registry of what has not been reaped, and proof of identity for everybody else.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import type { Identity } from '../../machines/events.js';
import { descriptorOf } from './descriptors.js';
import type { SpawnRequest } from './env.js';

// proc(5): fields after the command's closing parenthesis, counted from 0; state is field 3, starttime field 22.
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

const statFields = (pid: number): readonly string[] | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // ENOENT or ESRCH: it is gone. Where there is no /proc nothing can be proven, which is the same answer.
    return null;
  }
};

/** When the kernel says a process started, in clock ticks since boot; null when it is gone or nobody tells. */
export const startTimeOf = (pid: number): string | null => statFields(pid)?.[START_TIME_FIELD] ?? null;

export const isAlive = ({ pid, startTime }: Identity): boolean => {
  const fields = statFields(pid);
  return (
    fields !== null &&
    startTime !== null &&
    fields[START_TIME_FIELD] === startTime &&
    fields[STATE_FIELD] !== 'Z'
  );
};

/** True for a process that has ended and was not reaped. */
export const isZombie = (pid: number): boolean => statFields(pid)?.[STATE_FIELD] === 'Z';

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const send = (pid: number, signal: string): string | null => {
  try {
    process.kill(pid, signal);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/**
 * Kills what is left of a reaped leader's process group.
 *
 * While a member lives, the kernel gives the group's number to no new process. If a process with that pid
 * exists, the group was empty and the number is a stranger's by now: nothing is sent.
 */
const sweepGroup = (pid: number): void => {
  if (exists(pid)) return;
  // ESRCH, the usual case: nothing is left.
  send(-pid, 'SIGKILL');
};

export class Processes {
  /** Start times of the children that have not been reaped; null where the system does not tell. */
  readonly #children = new Map<number, string | null>();
  readonly #streams: Map<number, net.Socket>;

  /** @param streams where the sockets to new children are put, by descriptor. */
  constructor(streams: Map<number, net.Socket>) {
    this.#streams = streams;
  }

  spawn(request: SpawnRequest): void {
    const options: SpawnOptions = {
      cwd: request.cwd,
      env: { ...request.env },
      // A session of its own: the leader of its process group, out of the terminal's reach.
      detached: true,
      stdio: request.descriptors.map((source) =>
        source === 'null' ? 'ignore' : source === 'stream' ? 'pipe' : source,
      ),
    };
    let child: ChildProcess;
    try {
      child = spawn(request.file, [...request.args], options);
    } catch (error) {
      request.onFailure(asFailure(error));
      return;
    }
    const { pid } = child;
    if (pid === undefined) {
      child.once('error', (error) => request.onFailure(asFailure(error)));
      return;
    }
    child.on('error', () => {
      // Only kill() on it reports errors here, and we send signals ourselves.
    });
    const startTime = startTimeOf(pid);
    this.#children.set(pid, startTime);
    child.once('exit', (code, signal) => {
      this.#children.delete(pid);
      try {
        // Whoever takes its place need not wait for what is swept.
        request.onExit({ code, signal });
      } finally {
        sweepGroup(pid);
      }
    });
    const streams = request.descriptors.flatMap((source, index) => {
      if (source !== 'stream') return [];
      const socket = child.stdio[index] as net.Socket;
      const descriptor = descriptorOf(socket);
      this.#streams.set(descriptor, socket);
      return [descriptor];
    });
    request.onSpawn({ pid, startTime, streams });
  }

  /** True for a child of ours whose exit Node has not told yet. */
  isChild(pid: number): boolean {
    return this.#children.has(pid);
  }

  signalChild(pid: number, signal: string, group: boolean): string | null {
    if (!this.#children.has(pid)) return 'it has been reaped';
    return send(group ? -pid : pid, signal);
  }

  signalProcess(identity: Identity, signal: string, group: boolean): string | null {
    // A child of ours may have the pid of one whose end we have not heard of yet.
    if (this.#children.get(identity.pid) === identity.startTime)
      return this.signalChild(identity.pid, signal, group);
    if (identity.startTime === null) return 'its identity cannot be proven on this system';
    if (!isAlive(identity)) return 'it is gone';
    return send(group ? -identity.pid : identity.pid, signal);
  }

  /** The emergency path: end every child that is left, with its group. */
  killAll(): void {
    for (const pid of this.#children.keys()) send(-pid, 'SIGKILL');
  }
}

const asFailure = (error: unknown): { code: string; message: string } => ({
  code: error instanceof Error && 'code' in error ? String(error.code) : 'TANIST_SPAWN_FAILED',
  message: error instanceof Error ? error.message : String(error),
});
