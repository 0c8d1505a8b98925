/**
 * One seeded run: a daemon that is reloaded while everything goes wrong, and must be well again afterwards.
 */
import { proofTimeoutMs, type Settings } from '../../machines/policy.js';
import { Choices, type Recording } from './choices.js';
import { drawOdds, NO_FAULTS, type Odds } from './faults.js';
import { INVARIANTS } from './invariants.js';
import type { Safeguard } from './machinery.js';
import { endHung, endOrphans, isHopeless, isSettled, Operator, problemAtRest } from './operator.js';
import { World } from './simulated-world.js';
import { asShipped, type Mutation } from './supervisor-process.js';

export interface RunOptions {
  /** Repeats what is listed and makes every other choice the dull one. */
  readonly kept?: Recording;
  readonly off?: readonly Safeguard[];
  readonly isTraced?: boolean;
  /** At least so many successors are started. */
  readonly reloads?: number;
  /** Fixes some of the settings that the seed would choose. */
  readonly settings?: Partial<Settings>;
  /** How often what goes wrong; absent: as the seed chooses. */
  readonly odds?: Odds;
  /** Puts another machine in place of the shipped one: a mutation that a check has to notice. */
  readonly mutate?: Mutation;
}

export interface Violation {
  readonly guarantee: string;
  readonly problem: string;
}

export interface Run {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly durationMs: number;
  readonly successors: number;
  readonly faults: number;
  readonly recording: Recording;
  readonly trace: readonly string[];
}

/** A run that has not come to rest after so many steps never will. */
const MAX_STEPS = 20_000;

const settingsFrom = (choices: Choices, changes: Partial<Settings>): Settings => {
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[choices.below('settings', values.length)] ?? values[0];
  const drawn: Settings = {
    name: 'daemon',
    pidFile: '/run/daemon.pid',
    control: '/run/daemon.sock',
    handoff: pick(['overlap', 'exclusive']),
    hotReload: true,
    workers: pick([1, 2, 3]),
    standby: pick([0, 0, 1, 2]),
    ready: pick([
      { mode: 'takeover' },
      { mode: 'takeover' },
      { mode: 'http', path: '/' },
      { mode: 'alive', forMs: 80 },
    ]),
    listen: pick([[{ name: 'web', kind: 'tcp', host: '127.0.0.1', port: 8080 }], []]),
    probationMs: pick([0, 0, 400]),
    health: null,
    startTimeoutMs: 3_000,
    reloadTimeoutMs: 4_000,
    takeoverTimeoutMs: 1_000,
    drainTimeoutMs: 2_000,
    respawnDelayMs: 1_000,
    respawn: pick(['adaptive', 'fixed']),
    respawnLimit: null,
    pingTimeoutMs: 1_000,
    watchdogMs: null,
    maxMemoryBytes: pick([null, 100_000_000]),
    stopSignal: 'SIGTERM',
    anchor: pick([false, true]),
    account: pick([null, null, { user: 'nobody', uid: 65_534, gid: 65_534 }]),
    ...changes,
  };
  // Without the protocol nobody could hold them back, and it is refused; nor would they answer.
  if (drawn.ready.mode === 'alive') return { ...drawn, standby: 0 };
  if (drawn.probationMs === 0 || changes.health !== undefined) return drawn;
  return { ...drawn, health: pick([null, { mode: 'http', path: '/' }]) };
};

/** Every wait of the protocol, one after the other, several times over. */
const restMs = (settings: Settings): number =>
  10 *
  (settings.startTimeoutMs +
    settings.reloadTimeoutMs +
    settings.takeoverTimeoutMs +
    settings.drainTimeoutMs +
    settings.respawnDelayMs +
    settings.probationMs +
    proofTimeoutMs(settings));

class Runner {
  readonly world: World;
  violation: Violation | null = null;
  readonly operator: Operator;

  constructor(world: World, operator: Operator) {
    this.world = world;
    this.operator = operator;
  }

  /** Goes on until it is so, something is wrong, or the limit of simulated time is over. */
  async until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    const { world } = this;
    const endMs = world.kernel.nowMs + limitMs;
    // Time goes on even where nothing else happens.
    world.kernel.timer(null, limitMs + 1, () => undefined);
    while (!isSo()) {
      if (world.kernel.nowMs > endMs || world.kernel.steps > MAX_STEPS) return false;
      world.faults.strike(world.processes, () => world.start());
      await world.kernel.step();
      this.#check();
      if (this.violation !== null) return false;
    }
    return true;
  }

  fail(guarantee: string, problem: string): void {
    this.violation ??= { guarantee, problem };
  }

  #check(): void {
    for (const { guarantee, check } of INVARIANTS) {
      const problem = check(this.world);
      if (problem !== null) return this.fail(guarantee, problem);
    }
    if (this.operator.lie !== null) this.fail('G5: the verdict is what happened', this.operator.lie);
  }
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

const rest = async (runner: Runner): Promise<void> => {
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
  await well(runner);
};

/** A last reload is promoted, and a stop leaves nothing. */
const well = async (runner: Runner): Promise<void> => {
  const { world, operator } = runner;
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

const places = (world: World): string =>
  [...world.supervisors, ...world.anchors]
    .map(({ process, place }) => `${process.name} is ${process.state} in ${place}`)
    .join('; ') || 'nobody runs';

/** Runs one seed to its end, or to the first step after which something does not hold. */
export const runSeed = async (seed: number, options: RunOptions = {}): Promise<Run> => {
  const { kept = null, off = [], isTraced = false, reloads = 3, settings = {} } = options;
  const choices = new Choices(seed, kept);
  const drawn = settingsFrom(choices, settings);
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
  const runner = new Runner(world, new Operator(world, reloads));
  await runner.until(() => runner.operator.isDone, 3_600_000);
  if (runner.violation === null) {
    endFaults(world);
    await rest(runner);
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
