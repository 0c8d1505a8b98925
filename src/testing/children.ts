/**
 * Children and signals of one simulated process.
 */
import type { Env, SpawnRequest } from '../os/env.js';
import { NullDescription, StreamEnd } from './descriptions.js';
import { type Machinery, mayFail } from './machinery.js';
import type { SimulatedProcess } from './process.js';

type Calls = Pick<Env, 'spawn' | 'signalChild' | 'signalProcess' | 'isAlive'>;

const failureOf = (error: unknown) => ({
  code: error instanceof Error && 'code' in error ? String(error.code) : 'TANIST_SPAWN_FAILED',
  message: error instanceof Error ? error.message : String(error),
});

/** Gives the child what the request lists, and us the other ends of its streams. */
const connect = (
  parent: SimulatedProcess,
  child: SimulatedProcess,
  { descriptors }: SpawnRequest,
): number[] => {
  const streams: number[] = [];
  for (const [number, source] of descriptors.entries()) {
    if (source === 'null') child.descriptors.set(number, new NullDescription().hold());
    else if (source === 'stream') {
      const [ours, theirs] = StreamEnd.pair();
      child.descriptors.set(number, theirs.hold());
      streams.push(parent.install(ours));
    } else if (source > 2) {
      const description = parent.descriptors.get(source);
      if (description === undefined) throw new Error(`EBADF: ${parent.name} has no descriptor ${source}`);
      child.descriptors.set(number, description.hold());
    }
  }
  return streams;
};

export const childrenOf = (machinery: Machinery, process: SimulatedProcess): Calls => {
  const { kernel, off } = machinery;
  const unreaped = (pid: number) =>
    [...process.children].find((child) => child.pid === pid && child.state !== 'gone');

  const signalChild = (pid: number, signal: string, group: boolean): string | null => {
    const child = unreaped(pid);
    if (child === undefined) return 'it has been reaped';
    const trouble = machinery.trouble('signal');
    if (trouble !== null) return trouble.message;
    for (const target of group ? kernel.inGroup(pid) : [child]) {
      kernel.happen({ kind: 'signal', by: process, to: target, signal });
      kernel.signal(target, signal);
    }
    return null;
  };

  return {
    spawn: (request) => {
      try {
        mayFail(machinery, 'spawn');
      } catch (error) {
        kernel.task(process, 'io', () => request.onFailure(failureOf(error)));
        return;
      }
      const child = kernel.start({ parent: process, group: null, isOurs: true });
      const streams = connect(process, child, request);
      child.onExit.push(({ code, signal }) => {
        // While a member lives, its group's number is given to no new process.
        if (!off.has('sweep') && !kernel.processes.has(child.pid)) {
          for (const target of kernel.inGroup(child.group)) kernel.signal(target, 'SIGKILL');
        }
        request.onExit({ code, signal });
      });
      machinery.launch(child, request);
      kernel.happen({ kind: 'start', by: process, started: child });
      request.onSpawn({ pid: child.pid, startTime: child.startTime, streams });
    },
    signalChild,
    signalProcess: (identity, signal, group) => {
      if (unreaped(identity.pid)?.startTime === identity.startTime)
        return signalChild(identity.pid, signal, group);
      // A signal to a child may fail here, since the machines try that again; kill(2) itself fails for good or not.
      if (group && off.has('sweep')) return null;
      return kernel.signalIdentified(identity.pid, identity.startTime, signal, group);
    },
    isAlive: ({ pid, startTime }) => {
      const found = kernel.processes.get(pid);
      return found?.isAlive === true && (found.startTime === startTime || off.has('identity'));
    },
  };
};
