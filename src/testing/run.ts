/**
 * One seeded run: a daemon that is reloaded while everything goes wrong, and must be well again afterwards.
 */
import type { Settings } from '../../machines/policy.js';
import { Choices, type Recording } from './choices.js';
import { drawOdds, NO_FAULTS, type Odds } from './faults.js';
import { INVARIANTS, type Invariant } from './invariants.js';
import type { Safeguard } from './machinery.js';
import { endHung, endOrphans, isHopeless, isSettled, Operator, problemAtRest } from './operator.js';
import { places, Runner, type Violation } from './runner.js';
import { asShipped, type Mutation } from './simulated-machine.js';
import { drawSettings, restMs } from './simulated-settings.js';
import { World } from './simulated-world.js';

/** How a seed is run; everything that is not given is as the seed chooses. */
export interface RunOptions {
  /** Repeats what is listed and makes every other choice the dull one: the `recording` of another run. */
  readonly kept?: Recording;
  /** Safeguards that do nothing, to see that a check notices. Default: none. */
  readonly off?: readonly Safeguard[];
  /** Keeps a readable line for everything that happens. Default false. */
  readonly isTraced?: boolean;
  /** At least so many successors are started. Default 3. */
  readonly reloads?: number;
  /** Fixes some of the settings that the seed would choose. */
  readonly settings?: Partial<Settings>;
  /** How often what goes wrong. */
  readonly odds?: Odds;
  /** Puts another machine in place of the shipped one: an extension, or a mutation that a check has to notice. */
  readonly mutate?: Mutation;
  /** What is checked after every step, in place of `INVARIANTS`. */
  readonly invariants?: readonly Invariant[];
}

/** One run, as it was. */
export interface Run {
  /** What it came from: the same seed with the same options is the same run. */
  readonly seed: number;
  /** What did not hold; null when all guarantees did. The run ends with the first violation. */
  readonly violation: Violation | null;
  /** How many steps were taken, one of one process each. */
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly durationMs: number;
  /** How many successors were started. */
  readonly successors: number;
  /** How many faults there were. */
  readonly faults: number;
  /** What was left to chance and was not dull, to be repeated with `kept`. */
  readonly recording: Recording;
  /** A line for everything that happened; empty without `isTraced`. */
  readonly trace: readonly string[];
}

/**
 * What is left when faults stop. In a reload the other generation has to notice who hangs; whoever hangs alone
 * is ended, and so is a worker that serves: without a watchdog nobody sees that.
 */
const endFaults = (world: World): void => {
  world.faults.odds = NO_FAULTS;
  world.kernel.note(() => '— no more faults');
  // One that hangs after its end, or before its beginning, is part of nothing.
  endHung(
    world,
    world.supervisors.filter(
      (supervisor) => supervisor.isOver || supervisor.hasParted || !supervisor.holdsLock,
    ),
  );
  if (isHopeless(world)) endHung(world, world.supervisors);
  // It passes nothing on, and a service manager would notice; its service stops.
  endHung(world, world.anchors);
  // Nobody is left who would know of a worker whose daemon has ended with its last supervisor.
  const epochs = new Set(world.supervisors.map(({ options }) => options.epoch));
  endHung(
    world,
    world.workers.filter(({ leaves, owner }) => leaves === null || !epochs.has(owner.options.epoch)),
  );
};

const rest = async (runner: Runner, operator: Operator): Promise<void> => {
  const { world } = runner;
  const limitMs = restMs(world.settings);
  const isNobodyLeft = () => world.supervisors.length === 0;
  // A signal that was sent before may still be on its way.
  const isAtRest = () => world.kernel.isQuiet && (isSettled(world) || isNobodyLeft());
  let isRested = await runner.until(isAtRest, limitMs);
  if (!isRested && runner.violation === null && isHopeless(world)) {
    endHung(world, world.supervisors);
    isRested = await runner.until(isAtRest, limitMs);
  }
  if (!isRested) return runner.fail('liveness: without faults the daemon comes to rest', places(world));
  if (isNobodyLeft()) {
    endOrphans(world);
    world.start();
    if (!(await runner.until(() => isSettled(world), limitMs)))
      return runner.fail('liveness: what has ended can be started again', places(world));
  }
  await well(runner, operator);
};

