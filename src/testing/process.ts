/**
 * A process of the simulated kernel.
 */
import type { Identity } from '../../machines/events.js';
import type { Account } from '../../machines/policy.js';
import type { Description } from './descriptions.js';

/** `stopped` by SIGSTOP; `zombie` until its parent has reaped it; `gone` afterwards. */
export type ProcessState = 'running' | 'stopped' | 'zombie' | 'gone';

/** How a process ended. */
export interface Exit {
  /** Exit status; null where a signal ended it. */
  readonly code: number | null;
  /** What ended it; null where it exited. */
  readonly signal: string | null;
}

/** What runs in a process. */
export interface SimulatedProgram {
  /** In words, for the trace. */
  readonly name: string;
  /**
   * An exception nobody caught.
   *
   * @internal
   */
  crash(error: unknown): void;
}

export interface ProcessOptions {
  readonly pid: number;
  readonly startTime: string;
  readonly parent: SimulatedProcess | null;
  /** Its process group; its own pid makes it the leader. */
  readonly group: number;
  /** It is part of the daemon: whatever a supervisor started. False for a stranger. */
  readonly isOurs: boolean;
}

/** The number of the first descriptor that is not a standard stream. */
const FIRST_DESCRIPTOR = 3;

/** A process of the simulated host. */
export class SimulatedProcess {
  /** 2 to 22, used again. */
  readonly pid: number;
  /** Tells it from another process with the same pid. */
  readonly startTime: string;
  /** Its process group, by the pid of its leader. */
  readonly group: number;
  /** Whether it is part of the daemon; false for a stranger. */
  readonly isOurs: boolean;
  /** @internal */
  readonly descriptors = new Map<number, Description>();
  /**
   * Signals it handles; the others do what they do by default.
   *
   * @internal
   */
  readonly handlers = new Map<string, () => void>();
  /**
   * Signals that came while it was stopped.
   *
   * @internal
   */
  readonly held = new Set<string>();
  /** Those that were not reaped yet. */
  readonly children = new Set<SimulatedProcess>();
  /**
   * Called once it has exited and its parent can reap it.
   *
   * @internal
   */
  readonly onExit: ((
    /** How it ended; null while it lives. */
    exit: Exit,
  ) => void)[] = [];
  /** null once that has ended. */
  parent: SimulatedProcess | null;
  /** What the kernel says. */
  state: ProcessState = 'running';
  /** What the kernel sends it when its parent ends; null for nothing. */
  deathSignal: string | null = null;
  /** Resident. */
  memoryBytes = 50_000_000;
  /** Whom it runs as: what its parent was, until it becomes another; null for root. */
  account: Account | null;
  /** What runs in it; null for a stranger. */
  program: SimulatedProgram | null = null;
  /** How it ended; null while it lives. */
  exit: Exit | null = null;
  /** It was killed in the middle of its code: what it had just done it could tell nobody. */
  isCutShort = false;
  /** Somebody from outside has sent it a signal. */
  hadAccident = false;
  /** Who sent it SIGKILL last; null for nobody, or for somebody outside of this world. */
  killedBy: SimulatedProcess | null = null;

  /** @internal */
  constructor({ pid, startTime, parent, group, isOurs }: ProcessOptions) {
    this.pid = pid;
    this.startTime = startTime;
    this.parent = parent;
    this.account = parent?.account ?? null;
    this.group = group;
    this.isOurs = isOurs;
    parent?.children.add(this);
  }

  /** Pid and start time together. */
  get identity(): Identity {
    return { pid: this.pid, startTime: this.startTime };
  }

  /** Running or stopped. */
  get isAlive(): boolean {
    return this.state === 'running' || this.state === 'stopped';
  }

  /** In words, with its pid, for the trace. */
  get name(): string {
    return `${this.program?.name ?? 'stranger'} [${this.pid}]`;
  }

  /**
   * Puts a description at the lowest free number.
   *
   * @internal
   */
  install(description: Description): number {
    let descriptor = FIRST_DESCRIPTOR;
    while (this.descriptors.has(descriptor)) descriptor += 1;
    this.descriptors.set(descriptor, description.hold());
    return descriptor;
  }

  /** @internal */
  closeDescriptor(descriptor: number): void {
    const description = this.descriptors.get(descriptor);
    // EBADF: somebody closed it before.
    if (description === undefined) return;
    this.descriptors.delete(descriptor);
    description.release();
  }

  /** @internal */
  closeAll(): void {
    for (const descriptor of [...this.descriptors.keys()]) this.closeDescriptor(descriptor);
  }
}
