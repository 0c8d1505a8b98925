/**
 * Time, and what happens next.
 *
 * Whatever can happen now is a task of some process. One is carried out at a time, chosen by the seed; when
 * there is none, time jumps to the next timer. A stopped process keeps its tasks until it goes on.
 */
import type { Choices } from './choices.js';
import type { SimulatedProcess } from './process.js';
import { running } from './running.js';

/** An input or output event is delivered in the poll phase of an event loop, a check after it. */
export type TaskKind = 'io' | 'timer' | 'check';

interface Task {
  readonly process: SimulatedProcess | null;
  readonly kind: TaskKind;
  readonly sequence: number;
  readonly run: () => void;
  isCancelled: boolean;
}

interface Timer {
  readonly atMs: number;
  readonly task: Task;
}

const BEGIN_MS = 1_800_000_000_000;
/** Every step takes a little: nothing happens in no time. */
const STEP_MS = 0.05;
/** Most of the time first come is first served; else anything that can happen may. */
const IN_ORDER = 0.6;
/** How many turns of the microtask queue a settled promise of an effect may need. */
const MICROTASK_TURNS = 12;

/** Time, and tasks. */
export abstract class Clockwork {
  /** Where chance comes from. */
  readonly choices: Choices;
  /** Readable lines of what happened; empty where none are kept. */
  readonly trace: string[] = [];
  /** Milliseconds since 1970. */
  nowMs = BEGIN_MS;
  /** How many steps were taken. */
  steps = 0;
  readonly #isTraced: boolean;
  #tasks: Task[] = [];
  readonly #timers: Timer[] = [];
  #sequence = 0;

  /**
   * @param isTraced keeps readable lines of what happens.
   *
   * @internal
   */
  constructor(choices: Choices, isTraced: boolean) {
    this.choices = choices;
    this.#isTraced = isTraced;
  }

  /**
   * Runs code as this process; what it throws and does not catch ends it.
   *
   * @internal
   */
  abstract as(process: SimulatedProcess, run: () => void): void;

  /** The process whose code runs. */
  get current(): SimulatedProcess | null {
    return running.process;
  }

  /** Adds a line to the trace. */
  note(text: () => string): void {
    if (!this.#isTraced) return;
    const seconds = ((this.nowMs - BEGIN_MS) / 1000).toFixed(3);
    this.trace.push(`${String(this.steps).padStart(5)} ${seconds.padStart(9)}s  ${text()}`);
  }

  /** Whatever this process was still to do is not done. */
  protected forget(process: SimulatedProcess): void {
    this.#tasks = this.#tasks.filter((task) => task.process !== process);
    for (let index = this.#timers.length - 1; index >= 0; index -= 1) {
      if (this.#timers[index]?.task.process === process) this.#timers.splice(index, 1);
    }
  }

  /** Something that can happen now. */
  task(process: SimulatedProcess | null, kind: TaskKind, run: () => void): () => void {
    this.#sequence += 1;
    const task: Task = { process, kind, sequence: this.#sequence, run, isCancelled: false };
    this.#tasks.push(task);
    return () => {
      task.isCancelled = true;
    };
  }

  /**
   * Something that can happen after so many milliseconds.
   *
   * @param process who does it; null for somebody outside of this world.
   * @returns what calls it off.
   */
  timer(process: SimulatedProcess | null, delayMs: number, run: () => void): () => void {
    this.#sequence += 1;
    const task: Task = { process, kind: 'timer', sequence: this.#sequence, run, isCancelled: false };
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), task };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1]?.atMs ?? 0) > timer.atMs) index -= 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      task.isCancelled = true;
    };
  }

  /**
   * A promise of an effect, settled by a task of its own: `work` runs then, and may throw to reject.
   *
   * @internal
   */
  promise<Value>(process: SimulatedProcess, work: () => Value): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      this.task(process, 'io', () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /**
   * The same, settled by whoever has the answer.
   *
   * @internal
   */
  answered<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
    let settle: (value: Value) => void = () => undefined;
    const promise = new Promise<Value>((resolve) => {
      settle = resolve;
    });
    return {
      promise,
      resolve: (value) => {
        settle(value);
      },
    };
  }

  /** True while this process has something to do now, or will have at a known time. */
  isArmed(process: SimulatedProcess): boolean {
    const isIts = (task: Task) => task.process === process && !task.isCancelled;
    return this.#tasks.some(isIts) || this.#timers.some(({ task }) => isIts(task));
  }

  /** True when nothing can happen before time passes. */
  get isQuiet(): boolean {
    return !this.#tasks.some((task) => this.#canRun(task));
  }

  /** Lets time pass for everybody at once: alarms and messages that wait race then. */
  stall(durationMs: number): void {
    this.nowMs += durationMs;
  }

  /** Carries out one task. False when nothing will ever happen any more. */
  async step(): Promise<boolean> {
    this.#tasks = this.#tasks.filter((task) => !task.isCancelled && task.process?.state !== 'gone');
    this.#ripen();
    let able = this.#tasks.filter((task) => this.#canRun(task));
    while (able.length === 0) {
      const [timer] = this.#timers;
      if (timer === undefined) return false;
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      this.#ripen();
      able = this.#tasks.filter((task) => this.#canRun(task));
    }
    const task = able.length === 1 ? able[0] : able[this.choices.below('order', able.length, IN_ORDER)];
    if (task === undefined) return false;
    task.isCancelled = true;
    this.steps += 1;
    this.nowMs += STEP_MS;
    const { process } = task;
    if (process === null) task.run();
    else this.as(process, task.run);
    if (process !== null) await this.#settle(process);
    return true;
  }

  /** What a step left to promises is part of it. */
  async #settle(process: SimulatedProcess): Promise<void> {
    running.process = process;
    for (let turn = 0; turn < MICROTASK_TURNS; turn += 1) await null;
    running.process = null;
  }

  /** Timers that are due become tasks. */
  #ripen(): void {
    let due = 0;
    while ((this.#timers[due]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) due += 1;
    if (due === 0) return;
    for (const { task } of this.#timers.splice(0, due)) if (!task.isCancelled) this.#tasks.push(task);
  }

  #canRun({ isCancelled, process, kind, sequence }: Task): boolean {
    if (isCancelled) return false;
    if (process === null) return true;
    if (process.state !== 'running') return false;
    return (
      kind !== 'check' ||
      !this.#tasks.some(
        (other) =>
          other.process === process && other.kind === 'io' && !other.isCancelled && other.sequence < sequence,
      )
    );
  }
}
