/**
 * A supervisor as a handle: the machine, the real effects and the log, started together.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ActorRefFrom, createActor, type InspectionEvent } from 'xstate';
import type { Failure } from '../machines/events.js';
import type { Account, Settings } from '../machines/policy.js';
import { type Origin, type Status, statusOf, topState } from '../machines/status.js';
import type { SupervisorInput, supervisorMachine } from '../machines/supervisor.js';
import { type EffectOptions, provideEffects } from './actors/provide.js';
import { checkedEffects, type Embedding, harmless } from './embedding.js';
import { Emergency } from './emergency/emergency.js';
import { Holdings } from './emergency/holdings.js';
import { inheritedBy } from './emergency/inherited.js';
import { recordingEnv } from './emergency/recording-env.js';
import { TanistError } from './errors.js';
import type { RunningSupervisor } from './handle.js';
import type { Handover } from './handover.js';
import { createJournal } from './journal/journal.js';
import type { Log } from './log.js';
import { createMetrics } from './metrics/metrics.js';
import { createTally } from './metrics/tally.js';
import type { JournalFile } from './os/journal-file.js';
import { createNodeEnv, type NodeEnv } from './os/node-env.js';
import { type Places, placesOf } from './os/places.js';
import { startTimeOf } from './os/processes.js';
import { usageOf } from './os/usage.js';
import type { Need, Program, Relaunch } from './program.js';
import { Subscribers } from './subscribers.js';
import { Verdicts } from './verdicts.js';
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
  /** Where the journal goes; null or absent for nowhere, and it is recorded only while somebody listens to it. */
  readonly journalFile?: JournalFile | null;
  /** SIGHUP stops: standard input was a terminal at the very first start. */
  readonly hangupStops: boolean;
  /** Standard output and standard error of what is started; its own where absent. */
  readonly output?: () => readonly [number, number];
  /** The command that waits for a daemonized start; null or absent where none does. */
  readonly starter?: { readonly descriptor: number; readonly failed: (failure: Failure) => void } | null;
  /** Called once, as soon as it answers at its control socket. */
  readonly onClaimed?: () => void;
  /** Only a successor has one. */
  readonly handover: Handover | null;
  /** What the program around it brings along. */
  readonly embedding?: Embedding;
  readonly seams?: Seams;
}

/** Where a test can get in; no option and no word of a command line leads here. */
export interface Seams {
  /** Makes a door to the operating system: the real one where absent. */
  readonly openEnv?: (places: Places, account: Account | null) => NodeEnv;
  /** Makes another machine of the shipped one. */
  readonly alter?: (machine: typeof supervisorMachine) => typeof supervisorMachine;
}

