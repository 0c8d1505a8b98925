/**
 * A worker in the simulated world: it boots, asks, serves, and leaves, or does something else.
 */
import type { Settings } from '../../machines/policy.js';
import type { Stream } from '../os/env.js';
import { VARIABLES } from '../protocol/environment.js';
import { StreamEnd } from './descriptions.js';
import type { Kernel } from './kernel.js';
import type { Machinery } from './machinery.js';
import type { SimulatedProcess, SimulatedProgram } from './process.js';
import { openStream } from './streams.js';
import type { SupervisorProcess } from './supervisor-process.js';

/** What a worker does that a good one does not. Durations come from the settings. */
export interface Behaviour {
  /**
   * Until it is ready: within 40 ms, after the start timeout, never since it exits or cannot be executed,
   * or never since it says nothing.
   */
  readonly boot: 'quick' | 'slow' | 'exit' | 'unknown-command' | 'silent';
  /**
   * 150 ms after it may serve: nothing more; floods its channel; asks to be killed; exits with 0; pings;
   * uses 200 MB; answers its health checks with 500, or not at all.
   */
  readonly serving: 'steady' | 'floods' | 'shutdown' | 'exits' | 'pings' | 'grows' | 'sick' | 'deaf';
  /** When it is asked to leave: within 15 ms, after most of the drain timeout, or not at all. */
  readonly leaving: 'quick' | 'slow' | 'never';
}

export const GOOD: Behaviour = { boot: 'quick', serving: 'steady', leaving: 'quick' };

const BOOT_MS = 40;
const LEAVE_MS = 15;
/** How long a worker that exits by itself serves before. */
const SERVE_MS = 150;
/** More than any limit that is drawn. */
const GROWN_BYTES = 200_000_000;
const FLOOD = 'x'.repeat(5_000);

/** A worker in a simulated process. */
export class WorkerProcess implements SimulatedProgram {
  /** The process that it runs in. */
  readonly process: SimulatedProcess;
  /** The generation that started it. */
  readonly generation: number;
  /** The slot that it was started for; 0 for a standby. */
  readonly slot: number;
  /** Who started it. */
  readonly owner: SupervisorProcess;
  /** What it does. */
  readonly behaviour: Behaviour;
  /** It was answered `ok`, or needs no answer: from now to its end it may be serving. */
  isActive = false;
  /** What made it leave. */
  leaves: 'asked' | 'alone' | null = null;
  /** What it answers on its private probe socket; null for nothing. */
  probeStatus: number | null = null;
  readonly #machinery: Machinery;
  readonly #kernel: Kernel;
  readonly #settings: Settings;
  readonly #channelDescriptor: number;
  #channel: Stream | null = null;

  /** @internal */
  constructor(
    machinery: Machinery,
    process: SimulatedProcess,
    options: {
      readonly settings: Settings;
      readonly behaviour: Behaviour;
      readonly env: Readonly<Record<string, string>>;
      readonly owner: SupervisorProcess;
    },
  ) {
    this.#machinery = machinery;
    this.#kernel = machinery.kernel;
    this.process = process;
    this.#settings = options.settings;
    this.behaviour = options.behaviour;
    this.generation = Number(options.env[VARIABLES.generation]);
    this.slot = Number(options.env[VARIABLES.slot]);
    this.owner = options.owner;
    this.behaviour = options.behaviour;
    process.program = this;
    // A program without the protocol may serve as soon as it lives, and dies with its supervisor.
    if (options.settings.ready.mode === 'alive') {
      this.isActive = true;
      process.deathSignal = 'SIGKILL';
    }
    const channel = Number(options.env[VARIABLES.channelFd]);
    this.#channelDescriptor = channel;
    machinery.kernel.timer(process, this.#bootMs, () => this.#boot(channel));
  }

  /** In words, for the trace. */
  get name(): string {
    return `worker ${this.generation}/${this.slot}`;
  }

  /** @internal */
  crash(_error: unknown): void {
    this.#kernel.end(this.process, { code: 1, signal: null });
  }

  get #bootMs(): number {
    return this.behaviour.boot === 'slow' ? this.#settings.startTimeoutMs * 1.2 : BOOT_MS;
  }

  /**
   * It ignores the end of its channel, and its supervisor was killed when it had started it and could not have
   * named it to anybody yet. It was never answered, so that it does no more than be there.
   */
  get isNobodys(): boolean {
    return this.behaviour.leaving === 'never' && !this.isActive && this.owner.process.isCutShort;
  }

  /** An answer waits in its channel: it serves as soon as it reads it. */
  get isBeingAnswered(): boolean {
    const end = this.process.descriptors.get(this.#channelDescriptor);
    return end instanceof StreamEnd && end.hasBytes;
  }

  #boot(channel: number): void {
    const { boot } = this.behaviour;
    if (boot === 'exit') return this.#kernel.end(this.process, { code: 1, signal: null });
    if (boot === 'unknown-command') return this.#kernel.end(this.process, { code: 127, signal: null });
    this.process.handlers.set('SIGTERM', () => this.#leave('asked'));
    if (this.#settings.ready.mode === 'alive') return this.#serve();
    this.#channel = openStream(this.#machinery, this.process, channel, {
      onData: (chunk) => this.#hear(new TextDecoder().decode(chunk)),
      onEnd: () => this.#leave('alone'),
    });
    if (boot === 'silent') return;
    this.probeStatus = 200;
    this.#channel.write('takeover\n');
  }

  #hear(text: string): void {
    if (!text.includes('ok\n') || this.isActive) return;
    this.#kernel.happen({ kind: 'act', by: this.process, words: 'reads ok: it serves' });
    this.isActive = true;
    this.owner.hasServed = true;
    this.#serve();
  }

  #serve(): void {
    const { serving } = this.behaviour;
    if (serving === 'steady') return;
    this.#kernel.timer(this.process, SERVE_MS, () => {
      if (serving === 'floods') this.#channel?.write(FLOOD);
      else if (serving === 'shutdown') this.#channel?.write('shutdown\n');
      else if (serving === 'grows') this.process.memoryBytes = GROWN_BYTES;
      else if (serving === 'sick') this.probeStatus = 500;
      else if (serving === 'deaf') this.probeStatus = null;
      else if (serving === 'pings') this.#channel?.write('ping\nstatus well\nwhat\n');
      else this.#kernel.end(this.process, { code: 0, signal: null });
    });
  }

  #leave(why: 'asked' | 'alone'): void {
    if (this.leaves !== null) return;
    this.leaves = why;
    const { leaving } = this.behaviour;
    if (leaving === 'never') return;
    const drainMs = leaving === 'slow' ? this.#settings.drainTimeoutMs * 0.8 : LEAVE_MS;
    this.#kernel.timer(this.process, drainMs, () =>
      this.#kernel.end(this.process, { code: 0, signal: null }),
    );
  }
}
