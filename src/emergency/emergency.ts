/**
 * The emergency path: an orderly stop by hand, where the machine can decide nothing any more.
 *
 * Whoever else can go on with the service decides what becomes of it, as if this supervisor had been killed: a
 * successor takes charge, a predecessor comes back. Only where there is neither everything is given back.
 */
import type { Failure, Identity } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import type { Log } from '../log.js';
import type { ControlRequest, Dispose, Env } from '../os/env.js';
import { giveBack } from './giving-back.js';
import { endLink, tellPredecessor } from './heirs.js';
import type { Holdings } from './holdings.js';
import { answerLate, refuse } from './refusals.js';

/** What the machine knew before it failed. */
export interface LastKnown {
  /** How often a stop was asked for. */
  readonly stops: number;
  readonly hangupStops: boolean;
  /** Processes of another generation that lost their supervisor. */
  readonly leftovers: readonly Identity[];
}

export interface EmergencyParts {
  /** The bare door: the one of the effects is sealed. */
  readonly env: Env;
  readonly holdings: Holdings;
  readonly settings: Pick<Settings, 'stopSignal' | 'drainTimeoutMs' | 'takeoverTimeoutMs'>;
  readonly log: Log['line'];
  readonly lastKnown: () => LastKnown;
  /** Called once, at the beginning. */
  readonly onBegin: (failure: Failure) => void;
  /** Called once, when no worker is left and before everything is closed. */
  readonly onEnd: (failure: Failure) => void;
}

