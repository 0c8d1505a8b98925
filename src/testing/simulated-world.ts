/**
 * A host with one daemon on it: whatever its supervisors start, and whoever asks something of them.
 */
import type { Settings } from '../../machines/policy.js';
import type { SpawnRequest } from '../os/env.js';
import { VARIABLES } from '../protocol/environment.js';
import type { Choices } from './choices.js';
import { Faults, NO_FAULTS, type Odds } from './faults.js';
import type { Watch } from './happenings.js';
import { Kernel } from './kernel.js';
import type { ControlEnd, Machinery, Safeguard } from './machinery.js';
import type { SimulatedProcess } from './process.js';
import { asShipped, type Mutation } from './simulated-machine.js';
import { SupervisorProcess } from './supervisor-process.js';
import { WorkerProcess } from './worker-process.js';

/** What a world is made of. */
export interface WorldOptions {
  /** Those of the daemon: `simulatedSettings()`. */
  readonly settings: Settings;
  /** Where chance comes from. */
  readonly choices: Choices;
  /** What goes wrong by itself. Default `NO_FAULTS`. */
  readonly odds?: Odds;
  /** Safeguards that do nothing. */
  readonly off?: readonly Safeguard[];
  /** Keeps a readable line for everything that happens. */
  readonly isTraced?: boolean;
  /** Puts another machine in place of the shipped one. */
  readonly mutate?: Mutation;
  /** Is told of everything that happens. */
  readonly watch?: Watch;
}

/** Small, so that pids are used again within one run. */
const PIDS = 22;

/** A simulated host. Nothing happens on it but by `kernel.step()`: `Scenario` and `runSeed` do that. */
export class World {
  /** Those of the daemon. */
  readonly settings: Settings;
  /** Processes, signals, files and time. */
  readonly kernel: Kernel;
  /** What goes wrong by itself. */
  readonly faults: Faults;
  /** Every supervisor that was ever started, in order. */
  readonly launched: SupervisorProcess[] = [];
  readonly #mutate: Mutation;
  #epoch = 0;
  readonly #control = new Map<string, ControlEnd>();
  readonly #machinery: Machinery;

  /** Nothing runs on it yet. */
  constructor({
    settings,
    choices,
    odds = NO_FAULTS,
    off = [],
    isTraced = false,
    mutate = asShipped,
    watch = () => undefined,
  }: WorldOptions) {
    this.settings = settings;
    this.#mutate = mutate;
    const disabled = new Set(off);
    const provesIdentity = !disabled.has('identity');
    this.kernel = new Kernel({ choices, pids: PIDS, isTraced, provesIdentity, watch });
    this.faults = new Faults(this.kernel, odds);
    this.#machinery = {
      kernel: this.kernel,
      off: disabled,
      control: this.#control,
      trouble: (call) => this.faults.trouble(call),
      exists: () => true,
      launch: (process, request) => this.#launch(process, request),
      probe: (process) => (process.program instanceof WorkerProcess ? process.program.probeStatus : null),
    };
  }

  /** Every process that has not been reaped. */
  get processes(): readonly SimulatedProcess[] {
    return [...this.kernel.processes.values()];
  }

  /** Successors that were started. */
  get successors(): number {
    return this.launched.filter(({ options }) => VARIABLES.handoverFd in options.env).length;
  }

  /** Supervisors that live, hung ones and those that still boot included; anchors are none any more. */
  get supervisors(): readonly SupervisorProcess[] {
    return this.#alive(SupervisorProcess).filter(({ state }) => state !== 'anchored');
  }

  /** First processes that have handed over and stay, hung ones included. */
  get anchors(): readonly SupervisorProcess[] {
    return this.#alive(SupervisorProcess).filter(({ state }) => state === 'anchored');
  }

  /** Workers that live, hung ones included. */
  get workers(): readonly WorkerProcess[] {
    return this.#alive(WorkerProcess);
  }

  /** Asked for at every step, by every check. */
  #alive<Program>(kind: abstract new (...args: never[]) => Program): readonly Program[] {
    const found: Program[] = [];
    for (const { isAlive, program } of this.kernel.processes.values())
      if (isAlive && program instanceof kind) found.push(program);
    return found;
  }

  /** What the pid file holds; null while there is none. */
  get pidFile(): string | null {
    return this.kernel.files.get(this.settings.pidFile ?? '')?.content ?? null;
  }

  /** Somebody starts the daemon: the operator, a service manager, or one who does not know that it runs. */
  start(): SupervisorProcess {
    this.#epoch += 1;
    const process = this.kernel.start({ parent: null, group: null, isOurs: true });
    const { settings } = this;
    const started = new SupervisorProcess(this.#machinery, process, {
      settings,
      mutate: this.#mutate,
      boot: 'well',
      env: {},
      epoch: this.#epoch,
    });
    this.launched.push(started);
    this.kernel.note(() => `somebody starts the daemon: ${started.process.name}`);
    return started;
  }

  /** A request on the control socket. False if nobody listens there. */
  request(
    method: string,
    path: string,
    query: Readonly<Record<string, string>>,
    onAnswer: (body: unknown) => void,
  ) {
    const end = this.#control.get(this.settings.control ?? '');
    if (end === undefined || !end.process.isAlive) return false;
    this.kernel.note(() => `somebody asks ${end.process.name}: ${method} ${path}`);
    this.kernel.task(end.process, 'io', () =>
      end.handler({
        method,
        path,
        query,
        respond: (_, body) => onAnswer(body),
        respondText: () => undefined,
        stream: () => ({ write: () => 0, abort: () => undefined }),
        hold: () => undefined,
      }),
    );
    return true;
  }

  /** The process that the control socket leads to. */
  get controlled(): SimulatedProcess | null {
    const end = this.#control.get(this.settings.control ?? '');
    return end?.process.isAlive ? end.process : null;
  }

  #launch(process: SimulatedProcess, { env }: SpawnRequest): void {
    const { parent } = process;
    const owner = parent?.program;
    if (!(owner instanceof SupervisorProcess)) throw new Error('only supervisors start processes');
    const { epoch } = owner.options;
    const { settings } = this;
    if (env[VARIABLES.handoverFd] !== undefined) {
      const boot = this.faults.boot();
      const mutate = this.#mutate;
      this.launched.push(
        new SupervisorProcess(this.#machinery, process, { settings, mutate, boot, env, epoch }),
      );
      return;
    }
    if (this.#machinery.off.has('life-pipe')) this.#dropLifePipe(process, owner);
    new WorkerProcess(this.#machinery, process, { settings, behaviour: this.faults.behaviour(), env, owner });
  }

  /** The worker does not hold the life pipe: its end says nothing of workers then. */
  #dropLifePipe(process: SimulatedProcess, owner: SupervisorProcess): void {
    const lifeWrite = owner.process.descriptors.get(owner.context?.inheritance.lifeWrite ?? -1);
    for (const [descriptor, description] of process.descriptors) {
      if (description === lifeWrite) process.closeDescriptor(descriptor);
    }
  }
}
