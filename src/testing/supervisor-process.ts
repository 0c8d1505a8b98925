/**
 * A supervisor in the simulated world: the shipped machine with the shipped effects, in a process of its own.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import type { Settings } from '../../machines/policy.js';
import { type Status, statusOf, topState } from '../../machines/status.js';
import type { SupervisorContext, SupervisorMachine } from '../../machines/supervisor.js';
import { checkHandover, type Handover, HandoverRefused, parseHandover } from '../handover.js';
import { VARIABLES } from '../protocol/environment.js';
import { formatMessage } from '../protocol/succession.js';
import { StreamEnd } from './descriptions.js';
import type { Machinery } from './machinery.js';
import type { SimulatedProcess, SimulatedProgram } from './process.js';
import { createRescue, type Rescue } from './rescue.js';
import { doors, type Mutation, machineFor, supervisors } from './simulated-machine.js';

/** What becomes of a supervisor before it is one. */
export type Boot = 'well' | 'slow' | 'crash' | 'hang' | 'config-invalid';

/** What a supervisor is started with. */
export interface SupervisorStart {
  /** What it is told to do. */
  readonly settings: Settings;
  /** Which machine it runs. */
  readonly mutate: Mutation;
  /** What becomes of it before it can speak. */
  readonly boot: Boot;
  /** Its environment: a successor finds its hand-over there. */
  readonly env: Readonly<Record<string, string>>;
  /** Counts first generations: everything a first generation leads to has its number. */
  readonly epoch: number;
}

/** From exec to the first line: until then a signal does what it does by default. */
const EXEC_MS = 24;
/** From then on signals are held; the rest is loaded. */
const LOAD_MS = 36;
const NEWLINE = 0x0a;

/** A supervisor in a simulated process, hung ones and those that still boot included. */
export class SupervisorProcess implements SimulatedProgram {
  readonly #machinery: Machinery;
  /** The process that it runs in. */
  readonly process: SimulatedProcess;
  /** What it was started with. */
  readonly options: SupervisorStart;
  /** It has given everything back and only has to exit. */
  isOver = false;
  /** Counted from 1; 0 while it boots. */
  generation = 0;
  #actor: ActorRefFrom<SupervisorMachine> | null = null;
  #rescue: Rescue | null = null;

  /** @internal */
  constructor(machinery: Machinery, process: SimulatedProcess, options: SupervisorStart) {
    this.#machinery = machinery;
    this.process = process;
    this.options = options;
    process.program = this;
    supervisors.set(process, this);
    this.#boot();
  }

  /** In words, for the trace. */
  get name(): string {
    return this.generation === 0 ? 'supervisor' : `supervisor ${this.generation}`;
  }

  /** What its machine knows now; null before it runs. */
  get context(): SupervisorContext | null {
    return this.#actor?.getSnapshot().context ?? null;
  }

