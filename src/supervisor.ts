/**
 * A supervisor as a handle: the machine, the real effects and the log, started together.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createActor } from 'xstate';
import type { Failure } from '../machines/events.js';
import type { Account, Settings } from '../machines/policy.js';
import {
  type Origin,
  type ReloadVerdict,
  type ScaleVerdict,
  type Status,
  statusOf,
  topState,
} from '../machines/status.js';
import type { SupervisorContext, SupervisorInput } from '../machines/supervisor.js';
import { provideEffects } from './actors/provide.js';
import { TanistError } from './errors.js';
import type { Handover } from './handover.js';
import type { Log } from './log.js';
import { createNodeEnv, type NodeEnv } from './os/node-env.js';
import { type Places, placesOf } from './os/places.js';
import { startTimeOf } from './os/processes.js';
import type { Need, Program, Relaunch } from './program.js';
import { VERSION } from './version.js';

export interface SupervisorParts {
  readonly settings: Settings;
  readonly program: Program;
  readonly relaunch: Relaunch;
  /** What the user of `settings.account` must be able to use. */
  readonly needs: readonly Need[];
  readonly origin: Origin;
  /** Where the log goes; null for standard error. */
  readonly logFile: string | null;
  readonly log: Log;
  /** SIGHUP stops: standard input was a terminal at the very first start. */
  readonly hangupStops: boolean;
  /** Standard output and standard error of what is started; its own where absent. */
  readonly output?: () => readonly [number, number];
  /** The command that waits for a daemonized start; null or absent where none does. */
  readonly starter?: { readonly descriptor: number; readonly failed: (failure: Failure) => void } | null;
  /** Only a successor has one. */
  readonly handover: Handover | null;
  /** Opens the door to the operating system; the real one where absent. */
  readonly openEnv?: OpenEnv;
}

/** Makes a door to the operating system: the real one, or one that a test has built around it. */
export type OpenEnv = (places: Places, account: Account | null) => NodeEnv;

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
  status(): Status;
  /** Resolves when the machine has ended: null after an orderly end, else why it failed. Never rejects. */
  readonly done: Promise<Failure | null>;
  /** The emergency path: kills every process this supervisor started; an anchor leaves that to the service. */
  killAll(): void;
}

/** A daemonized start that somebody stopped has failed for whoever waits for it. */
const STOPPED: Failure = {
  code: 'TANIST_START_ABORTED',
  message: 'the daemon was stopped before every worker was ready',
};

/**
 * A control socket is put where its owner has made room for it.
 *
 * @throws {TanistError} `TANIST_CONTROL_FAILED`.
 */
const expectDirectory = (directory: string): void => {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const why = found === undefined ? 'does not exist' : 'is not a directory';
  throw new TanistError('TANIST_CONTROL_FAILED', `the directory of the control socket, ${directory}, ${why}`);
};

/**
 * Starts a supervisor: takes the lock, opens the listeners, starts the workers.
 *
 * @throws {TanistError} `TANIST_RUN_DIR`, `TANIST_CONTROL_FAILED`, `TANIST_FS_EXT_MISSING`. Later failures resolve `done`.
 */
export const startSupervisor = (parts: SupervisorParts): Supervisor => {
  const { settings, log } = parts;
  if (parts.handover === null && settings.control !== null) expectDirectory(dirname(settings.control));
  const places = placesOf(settings.pidFile);
  const env = (parts.openEnv ?? createNodeEnv)(places, settings.account);
  const input: SupervisorInput = {
    settings,
    version: VERSION,
    self: { pid: env.pid, startTime: startTimeOf(env.pid) },
    startedAtMs: env.now(),
    hangupStops: parts.hangupStops,
    origin: parts.origin,
    logFile: parts.logFile,
    starter: parts.starter?.descriptor ?? null,
    handover: parts.handover,
  };
  const machine = provideEffects(env, {
    program: parts.program,
    relaunch: parts.relaunch,
    needs: parts.needs,
    settings,
    output: parts.output ?? (() => [1, 2]),
    base: places.base,
    status: () => statusOf(actor.getSnapshot()),
  });
  const actor = createActor(machine, { id: 'supervisor', input, inspect: log.observe });
  const isAnchor = (): boolean => topState(actor.getSnapshot().value) === 'anchored';
  const killAll = () => {
    // Its successor may be in charge of the service, and stops in order when it sees that the anchor is gone.
    if (!isAnchor()) env.killAll();
  };
  const done = new Promise<Failure | null>((resolve) => {
    actor.subscribe({
      complete: () => {
        const { output, context } = actor.getSnapshot();
        const failure = output?.failure ?? null;
        if (context.awaited) parts.starter?.failed(failure ?? STOPPED);
        resolve(failure);
      },
      // A machine in error has not disposed its children: what it started is ended from outside it.
      error: (error) => {
        killAll();
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        resolve({ code: 'TANIST_INTERNAL', message });
      },
    });
  });
  actor.start();

  /** Waits for a verdict to appear in the machine's context. */
  const verdictIn = <Verdict>(
    what: string,
    find: (context: SupervisorContext) => Verdict | null,
  ): Promise<Verdict> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const verdict = find(actor.getSnapshot().context);
        if (verdict === null) return;
        subscription.unsubscribe();
        resolve(verdict);
      };
      const subscription = actor.subscribe({
        next: look,
        complete: () =>
          reject(new TanistError('TANIST_STOPPING', `the supervisor ended before the ${what} was decided`)),
      });
      look();
    });

  /** Why nothing can be asked of this process any more; null while it can. */
  const refusal = (): TanistError | null => {
    if (isAnchor())
      return new TanistError('TANIST_ANCHORED', 'this process has handed over and stays as the anchor');
    const { stops } = actor.getSnapshot().context;
    return stops > 0 ? new TanistError('TANIST_STOPPING', 'the supervisor is stopping') : null;
  };

  return {
    reload() {
      const refused = refusal();
      if (refused !== null) return Promise.reject(refused);
      const id = crypto.randomUUID();
      actor.send({ type: 'reload.requested', via: 'api', id, atMs: env.now() });
      return verdictIn('reload', ({ lastReload }) => (lastReload?.ids.includes(id) ? lastReload : null));
    },
    scale(workers) {
      const refused = refusal();
      if (refused !== null) return Promise.reject(refused);
      const id = crypto.randomUUID();
      actor.send({ type: 'scale.requested', via: 'api', workers, change: 0, id, atMs: env.now() });
      return verdictIn('number of workers', ({ lastScale }) =>
        lastScale?.ids.includes(id) ? lastScale.verdict : null,
      );
    },
    stop: () => actor.send({ type: 'stop.requested', via: 'api', atMs: env.now() }),
    status: () => statusOf(actor.getSnapshot()),
    done,
    killAll,
  };
};