/** A last reload is promoted, and a stop leaves nothing. */
const well = async (runner: Runner, operator: Operator): Promise<void> => {
  const { world } = runner;
  const limitMs = restMs(world.settings);
  const atRest = () => isSettled(world) && problemAtRest(world) === null;
  if (!(await runner.until(atRest, limitMs)))
    return runner.fail('liveness: at rest all is in order', problemAtRest(world) ?? places(world));
  const [before] = world.supervisors;
  operator.reload();
  if (!(await runner.until(() => atRest() && world.supervisors[0] !== before, limitMs)))
    return runner.fail('liveness: a good reload is promoted', problemAtRest(world) ?? places(world));
  const [last] = world.supervisors;
  const [anchor] = world.anchors;
  const asked = anchor !== undefined && world.kernel.choices.chance('stop-anchor', 0.7) ? anchor : last;
  if (asked !== undefined) world.kernel.signal(asked.process, 'SIGTERM');
  const isOver = () => world.supervisors.length === 0 && world.anchors.length === 0;
  if (!(await runner.until(isOver, limitMs))) return runner.fail('liveness: a stop ends', places(world));
  if (anchor !== undefined && anchor.process.exit?.code !== 0)
    return runner.fail(
      'X17: the anchor ends as the service did',
      `it ended with ${anchor.process.exit?.code}`,
    );
  const left = world.workers.filter(
    ({ owner, isNobodys }) => owner.options.epoch === last?.options.epoch && !isNobodys,
  );
  if (left.length > 0)
    return runner.fail('G7: a stop leaves nobody', left.map(({ process }) => process.name).join(', '));
  if (world.pidFile !== null) runner.fail('G7: a stop leaves nothing', 'the pid file is still there');
};

/**
 * Runs one seed to its end, or to the first step after which something does not hold.
 *
 * A daemon is started, reloaded and hurt; then the faults stop, and it has to come to rest, to take a good reload and
 * to leave nothing behind when it is stopped. A broken guarantee is in the result, and nothing is thrown for it. Worlds
 * run one at a time: wait for the end of one run before the next.
 */
export const runSeed = async (seed: number, options: RunOptions = {}): Promise<Run> => {
  const { kept = null, off = [], isTraced = false, reloads = 3, settings = {} } = options;
  const choices = new Choices(seed, kept);
  const drawn = drawSettings(choices, settings);
  const drawnOdds = options.odds ?? drawOdds(choices);
  // Without a lock a second start is another daemon, and not one that is refused.
  const odds = drawn.pidFile === null ? { ...drawnOdds, secondStart: 0 } : drawnOdds;
  const world = new World({
    settings: drawn,
    choices,
    odds,
    off,
    isTraced,
    mutate: options.mutate ?? asShipped,
  });
  const { kernel } = world;
  kernel.note(
    () =>
      `${drawn.handoff}, ${drawn.workers} workers, ${drawn.standby} standbys, ready ${drawn.ready.mode}, probation ${drawn.probationMs} ms${drawn.health === null ? '' : ', checked'}`,
  );
  const beginMs = kernel.nowMs;
  const operator = new Operator(world, reloads);
  const verdictsAreTrue: Invariant = {
    guarantee: 'G5: the verdict is what happened',
    check: () => operator.lie,
  };
  const runner = new Runner(world, [...(options.invariants ?? INVARIANTS), verdictsAreTrue]);
  await runner.until(() => operator.isDone, 3_600_000);
  if (runner.violation === null) {
    endFaults(world);
    await rest(runner, operator);
  }
  const { violation } = runner;
  if (violation !== null) kernel.note(() => `VIOLATION of ${violation.guarantee}: ${violation.problem}`);
  return {
    seed,
    violation,
    steps: kernel.steps,
    durationMs: kernel.nowMs - beginMs,
    successors: world.successors,
    faults: world.faults.count,
    recording: choices.recording,
    trace: kernel.trace,
  };
};