  /** The name of the state it is in; null before it has one. */
  get state(): string | null {
    if (this.#actor === null) return null;
    const state = topState(this.#actor.getSnapshot().value);
    return this.isFailing && state !== 'anchored' ? 'stopping' : state;
  }

  /** Something in it was defective: it is on the emergency path, and its machine decides nothing any more. */
  get isFailing(): boolean {
    return this.#rescue?.isBegun === true;
  }

  /** Workers that an emergency has left to nobody, in words; null for none. */
  get left(): string | null {
    return this.#rescue?.left ?? null;
  }

  /** It is giving everything back. */
  get isReleasing(): boolean {
    return this.#actor?.getSnapshot().matches({ stopping: 'releasing' }) === true;
  }

  /** It has told its successor that it stays as the anchor, which does not wait for it any more. */
  get hasParted(): boolean {
    return this.#actor?.getSnapshot().matches({ handoff: 'introducing' }) === true;
  }

  /** A successor that has failed, and waits to be killed. */
  get isDoomed(): boolean {
    const takeover = this.#actor?.getSnapshot().children.takeover?.getSnapshot();
    const value = takeover !== undefined && 'value' in takeover ? takeover.value : undefined;
    return typeof value === 'object' && 'doomed' in value;
  }

  /** A successor that has let its workers serve. */
  get hasActivated(): boolean {
    if (this.hasBeenInCharge) return true;
    const takeover = this.#actor?.getSnapshot().children.takeover?.getSnapshot();
    const context = takeover !== undefined && 'context' in takeover ? takeover.context : null;
    return context !== null && 'activated' in context && context.activated;
  }

  /** A first generation that has got the lock (without one: its life pipe), or a successor. */
  get holdsLock(): boolean {
    const context = this.context;
    if (context === null) return false;
    return (this.options.settings.pidFile === null ? context.lifeRead : context.lock) !== null;
  }

  /** Its workers were told to leave at some time, because a successor was in charge. */
  hasRetired = false;
  /** It has been in charge at some time. */
  hasBeenInCharge = false;
  /** A worker of it has been told that it may serve, and has heard of it. */
  hasServed = false;
  /** It has handed over at some time, and stayed as the anchor. */
  hasBeenAnchor = false;

  /** State and substate, in words. */
  get place(): string {
    const snapshot = this.#actor?.getSnapshot();
    if (snapshot === undefined) return 'booting';
    if (this.isFailing) return 'an emergency';
    const link = snapshot.children.reload ?? snapshot.children.takeover;
    const linked = link?.getSnapshot();
    const value = linked !== undefined && 'value' in linked ? ` with ${JSON.stringify(linked.value)}` : '';
    return `${JSON.stringify(snapshot.value)}${value}`;
  }

  /** @internal */
  crash(error: unknown): void {
    if (this.#rescue === null) this.#exit(1);
    else this.#rescue.begin(error);
  }

  #boot(): void {
    const { kernel } = this.#machinery;
    const { boot, settings } = this.options;
    if (boot === 'hang') return;
    const hold = () => {
      for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT']) {
        this.process.handlers.set(signal, () => this.#held.add(signal));
      }
      const loadMs = boot === 'slow' ? settings.reloadTimeoutMs * 0.9 : LOAD_MS;
      kernel.timer(this.process, loadMs, () => (boot === 'crash' ? this.#exit(1) : this.#main()));
    };
    kernel.timer(this.process, EXEC_MS, hold);
  }

  readonly #held = new Set<string>();

  #main(): void {
    const messages = this.options.env[VARIABLES.handoverFd];
    if (messages === undefined) return this.#start(null);
    try {
      const handover = parseHandover(this.#readRecord(Number(messages)), Number(messages));
      this.generation = handover.record.generation;
      checkHandover(handover, this.options.settings, ({ uid }) =>
        this.process.account?.uid === uid ? null : `its uid is ${this.process.account?.uid ?? 0}`,
      );
      if (this.options.boot === 'config-invalid')
        throw new HandoverRefused('config-invalid', 'an option is unknown');
      this.#start(handover);
    } catch (error) {
      if (!(error instanceof HandoverRefused)) throw error;
      const end = this.process.descriptors.get(Number(messages));
      const words = formatMessage({ say: 'failed', reason: error.reason, detail: error.message });
      if (end instanceof StreamEnd) end.write(new TextEncoder().encode(words));
      this.#exit(4);
    }
  }

  /** The record is one line; what follows it belongs to the link. */
  #readRecord(descriptor: number): string {
    const end = this.process.descriptors.get(descriptor);
    const bytes = end instanceof StreamEnd ? end.read() : new Uint8Array(0);
    const newline = bytes.indexOf(NEWLINE);
    if (newline < 0) throw new HandoverRefused('incompatible', 'the hand-over record is not one whole line');
    if (end instanceof StreamEnd) {
      end.unread(bytes.subarray(newline + 1));
      const record = bytes.subarray(0, newline + 1);
      this.#machinery.kernel.happen({ kind: 'heard', by: this.process, end, bytes: record });
    }
    return new TextDecoder().decode(bytes.subarray(0, newline));
  }

  #start(handover: Handover | null): void {
    const { kernel } = this.#machinery;
    const { settings } = this.options;
    this.generation = handover?.record.generation ?? 1;
    const rescue = createRescue(this.#machinery, this.process, {
      settings,
      handover,
      lastKnown: () => actor.getSnapshot().context,
      onEnd: () => {
        this.isOver = true;
        kernel.task(this.process, 'check', () => this.#exit(1));
      },
    });
    this.#rescue = rescue;
    doors.set(this.process, rescue.door);
    const actor: ActorRefFrom<SupervisorMachine> = createActor(machineFor(this.options.mutate), {
      id: 'supervisor',
      input: {
        settings,
        version: '0.0.0',
        self: this.process.identity,
        startedAtMs: kernel.nowMs,
        hangupStops: handover?.record.hangupStops ?? false,
        handover,
      },
    });
    this.#actor = actor;
    actor.subscribe({
      next: ({ context, value }) => {
        if (topState(value) === 'anchored') this.hasBeenAnchor = true;
        if (context.promoted) this.hasRetired = true;
        if (context.inCharge) this.hasBeenInCharge = true;
      },
      complete: () => {
        const { output } = actor.getSnapshot();
        kernel.note(() => `${this.process.name} is done: ${output?.failure?.message ?? 'orderly'}`);
        this.isOver = true;
        kernel.task(this.process, 'check', () => this.#exit(output?.failure == null ? 0 : 1));
      },
      error: (error) => {
        if (!this.process.isAlive) return;
        kernel.breaches.push(`no machine is in error: ${this.process.name}: ${String(error)}`);
        this.crash(error);
      },
    });
    actor.start();
    // What came before it could act is acted on now.
    for (const signal of this.#held) this.process.handlers.get(signal)?.();
  }

  /** As `GET /status` answers. Throws before its machine runs. */
  status(): Status {
    if (this.#actor === null) throw new Error('it has not started yet');
    return statusOf(this.#actor.getSnapshot());
  }

  #exit(code: number): void {
    this.isOver = true;
    this.#machinery.kernel.end(this.process, { code, signal: null });
  }
}
