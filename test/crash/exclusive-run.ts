/**
 * One run against an exclusive daemon: somebody is killed in the middle of a reload, or all supervisors are and a new
 * one starts, while workers are deaf, stopped, or have left processes that hold everything open.
 */
import { readFileSync } from 'node:fs';
import { type Daemon, fixture, isRunning, until, World } from '../process/harness.js';
import { type Interval, intervalsOf, type Mark, marksIn, neighbours, overlaps } from './activity.js';
import { dead } from './death.js';
import { type Plan, planText } from './exclusive-plan.js';
import { Gate, type Held } from './gate.js';
import { stepped } from './stepped.js';
import { SLOTS } from './steps.js';

const NAME = 'service';
const OPTIONS = [
  ...['--name', NAME, '--handoff', 'exclusive', '--listen', '127.0.0.1:0', '--workers', String(SLOTS)],
  ...['--takeover-timeout', '500ms', '--drain-timeout', '300ms', '--respawn-delay', '100ms'],
  ...['--start-timeout', '3s', '--reload-timeout', '6s'],
];
const COMMAND = ['--', 'perl', fixture('active.pl')];
/** How exact the end of a worker that is killed is known, by its marks. */
const MARK_EVERY_SECONDS = 0.002;
const PATIENCE = ['--timeout', '15s'];
const WAKE_AGAIN_MS = 20;
const NS_PER_MS = 1e6;

export interface ExclusiveResult {
  readonly plan: Plan;
  /** Generations whose workers have been active, one after the other; a predecessor that comes back counts again. */
  readonly generations: number;
  /** Workers that have been active. */
  readonly workers: number;
  /** Cold starts that were refused, since workers of the one before lived on. */
  readonly refusedStarts: number;
  /** From the last mark of one generation to the first of the next, the shortest; null where there was one only. */
  readonly shortestGapMs: number | null;
  readonly wrong: readonly string[];
}

/** Between the activity of one generation and that of the next, in milliseconds. */
const gapsOf = (intervals: readonly Interval[]): readonly number[] => {
  const sorted = [...intervals].sort((one, other) => Number(one.fromNs - other.fromNs));
  return sorted.slice(1).flatMap((later, index) => {
    const before = sorted.slice(0, index + 1);
    // A predecessor that comes back follows its successor.
    if (before.at(-1)?.supervisor === later.supervisor) return [];
    const ends = before.map(({ toNs }) => Number(toNs));
    return [(Number(later.fromNs) - Math.max(...ends)) / NS_PER_MS];
  });
};

const stateOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
  } catch {
    // It is gone.
    return '';
  }
};

/** Everything that is sent here goes to what this world has started: the mark in its environment says so. */
const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // Gone since it was looked at.
  }
};

