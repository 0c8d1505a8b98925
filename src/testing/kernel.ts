/**
 * The simulated kernel: processes, signals, files.
 */
import type { Choices } from './choices.js';
import { Clockwork } from './clockwork.js';
import type { Inode } from './descriptions.js';
import { FileDescription, type ListeningDescription } from './descriptions.js';
import { type Happening, type Watch, wordsOf } from './happenings.js';
import { type Exit, type ProcessOptions, SimulatedProcess } from './process.js';
import { running } from './running.js';

export interface KernelOptions {
  readonly choices: Choices;
  /** Pids go from 2 to this number and start again: a small one makes them be reused soon. */
  readonly pids: number;
  /** Keeps readable lines of what happens. */
  readonly isTraced: boolean;
  /** Whether a signal goes to a process that only has the pid it was meant for. */
  readonly provesIdentity: boolean;
  /** Is told of everything that happens. */
  readonly watch: Watch;
}

const FIRST_PID = 2;
/** Of its default actions only the end of a process matters here. */
const IGNORED_BY_DEFAULT = new Set(['SIGCHLD', 'SIGCONT', 'SIGWINCH', 'SIGURG']);

/** The kernel of a simulated host. */
export class Kernel extends Clockwork {
  /** Every process that was not reaped, by pid. */
  readonly processes = new Map<number, SimulatedProcess>();
  /** @internal */
  readonly files = new Map<string, Inode>();
  /** @internal */
  readonly listeners = new Map<string, ListeningDescription>();
  /** Breaches that only the kernel can see: an uncaught exception, a signal to a stranger. */
  readonly breaches: string[] = [];
  readonly #options: KernelOptions;
  #serial = 0;
  #lastPid = FIRST_PID - 1;

  /** @internal */
  constructor(options: KernelOptions) {
    super(options.choices, options.isTraced);
    this.#options = options;
  }

  /** @internal */
  happen(happening: Happening): void {
    this.#options.watch(happening);
    if (happening.kind !== 'said' && happening.kind !== 'heard') this.note(() => wordsOf(happening));
  }

  // ── processes ──

  /** @internal */
  start(options: Omit<ProcessOptions, 'pid' | 'startTime' | 'group'> & { group: number | null }) {
    const pid = this.#freePid();
    this.#serial += 1;
    const process = new SimulatedProcess({
      ...options,
      pid,
      startTime: String(this.#serial),
      group: options.group ?? pid,
    });
    this.processes.set(pid, process);
    return process;
  }

  /**
   * Runs code as this process; what it throws and does not catch ends it.
   *
   * @internal
   */
  as(process: SimulatedProcess, run: () => void): void {
    const before = running.process;
    running.process = process;
    try {
      run();
    } catch (error) {
      // Whatever a process does after its end is not done.
      if (!process.isAlive) return;
      this.breaches.push(`no exception is uncaught: ${process.name}: ${String(error)}`);
      process.program?.crash(error);
    } finally {
      running.process = before;
    }
  }

  /** @internal */
  end(process: SimulatedProcess, exit: Exit): void {
    if (!process.isAlive) return;
    this.happen({ kind: 'exit', by: process, exit });
    process.exit = exit;
    process.state = 'zombie';
    this.forget(process);
    process.closeAll();
    for (const child of [...process.children]) this.#orphan(child);
    const { parent } = process;
    if (parent?.isAlive) {
      this.task(parent, 'io', () => {
        this.#reap(process);
        for (const listener of process.onExit) listener(exit);
      });
    } else this.#reap(process);
  }

  /** What the kernel does when a signal is sent. */
  signal(target: SimulatedProcess, signal: string): void {
    if (!target.isAlive) return;
    if (signal === 'SIGKILL') return this.#kill(target);
    if (signal === 'SIGSTOP') {
      target.state = 'stopped';
      return;
    }
    if (signal === 'SIGCONT') {
      if (target.state === 'stopped') target.state = 'running';
      for (const held of target.held) this.#deliver(target, held);
      target.held.clear();
      return;
    }
    if (target.state === 'stopped') target.held.add(signal);
    else this.#deliver(target, signal);
  }

  /** @internal */
  inGroup(group: number): SimulatedProcess[] {
    return [...this.processes.values()].filter((process) => process.group === group && process.isAlive);
  }

  /**
   * A signal that a supervisor meant for this identity: the truth is known here.
   *
   * @internal
   */
  signalIdentified(pid: number, startTime: string | null, signal: string, group: boolean): string | null {
    const leader = this.processes.get(pid);
    if (leader === undefined || !leader.isAlive) return 'it is gone';
    if (leader.startTime !== startTime && this.#options.provesIdentity) return 'it is gone';
    for (const target of group ? this.inGroup(leader.group) : [leader]) {
      if (target.startTime !== startTime && !(group && leader.startTime === startTime)) {
        this.breaches.push(
          `G8: ${this.current?.name} sent ${signal} to ${target.name}, who only has that pid`,
        );
      }
      this.happen({ kind: 'signal', by: this.current, to: target, signal });
      this.signal(target, signal);
    }
    return null;
  }

  /** Whoever runs on another processor goes on for a moment: two may kill each other. */
  #kill(target: SimulatedProcess): void {
    target.killedBy = this.current;
    const end = () => this.end(target, { code: null, signal: 'SIGKILL' });
    if (this.current === null || target.state === 'stopped') end();
    else this.task(null, 'io', end);
  }

  #deliver(target: SimulatedProcess, signal: string): void {
    const handler = target.handlers.get(signal);
    if (handler !== undefined) {
      this.task(target, 'io', () => target.handlers.get(signal)?.());
      return;
    }
    if (!IGNORED_BY_DEFAULT.has(signal)) this.end(target, { code: null, signal });
  }

  #orphan(child: SimulatedProcess): void {
    child.parent = null;
    if (child.state === 'zombie') this.#reap(child);
    else if (child.deathSignal !== null) this.signal(child, child.deathSignal);
  }

  #reap(process: SimulatedProcess): void {
    process.state = 'gone';
    process.parent?.children.delete(process);
    if (this.processes.get(process.pid) === process) this.processes.delete(process.pid);
  }

  /** The next pid that no process and no process group has. */
  #freePid(): number {
    const groups = new Set([...this.processes.values()].map(({ group }) => group));
    for (;;) {
      this.#lastPid = this.#lastPid >= this.#options.pids ? FIRST_PID : this.#lastPid + 1;
      if (!this.processes.has(this.#lastPid) && !groups.has(this.#lastPid)) return this.#lastPid;
    }
  }

  // ── files ──

  /**
   * Opens a file, making it if it is not there.
   *
   * @internal
   */
  open(path: string): FileDescription {
    let inode = this.files.get(path);
    if (inode === undefined) {
      this.#serial += 1;
      inode = { id: this.#serial, content: '', exclusive: new Set(), shared: new Set() };
      this.files.set(path, inode);
    }
    return new FileDescription(inode);
  }
}
