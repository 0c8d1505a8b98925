/**
 * A process of the simulated kernel.
 */
import type { Identity } from '../../machines/events.js';
import type { Account } from '../../machines/policy.js';
import type { Description } from './descriptions.js';

export type ProcessState = 'running' | 'stopped' | 'zombie' | 'gone';

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What runs in a process. */
export interface Program {
  /** In words, for the trace. */
  readonly name: string;
  /** An exception nobody caught. */
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

export class SimulatedProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly group: number;
  readonly isOurs: boolean;
  readonly descriptors = new Map<number, Description>();
  /** Signals it handles; the others do what they do by default. */
  readonly handlers = new Map<string, () => void>();
  /** Signals that came while it was stopped. */
  readonly held = new Set<string>();
  readonly children = new Set<SimulatedProcess>();
  /** Called once it has exited and its parent can reap it. */
  readonly onExit: ((exit: Exit) => void)[] = [];
  parent: SimulatedProcess | null;
  state: ProcessState = 'running';
  /** What the kernel sends it when its parent ends; null for nothing. */
  deathSignal: string | null = null;
  memoryBytes = 50_000_000;
  /** Whom it runs as: what its parent was, until it becomes another; null for root. */
  account: Account | null;
  program: Program | null = null;
  exit: Exit | null = null;
  /** It was killed in the middle of its code: what it had just done it could tell nobody. */
  isCutShort = false;
  /** Somebody from outside has sent it a signal. */
  hadAccident = false;
  /** Who sent it SIGKILL last; null for nobody, or for somebody outside of this world. */
  killedBy: SimulatedProcess | null = null;

  constructor({ pid, startTime, parent, group, isOurs }: ProcessOptions) {
    this.pid = pid;
    this.startTime = startTime;
    this.parent = parent;
    this.account = parent?.account ?? null;
    this.group = group;
    this.isOurs = isOurs;
    parent?.children.add(this);
  }

  get identity(): Identity {
    return { pid: this.pid, startTime: this.startTime };
  }

  get isAlive(): boolean {
    return this.state === 'running' || this.state === 'stopped';
  }

  get name(): string {
    return `${this.program?.name ?? 'stranger'} [${this.pid}]`;
  }

  /** Puts a description at the lowest free number. */
  install(description: Description): number {
    let descriptor = FIRST_DESCRIPTOR;
    while (this.descriptors.has(descriptor)) descriptor += 1;
    this.descriptors.set(descriptor, description.hold());
    return descriptor;
  }

  closeDescriptor(descriptor: number): void {
    const description = this.descriptors.get(descriptor);
    // EBADF: somebody closed it before.
    if (description === undefined) return;
    this.descriptors.delete(descriptor);
    description.release();
  }

  closeAll(): void {
    for (const descriptor of [...this.descriptors.keys()]) this.closeDescriptor(descriptor);
  }
}
