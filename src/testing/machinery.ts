/**
 * What the simulated system calls share: the kernel, the faults, and who runs in a new process.
 */
import type { ControlRequest, SpawnRequest } from '../os/env.js';
import type { Kernel } from './kernel.js';
import type { SimulatedProcess } from './process.js';
import type { FallibleCall, LastingCall } from './troubles.js';

/** Safeguards that can be switched off, to see that a check notices. */
export type Safeguard =
  /** Workers hold their generation's life pipe. */
  | 'life-pipe'
  /** The kernel gives the token once. */
  | 'token'
  /** The start time proves a pid. */
  | 'identity'
  /** Leftovers, and what is left of a process group, are killed. */
  | 'sweep'
  /** Workers of an exclusive daemon share a lock. */
  | 'fence'
  /** The successor inherits the lock; a first generation finds it held. */
  | 'lock'
  /** The pid is written where it changes. */
  | 'pid'
  /** Alarms fire. */
  | 'alarms'
  /** The process becomes the user it is told. */
  | 'account';

/** The control socket of one supervisor, at the path it has claimed. */
export interface ControlEnd {
  readonly process: SimulatedProcess;
  readonly handler: (request: ControlRequest) => void;
}

export interface Machinery {
  readonly kernel: Kernel;
  readonly off: ReadonlySet<Safeguard>;
  /** Control sockets by path. */
  readonly control: Map<string, ControlEnd>;
  /** The error that a call is to fail with now; null to let it succeed. */
  readonly trouble: (call: FallibleCall | LastingCall) => Error | null;
  /** True while a file of the program is there. */
  readonly exists: (path: string) => boolean;
  /** Puts a program into a process that was just started. */
  readonly launch: (process: SimulatedProcess, request: SpawnRequest) => void;
  /** What a process says to `GET` on its private probe socket; null while it says nothing. */
  readonly probe: (process: SimulatedProcess) => number | null;
}

/** Throws what a call is to fail with. */
export const mayFail = (machinery: Pick<Machinery, 'kernel' | 'trouble'>, call: FallibleCall): void => {
  const trouble = machinery.trouble(call);
  if (trouble === null) return;
  machinery.kernel.note(() => `${machinery.kernel.current?.name}: ${trouble.message}`);
  throw trouble;
};
