/**
 * A daemon in a simulated world that a test plays: it says what happens, and every step is checked.
 */
import type { Settings } from '../../machines/policy.js';
import type { ReloadVerdict } from '../../machines/status.js';
import { Choices } from './choices.js';
import { NO_FAULTS, type Odds } from './faults.js';
import { INVARIANTS, type Invariant } from './invariants.js';
import { isSettled, isVerdict } from './operator.js';
import type { SimulatedProcess } from './process.js';
import { places, Runner, type Violation } from './runner.js';
import { asShipped, type Mutation } from './simulated-machine.js';
import { restMs, simulatedSettings } from './simulated-settings.js';
import { World } from './simulated-world.js';

/** What a scenario is played with. */
export interface ScenarioOptions {
  /** Changes to `simulatedSettings()`. */
  readonly settings?: Partial<Settings>;
  /**
   * What is left to chance comes from it: who runs next, how workers behave where `odds` lets them misbehave. A whole
   * number; null, the default, leaves nothing to chance: first come, first served.
   */
  readonly seed?: number | null;
  /** What goes wrong by itself, and how often. Default `NO_FAULTS`. */
  readonly odds?: Odds;
  /** Puts another machine in place of the shipped one. */
  readonly mutate?: Mutation;
  /** What is checked after every step. Default `INVARIANTS`. */
  readonly invariants?: readonly Invariant[];
}

/** A scenario ends, as broken, after so many steps: 30 reloads take about a fifth of them. */
const MAX_STEPS = 100_000;

/** A guarantee does not hold, or what was waited for has not come. */
export class BrokenGuarantee extends Error {
  /** `BrokenGuarantee`, in stack traces too. */
  override readonly name = 'BrokenGuarantee';
  /** Which guarantee, and what is wrong. */
  readonly violation: Violation;
  /** A line for everything that happened until then. */
  readonly trace: readonly string[];

  /** @param trace what happened until then. */
  constructor(violation: Violation, trace: readonly string[]) {
    super(`${violation.guarantee}: ${violation.problem}`);
    this.violation = violation;
    this.trace = trace;
  }
}

/**
 * One daemon on one simulated host.
 *
 * Time stands still between two calls: what is asked for happens while one of the methods that return a promise is
 * waited for. Each of them rejects with `BrokenGuarantee` as soon as an invariant does not hold, and the scenario is
 * over then. Worlds run one at a time: no two promises of scenarios or of `runSeed` may be waited for at once.
 */
export class Scenario {
  /** The host: its processes, its kernel, its pid file. */
  readonly world: World;
  readonly #runner: Runner;
  #asked = 0;

  /** Nothing runs yet: `start()` comes next. */
  constructor(options: ScenarioOptions = {}) {
    const { seed = null, odds = NO_FAULTS, mutate = asShipped, invariants = INVARIANTS } = options;
    this.world = new World({
      settings: simulatedSettings(options.settings),
      choices: seed === null ? new Choices(0, new Map()) : new Choices(seed),
      odds,
      mutate,
      isTraced: true,
    });
    this.#runner = new Runner(this.world, invariants, MAX_STEPS);
  }

  /** How long a wait may last that ought to end: ten times all the limits of the settings, in simulated milliseconds. */
  get patienceMs(): number {
    return restMs(this.world.settings);
  }

  /** A line for everything that has happened. */
  get trace(): readonly string[] {
    return this.world.kernel.trace;
  }

  /** Starts the daemon, and waits until it is in charge with every slot ready. */
  async start(): Promise<void> {
    this.world.start();
    await this.settle();
  }

  /** Asks for a reload on the control socket, and waits for the verdict. Rejects where nobody can be asked. */
  async reload(): Promise<ReloadVerdict> {
    this.#asked += 1;
    const verdicts: ReloadVerdict[] = [];
    const isAsked = this.world.request('POST', '/reload', { id: `reload-${this.#asked}` }, (body) => {
      if (isVerdict(body)) verdicts.push(body);
    });
    if (!isAsked)
      throw this.#broken({ guarantee: 'G5: whoever asks is answered', problem: places(this.world) });
    await this.until(() => verdicts.length > 0, 'a reload is answered');
    const [verdict] = verdicts;
    if (verdict === undefined) throw new Error('an answer was waited for, and is not there');
    return verdict;
  }

  /** Sends SIGTERM to every supervisor, and waits until none is left, nor a worker. */
  async stop(): Promise<void> {
    for (const { process } of this.world.supervisors) this.signal(process, 'SIGTERM');
    const isOver = () => [this.world.supervisors, this.world.anchors, this.world.workers].every(isNone);
    await this.until(isOver, 'a stop ends, and leaves nobody');
  }

  /** Sends a signal as somebody from outside: `SIGKILL`, `SIGSTOP` and `SIGCONT` do what the kernel does. */
  signal(process: SimulatedProcess, signal: string): void {
    this.world.kernel.note(() => `— ${signal} to ${process.name}`);
    this.world.kernel.signal(process, signal);
  }

  /** Waits until one generation is left, every slot is ready, and nothing is under way. */
  settle(): Promise<void> {
    return this.until(() => isSettled(this.world), 'the daemon comes to rest');
  }

  /** Lets so many simulated milliseconds pass. */
  async pass(durationMs: number): Promise<void> {
    await this.#runner.until(() => false, durationMs);
    this.#check();
  }

  /**
   * Waits until something is so.
   *
   * @param isSo is asked before every step.
   * @param what is so, in words, for the error.
   * @param limitMs simulated milliseconds; default `patienceMs`.
   */
  async until(isSo: () => boolean, what: string, limitMs = this.patienceMs): Promise<void> {
    const isReached = await this.#runner.until(isSo, limitMs);
    this.#check();
    if (isReached) return;
    throw this.#broken({
      guarantee: `liveness: ${what}`,
      problem: `not within ${limitMs} ms: ${places(this.world)}`,
    });
  }

  #check(): void {
    if (this.#runner.violation !== null) throw this.#broken(this.#runner.violation);
  }

  #broken(violation: Violation): BrokenGuarantee {
    return new BrokenGuarantee(violation, this.trace);
  }
}

const isNone = (list: readonly unknown[]): boolean => list.length === 0;