class ExclusiveScene {
  readonly world = new World();
  readonly #plan: Plan;
  readonly #gate = new Gate(this.world.path('steps'));
  readonly #activity = this.world.path('activity');
  #daemon: Daemon;
  refusedStarts = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#daemon = this.#start();
  }

  marks(): readonly Mark[] {
    return marksIn(this.#activity);
  }

  #start(): Daemon {
    return this.world.run([...OPTIONS, ...COMMAND], {
      script: stepped,
      env: {
        ACTIVITY: this.#activity,
        STEPS: this.#gate.directory,
        MANNERS: this.#plan.manners.join(' '),
        MARK_EVERY: String(MARK_EVERY_SECONDS),
        LOOK: '1',
      },
    });
  }

  async play(): Promise<void> {
    const { step, struck } = this.#plan;
    await this.#daemon.running();
    if (step === null) {
      this.#stopWorker();
      await this.#kill([this.#daemon.pid]);
    } else await this.#reload();
    const waking = this.#keepWaking();
    try {
      // On a busy machine who stands at the step for too long may have been ended by the one who was struck.
      if (struck === 'both' || (step !== null && this.#supervisors().length === 0)) await this.#startAgain();
      else
        await this.#daemon.status(
          'a generation in charge',
          ({ state, reload }) => state === 'running' && reload === null,
        );
    } finally {
      clearInterval(waking);
    }
    const { status, stderr } = await this.world.tanist('stop', ...PATIENCE, '--name', NAME);
    if (status !== 0) throw new Error(`tanist stop: status ${status}: ${stderr}`);
  }

  /** Somebody is killed at the step, if the reload comes there: who is stopped for long may miss it. */
  async #reload(): Promise<void> {
    const { step, struck } = this.#plan;
    this.#gate.arm(step ?? '');
    let over = false;
    const client = this.world.tanist('reload', ...PATIENCE, '--name', NAME).then(() => {
      over = true;
    });
    const held = await until('the step, or the end of the reload', async () =>
      over ? ('over' as const) : this.#gate.look(step ?? ''),
    );
    if (held !== 'over') {
      const successor = await this.#successorOf(held);
      this.#stopWorker();
      if (struck === 'predecessor' || struck === 'both') await this.#kill([this.#daemon.pid]);
      if (struck === 'successor' || struck === 'both') await this.#kill([successor]);
      held.release();
    } else if (struck === 'both') await this.#kill(this.#supervisors());
    if (struck !== 'both') await client;
  }

  async #successorOf(held: Held): Promise<number> {
    if (held.pid !== this.#daemon.pid) return held.pid;
    return Number((await this.#daemon.line('reload.started')).pid);
  }

  /** Every supervisor that has said anything, and lives. */
  #supervisors(): readonly number[] {
    const all = new Set(this.#daemon.lines().map(({ supervisorPid }) => supervisorPid));
    return [...all].filter(isRunning);
  }

  async #kill(pids: readonly number[]): Promise<void> {
    for (const pid of pids) {
      signal(pid, 'SIGKILL');
      await dead(pid);
    }
  }

  #stopWorker(): void {
    if (!this.#plan.stopsWorker) return;
    const worker = this.marks().find(({ generation, slot }) => generation === 1 && slot === 1);
    if (worker !== undefined) signal(worker.pid, 'SIGSTOP');
  }

  /** Whoever was stopped is woken while another generation serves, or is about to: it would go on being active. */
  #keepWaking(): NodeJS.Timeout {
    const fromMs = performance.now() + this.#plan.wakesAfterMs;
    return setInterval(() => {
      if (performance.now() < fromMs) return;
      for (const pid of this.#workers()) if (stateOf(pid) === 'T') signal(pid, 'SIGCONT');
    }, WAKE_AGAIN_MS);
  }

  #workers(): readonly number[] {
    return [...new Set(this.marks().map(({ pid }) => pid))];
  }

  /** A cold start: until the workers of those who were killed are gone it must be refused. */
  async #startAgain(): Promise<void> {
    let wasEmpty = false;
    for (;;) {
      const daemon = this.#start();
      this.#daemon = daemon;
      const outcome = await until('a cold start, or its refusal', async () => {
        if (daemon.child.exitCode !== null) return 'refused';
        return (await daemon.statusNow())?.state === 'running' ? 'running' : null;
      });
      if (outcome === 'running') return;
      this.refusedStarts += 1;
      if (!daemon.stderr().includes('TANIST_PREDECESSOR_WORKERS'))
        throw new Error(`a cold start ended: ${daemon.stderr().slice(-1_000)}`);
      const left = this.world.processes();
      // One that was stopped may have been woken, and have left, since the refusal: the next start has nobody to mind.
      if (left.length === 0 && wasEmpty) throw new Error('a cold start was refused although nothing is left');
      wasEmpty = left.length === 0;
      // An operator has to end them: tanist cannot prove whose they are.
      await this.#kill(left);
    }
  }
}

export const playExclusive = async (plan: Plan): Promise<ExclusiveResult> => {
  const scene = new ExclusiveScene(plan);
  const wrong: string[] = [];
  try {
    await scene
      .play()
      .catch((error: unknown) => wrong.push(error instanceof Error ? error.message : String(error)));
    const marks = scene.marks();
    const intervals = intervalsOf(marks);
    wrong.push(...overlaps(intervals), ...neighbours(marks));
    const gaps = gapsOf(intervals);
    return {
      plan,
      generations: gaps.length + 1,
      workers: intervals.length,
      refusedStarts: scene.refusedStarts,
      shortestGapMs: gaps.length === 0 ? null : Math.min(...gaps),
      wrong: wrong.map((words) => `${planText(plan)}: ${words}`),
    };
  } finally {
    await scene.world.dispose();
  }
};