/** Who goes on with the service. */
export type Heir = 'predecessor' | 'successor' | null;

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const IGNORED_SIGNALS = ['SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
const list = (processes: readonly Identity[]): string => `pid ${processes.map(({ pid }) => pid).join(', ')}`;

export class Emergency {
  readonly #parts: EmergencyParts;
  #failure: Failure | null = null;
  #heir: Heir = null;
  #isKilling = false;
  #isOver = false;
  #stopAlarm: Dispose = () => undefined;
  readonly #handlers: Dispose[] = [];

  constructor(parts: EmergencyParts) {
    this.#parts = parts;
  }

  /** Why; null while all is well. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** Begins the stop. Errors that follow are logged and change nothing. */
  begin(error: unknown): void {
    const { log, onBegin } = this.#parts;
    if (this.#failure !== null) {
      log('error', 'supervisor.crashed', `another error while it stops: ${textOf(error)}`);
      return;
    }
    this.#failure = {
      code: 'TANIST_INTERNAL',
      message: `the supervisor has failed: ${error instanceof Error ? error.message : String(error)}`,
    };
    log('fatal', 'supervisor.crashed', `the supervisor has failed: ${textOf(error)}`);
    onBegin(this.#failure);
    this.#attempt(() => this.#stop(this.#failure as Failure));
  }

  /** Kills at once: a stop was asked for while it stops. */
  hurry(by: string): void {
    if (this.#failure === null || this.#isOver) return;
    const { env, holdings } = this.#parts;
    if (holdings.successor !== null) env.signalChild(holdings.successor.pid, 'SIGTERM', false);
    this.#attempt(() => this.#kill(`a stop was asked for by ${by} while it stopped`));
  }

  /** A step of the emergency that fails must not leave the next one undone. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      const { env, holdings, log } = this.#parts;
      log('fatal', 'emergency.failed', `the orderly stop has failed: ${textOf(error)}`);
      for (const { pid } of holdings.workers) env.signalChild(pid, 'SIGKILL', true);
      this.#finish();
    }
  }

  #stop(failure: Failure): void {
    const { env, holdings, log, lastKnown } = this.#parts;
    holdings.seal();
    holdings.onChildGone = () => this.#attempt(() => this.#look());
    holdings.onLateRequest = (request) => this.#attempt(() => this.#answer(request, failure));
    this.#listen();
    this.#heir = this.#heirNow();
    for (const request of holdings.waiting) if (this.#heir === null) refuse(request, failure);
    // Whoever waits asks the generation that goes on.
    if (this.#heir !== null) for (const control of holdings.controls) control.abandon();
    const { predecessor, successor } = holdings;
    for (const { pid } of holdings.workers) env.signalChild(pid, this.#parts.settings.stopSignal, false);
    if (this.#heir === 'predecessor' && predecessor !== null) {
      log(
        'warn',
        'emergency.left',
        `the predecessor, pid ${predecessor.pid}, goes on, and ends what is left here`,
      );
      tellPredecessor(env, holdings, predecessor.messages, failure);
      this.#finish();
      return;
    }
    if (successor !== null) {
      log('warn', 'emergency.left', `the successor, pid ${successor.pid}, takes charge`);
      endLink(env, holdings, successor);
      if (lastKnown().stops > 0) env.signalChild(successor.pid, 'SIGTERM', false);
    }
    this.#drain();
  }

  #heirNow(): Heir {
    const { env, holdings } = this.#parts;
    const { predecessor } = holdings;
    // Where the system tells no start time, an open socket is all there is to know.
    if (predecessor !== null && (predecessor.startTime === null || env.isAlive(predecessor)))
      return 'predecessor';
    return holdings.successor === null ? null : 'successor';
  }

  #listen(): void {
    const { env, log, lastKnown } = this.#parts;
    const { hangupStops } = lastKnown();
    const on = (signal: string, callback: () => void) => this.#handlers.push(env.onSignal(signal, callback));
    for (const signal of hangupStops ? [...STOP_SIGNALS, 'SIGHUP'] : STOP_SIGNALS)
      on(signal, () => this.hurry(signal));
    for (const signal of hangupStops ? IGNORED_SIGNALS : [...IGNORED_SIGNALS, 'SIGHUP'])
      on(signal, () =>
        log('warn', 'emergency.ignored', `${signal} is ignored: the supervisor has failed and stops`),
      );
  }

  #answer(request: ControlRequest, failure: Failure): void {
    if (answerLate(request, failure) === 'stop') this.hurry('control');
  }

  #drain(): void {
    const { env, holdings, log, settings } = this.#parts;
    const { workers } = holdings;
    if (workers.length === 0) return this.#finish();
    log(
      'warn',
      'emergency.waiting',
      `waits at most ${settings.drainTimeoutMs / 1_000} s for the workers to leave, ${list(workers)}; a signal kills them at once`,
    );
    this.#stopAlarm = env.setTimer(
      () => this.#attempt(() => this.#kill('they did not leave within the drain timeout')),
      settings.drainTimeoutMs,
    );
  }

  #kill(why: string): void {
    const { env, holdings, log, settings } = this.#parts;
    const { workers } = holdings;
    this.#stopAlarm();
    if (workers.length === 0) return this.#finish();
    if (!this.#isKilling)
      log(
        'warn',
        'emergency.killing',
        `the workers and their process groups are killed, ${list(workers)}: ${why}`,
      );
    this.#isKilling = true;
    for (const { pid } of workers) env.signalChild(pid, 'SIGKILL', true);
    this.#stopAlarm = env.setTimer(() => this.#attempt(() => this.#finish()), settings.takeoverTimeoutMs);
  }

  #look(): void {
    const { holdings, log } = this.#parts;
    if (this.#heir === 'successor' && holdings.successor === null) {
      this.#heir = null;
      log('error', 'emergency.alone', 'the successor is gone, too: nobody goes on with the service');
    }
    if (holdings.workers.length === 0) this.#finish();
  }

  #finish(): void {
    const { env, holdings, log, lastKnown, onEnd } = this.#parts;
    if (this.#isOver || this.#failure === null) return;
    this.#isOver = true;
    this.#stopAlarm();
    const { workers } = holdings;
    if (workers.length > 0 && this.#heir !== 'predecessor')
      log('error', 'emergency.unfinished', `SIGKILL has not ended ${list(workers)} yet`);
    giveBack({
      env,
      holdings,
      log,
      heir: this.#heir,
      failure: this.#failure,
      leftovers: lastKnown().leftovers,
      onEnd,
    });
    for (const dispose of this.#handlers) dispose();
  }
}
