/**
 * A supervisor as the program around it sees it.
 */
import type { Failure } from '../machines/events.js';
import type { ReloadVerdict, ScaleVerdict, Status } from '../machines/status.js';
import type { EventName, EventOf, StatusObserver, Subscription } from './subscribers.js';

/** A supervisor that runs in this process. */
export interface Supervisor {
  /**
   * Starts a new generation and waits for the verdict.
   *
   * This generation serves until then. A second call while one runs joins it.
   *
   * @returns what happened; a refused reload is a value, not an exception.
   * @throws {TanistError} `TANIST_STOPPING` if a stop was asked for already, `TANIST_ANCHORED` if this process is
   *   only the anchor of a later generation.
   */
  reload(): Promise<ReloadVerdict>;
  /**
   * Changes the number of workers to 1 to 1024, and waits until that many are ready and the others are gone.
   *
   * The number survives reloads; a new start goes back to the settings.
   *
   * @returns what happened; a refusal is a value, not an exception. `incomplete`, after the longer of start and
   *   drain timeout, means that the rest goes on.
   * @throws {TanistError} `TANIST_STOPPING` and `TANIST_ANCHORED`, as `reload()`.
   */
  scale(workers: number): Promise<ScaleVerdict>;
  /** Asks for a stop; an anchor passes it on. A second call kills at once. `done` says when nothing is left. */
  stop(): void;
  /** What it is now: a plain object, as `tanist status --json` prints it. */
  status(): Status;
  /**
   * Calls back with every event of that name which this generation's machine has processed; `'*'` means all of them.
   * They are the events of the journal, of `machines/events.ts` and of `diagrams/supervisor.md`: `worker.exited`,
   * `reload.refused`, …
   *
   * In their order, at the end of the turn of the event loop: whoever subscribes right behind `createSupervisor()`
   * misses nothing, and `status()` is at least as new. What a handler throws, or the promise it returns rejects with,
   * is logged (`handler.failed`) and changes nothing. After the end nobody is called any more.
   *
   * @throws {TanistError} `TANIST_USAGE` for a name that no event has, and for a handler that is no function.
   */
  on<Name extends EventName>(name: Name, handler: (event: EventOf<Name>) => unknown): Subscription;
  /**
   * Calls back with the status after every turn in which it has changed, not at once; `complete` when nothing will
   * change any more. What a callback throws is logged, as with `on`.
   *
   * @throws {TanistError} `TANIST_USAGE` for what is neither a function nor an observer.
   */
  subscribe(observer: StatusObserver | ((status: Status) => unknown)): Subscription;
  /**
   * Resolves when all has ended: null after an orderly end, else why it failed. Never rejects.
   *
   * `TANIST_INTERNAL`: an exception in this process, of the supervisor or of the program around it, has ended it.
   * The workers were asked to leave, killed after the drain timeout, and everything was given back; where another
   * generation lives, the service was left to that. The process itself is never ended by tanist.
   */
  readonly done: Promise<Failure | null>;
  /** The emergency path: kills every process this supervisor started; an anchor leaves that to the service. */
  killAll(): void;
}

/** A supervisor, and the way in for an exception that nobody has caught. */
export interface RunningSupervisor extends Supervisor {
  crash(error: unknown): void;
}