/** An effect or a machine of this supervisor is in error; no state has an answer to that. */
const isErrorEvent = (event: { readonly type: string }): event is { type: string; error: unknown } =>
  event.type.startsWith('xstate.error.') && 'error' in event;

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** The same door, for a process whose signals are not the supervisor's. */
const deafTo = (env: NodeEnv): NodeEnv => ({ ...env, onSignal: () => () => undefined });

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
export const startSupervisor = (parts: SupervisorParts): RunningSupervisor => {
  const { settings, log } = parts;
  if (parts.handover === null && settings.control !== null) expectDirectory(dirname(settings.control));
  const places = placesOf(settings.pidFile);
  const { embedding = {} } = parts;
  const opened = (parts.seams?.openEnv ?? createNodeEnv)(places, settings.account);
  const bare = embedding.takeSignals === false ? deafTo(opened) : opened;
  const holdings = new Holdings(inheritedBy(parts.handover, settings));
  const env = recordingEnv(bare, holdings, (error) => emergency.begin(error));
  const input: SupervisorInput = {
    settings,
    version: VERSION,
    self: { pid: env.pid, startTime: startTimeOf(env.pid) },
    startedAtMs: env.now(),
    hangupStops: parts.hangupStops,
    origin: parts.origin,
    logFile: parts.logFile,
    journal: parts.journalFile?.path ?? null,
    starter: parts.starter?.descriptor ?? null,
    handover: parts.handover,
  };
  const tally = createTally({ before: parts.handover?.record.counters, now: env.now });
  const options: EffectOptions = {
    program: parts.program,
    relaunch: parts.relaunch,
    needs: parts.needs,
    settings,
    output: parts.output ?? (() => [1, 2]),
    base: places.base,
    status: () => statusOf(actor.getSnapshot()),
    listen: (since, begin) => journal.listen(since, begin),
    counters: tally.counters,
    metrics: createMetrics({
      status: () => statusOf(actor.getSnapshot()),
      counters: tally.counters,
      usageOf,
      busyMs: () => performance.eventLoopUtilization().active,
      now: env.now,
      setTimer: env.setTimer,
    }),
  };
  const shipped = provideEffects(env, options, checkedEffects(embedding.provide));
  const machine = parts.seams?.alter?.(shipped) ?? shipped;
  const status = (): Status => {
    const now = statusOf(actor.getSnapshot());
    return emergency.failure === null ? now : { ...now, state: 'stopping' };
  };
  const subscribers = new Subscribers(status, (error, what) =>
    log.line('error', 'handler.failed', `a handler of the program failed at ${what}: ${textOf(error)}`),
  );
  const show = harmless(embedding.inspect, (error) =>
    log.line('error', 'inspect.failed', `the inspector of the program failed: ${textOf(error)}`),
  );
  const inspect = (inspection: InspectionEvent) => {
    // Before the machine is in error, and XState may have stopped what it holds.
    if (
      inspection.type === '@xstate.event' &&
      inspection.actorRef === actor &&
      isErrorEvent(inspection.event)
    )
      emergency.begin(inspection.event.error);
    log.observe(inspection);
    show(inspection);
    if (inspection.type === '@xstate.snapshot' && inspection.actorRef === actor)
      subscribers.tell(inspection.event, actor.getSnapshot());
  };
  const actor: ActorRefFrom<typeof supervisorMachine> = createActor(machine, {
    id: 'supervisor',
    input,
    inspect,
  });
  actor.system.inspect(tally.observe);
  const { onClaimed } = parts;
  if (onClaimed !== undefined) {
    const noted = actor.system.inspect((inspection) => {
      if (inspection.type !== '@xstate.event' || inspection.event.type !== 'control.claimed') return;
      noted.unsubscribe();
      onClaimed();
    });
  }
  const journal = createJournal({
    generation: parts.handover?.record.generation ?? 1,
    pid: env.pid,
    tanist: VERSION,
    now: env.now,
    setTimer: env.setTimer,
    file: parts.journalFile ?? null,
    tell: log.line,
  });
  journal.attach(actor);
  const flush = () => {
    log.flush();
    journal.flush();
  };
  process.once('exit', flush);
  const isAnchor = (): boolean => topState(actor.getSnapshot().value) === 'anchored';
  const killAll = () => {
    // Its successor may be in charge of the service, and stops in order when it sees that the anchor is gone.
    if (!isAnchor()) bare.killAll();
  };
  const tellStarter = (failure: Failure) => {
    if (actor.getSnapshot().context.awaited) parts.starter?.failed(failure);
  };
  let settle: (failure: Failure | null) => void;
  const done = new Promise<Failure | null>((resolve) => {
    settle = resolve;
  });
  done.then(() => process.off('exit', flush));
  const emergency = new Emergency({
    env: bare,
    holdings,
    settings,
    log: log.line,
    lastKnown: () => actor.getSnapshot().context,
    onBegin: (failure) => {
      verdicts.fail(failure);
      subscribers.changed();
    },
    onEnd: (failure) => {
      tellStarter(failure);
      subscribers.end();
      settle(failure);
    },
  });
  const verdicts = new Verdicts(actor);
  actor.subscribe({
    complete: () => {
      const failure = actor.getSnapshot().output?.failure ?? null;
      tellStarter(failure ?? STOPPED);
      subscribers.end();
      settle(failure);
    },
    // A machine in error has not disposed its children: what it holds is given back from outside it.
    error: (error) => emergency.begin(error),
  });
  actor.start();

  /** Why nothing can be asked of this process any more; null while it can. */
  const refusal = (): TanistError | null => {
    if (isAnchor())
      return new TanistError('TANIST_ANCHORED', 'this process has handed over and stays as the anchor');
    if (emergency.failure !== null) return new TanistError('TANIST_STOPPING', emergency.failure.message);
    const { stops } = actor.getSnapshot().context;
    return stops > 0 ? new TanistError('TANIST_STOPPING', 'the supervisor is stopping') : null;
  };

  return {
    reload() {
      const refused = refusal();
      if (refused !== null) return Promise.reject(refused);
      const id = crypto.randomUUID();
      actor.send({ type: 'reload.requested', via: 'api', id, atMs: env.now() });
      return verdicts.wait('reload', ({ lastReload }) => (lastReload?.ids.includes(id) ? lastReload : null));
    },
    scale(workers) {
      const refused = refusal();
      if (refused !== null) return Promise.reject(refused);
      const id = crypto.randomUUID();
      actor.send({ type: 'scale.requested', via: 'api', workers, change: 0, id, atMs: env.now() });
      return verdicts.wait('number of workers', ({ lastScale }) =>
        lastScale?.ids.includes(id) ? lastScale.verdict : null,
      );
    },
    stop: () => {
      if (emergency.failure !== null) emergency.hurry('api');
      else actor.send({ type: 'stop.requested', via: 'api', atMs: env.now() });
    },
    status,
    on: (name, handler) => subscribers.on(name, handler),
    subscribe: (observer) => subscribers.subscribe(observer),
    done,
    killAll,
    crash: (error) => emergency.begin(error),
  };
};
