/**
 * What may go wrong, and how often: one set of odds for each run, so that some runs see much of one thing.
 */
import type { Choices } from './choices.js';
import type { Kernel } from './kernel.js';
import type { SimulatedProcess } from './process.js';
import { type Boot, SupervisorProcess } from './supervisor-process.js';
import { ERRNOS, type FallibleCall, Killed, type LastingCall, troubleOf } from './troubles.js';
import { type Behaviour, GOOD } from './worker-process.js';

/** How often what goes wrong: probabilities, 0 to 1. */
export interface Odds {
  /** A process is killed, by step. */
  readonly crash: number;
  /** A process is stopped, for a while or for ever, by step. */
  readonly hang: number;
  /** Several signals reach a supervisor, by step. */
  readonly burst: number;
  /** A stranger's process starts and takes the next pid, by step. */
  readonly stranger: number;
  /** Somebody starts the daemon a second time, by step. */
  readonly secondStart: number;
  /** Time passes while messages wait, by step. */
  readonly stall: number;
  /** A call to the operating system fails, by call. */
  readonly errno: number;
  /** A process is killed within a call, by call. */
  readonly crashInCall: number;
  /** A worker misbehaves, by start. */
  readonly worker: number;
  /** A successor misbehaves before it can speak, by start. */
  readonly successor: number;
  /** An exception in a supervisor that nobody catches, by step. */
  readonly defect: number;
}

/** Nothing goes wrong by itself. */
export const NO_FAULTS: Odds = {
  crash: 0,
  hang: 0,
  burst: 0,
  stranger: 0,
  secondStart: 0,
  stall: 0,
  errno: 0,
  crashInCall: 0,
  worker: 0,
  successor: 0,
  defect: 0,
};

const MOST: Odds = {
  crash: 0.02,
  hang: 0.03,
  burst: 0.01,
  stranger: 0.15,
  secondStart: 0.01,
  stall: 0.03,
  errno: 0.05,
  crashInCall: 0.01,
  worker: 0.3,
  successor: 0.4,
  defect: 0.01,
};
/** Runs differ in how much goes wrong; where little does, more of the protocol is seen. */
const SHARES: readonly number[] = [0.3, 0.1, 1];

/** Each kind of fault is in half of the runs. */
export const drawOdds = (choices: Choices): Odds => {
  const share = SHARES[choices.below('share', SHARES.length)] ?? 1;
  const odds: Record<string, number> = {};
  for (const [kind, most] of Object.entries(MOST))
    odds[kind] = choices.chance('odds', 0.5) ? most * share : 0;
  return odds as unknown as Odds;
};

const BOOTS: readonly Boot[] = ['well', 'slow', 'crash', 'hang', 'config-invalid'];
const SERVINGS: readonly Behaviour['serving'][] = [
  'steady',
  'pings',
  'floods',
  'shutdown',
  'exits',
  'grows',
  'sick',
  'deaf',
];
const WORKER_BOOTS: readonly Behaviour['boot'][] = ['quick', 'slow', 'exit', 'unknown-command', 'silent'];
const LEAVINGS: readonly Behaviour['leaving'][] = ['quick', 'slow', 'never'];
/** A short pause, longer than some alarms, longer than all of them, for ever. */
const HANG_MS: readonly number[] = [300, 6_000, 40_000, Number.POSITIVE_INFINITY];
/** What time jumps by when everybody stalls. */
const STALL_MS: readonly number[] = [20, 700, 5_200];
const MOST_PROCESSES = 12;
const SIGNALS: readonly string[] = ['SIGUSR2', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGUSR2'];

/** What goes wrong in a world by itself. */
export class Faults {
  readonly #kernel: Kernel;
  /** May be changed at any time. */
  odds: Odds;
  /** How many there were. */
  count = 0;

  /** @internal */
  constructor(kernel: Kernel, odds: Odds) {
    this.#kernel = kernel;
    this.odds = odds;
  }

  /**
   * Before a step: perhaps something happens to somebody.
   *
   * @internal
   */
  strike(processes: readonly SimulatedProcess[], secondStart: () => void): void {
    const { crash, hang, burst, stranger, secondStart: second, stall, defect } = this.odds;
    const kernel = this.#kernel;
    if (crash + hang + burst + stranger + second + stall + defect === 0) return;
    const weights = [0, crash, hang, burst, stranger, second, stall, defect];
    const kind = kernel.choices.weighted('fault', weights);
    if (kind === 0) return;
    this.count += 1;
    if (kind === 4) return this.#startStranger();
    if (kind === 5) return secondStart();
    if (kind === 6) {
      const ms = STALL_MS[kernel.choices.below('stall', STALL_MS.length)] ?? 0;
      kernel.note(() => `— everything stalls for ${ms} ms`);
      return kernel.stall(ms);
    }
    const ours = processes.filter(({ isOurs, isAlive }) => isOurs && isAlive);
    const victim = ours[kernel.choices.below('victim', Math.max(1, ours.length))];
    if (victim === undefined) return;
    if (kind === 1) {
      kernel.note(() => `— ${victim.name} is killed`);
      kernel.signal(victim, 'SIGKILL');
    } else if (kind === 2) this.hang(victim);
    else if (kind === 7) this.#fail(victim);
    else this.#burst(victim);
  }

  /** @internal */
  hang(victim: SimulatedProcess): void {
    const kernel = this.#kernel;
    const ms = HANG_MS[kernel.choices.below('hang', HANG_MS.length)] ?? 0;
    kernel.note(
      () => `— ${victim.name} hangs ${ms === Number.POSITIVE_INFINITY ? 'for ever' : `for ${ms} ms`}`,
    );
    kernel.signal(victim, 'SIGSTOP');
    if (ms === Number.POSITIVE_INFINITY) return;
    kernel.timer(null, ms, () => {
      if (victim.isAlive) kernel.note(() => `— ${victim.name} goes on`);
      kernel.signal(victim, 'SIGCONT');
    });
  }

  /**
   * The error that a call is to fail with now; null to let it succeed.
   *
   * @internal
   */
  trouble(call: FallibleCall | LastingCall): Error | null {
    const { choices, current } = this.#kernel;
    if (choices.chance('crash-in-call', this.odds.crashInCall) && current?.isOurs) {
      this.count += 1;
      this.#kernel.note(() => `— ${current.name} is killed before its call of ${call}`);
      current.isCutShort = true;
      this.#kernel.end(current, { code: null, signal: 'SIGKILL' });
      return new Killed(call);
    }
    if (call === 'takeToken' || call === 'write' || this.odds.errno === 0) return null;
    const errno = choices.weighted('errno', [0, ...ERRNOS.map(() => this.odds.errno / ERRNOS.length)]);
    const code = ERRNOS[errno - 1];
    if (code === undefined) return null;
    this.count += 1;
    return troubleOf(call, code);
  }

  /** @internal */
  behaviour(): Behaviour {
    const { choices } = this.#kernel;
    const odds = this.odds.worker;
    if (odds === 0) return GOOD;
    const one = <Kind>(topic: string, kinds: readonly Kind[]): Kind =>
      kinds[choices.below(topic, kinds.length, 1 - odds)] as Kind;
    return {
      boot: one('worker-boot', WORKER_BOOTS),
      serving: one('worker-serving', SERVINGS),
      leaving: one('worker-leaving', LEAVINGS),
    };
  }

  /** @internal */
  boot(): Boot {
    const odds = this.odds.successor;
    if (odds === 0) return 'well';
    return BOOTS[this.#kernel.choices.below('boot', BOOTS.length, 1 - odds)] ?? 'well';
  }

  /** Whoever hangs does not get to his defect; a worker that has one ends, which is another fault. */
  #fail(victim: SimulatedProcess): void {
    const { program, state } = victim;
    if (!(program instanceof SupervisorProcess) || state !== 'running' || program.isOver) return;
    this.#kernel.note(() => `— an exception in ${victim.name} that nobody catches`);
    program.crash('a defect (simulated)');
  }

  #startStranger(): void {
    const kernel = this.#kernel;
    // A process table that is full is another fault: EAGAIN of a spawn.
    if (kernel.processes.size > MOST_PROCESSES) return;
    const stranger = kernel.start({ parent: null, group: null, isOurs: false });
    kernel.timer(null, 3_000, () => kernel.end(stranger, { code: 0, signal: null }));
  }

  #burst(victim: SimulatedProcess): void {
    const kernel = this.#kernel;
    const count = 1 + kernel.choices.below('burst', 4);
    for (let index = 0; index < count; index += 1) {
      const signal = SIGNALS[kernel.choices.below('signal', SIGNALS.length)] ?? 'SIGUSR2';
      kernel.note(() => `— ${signal} reaches ${victim.name}`);
      victim.hadAccident = true;
      kernel.signal(victim, signal);
    }
  }
}
