/**
 * Programs of defineDaemon under test: started as their users start them, without a command of tanist.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Generations, type Step } from './generations.js';
import { type CommandResult, Daemon, fixture, root, until } from './harness.js';

export const TICKER = join(root, 'test/examples/ticker.mjs');

/** What the worker of test/fixtures/daemon.mjs is to do. */
export interface Plan {
  readonly boot?: 'throw' | 'uncaught' | 'return' | 'wait';
  readonly heeds?: 'nothing';
  readonly finish?: string;
  readonly shutdown?: 'throw' | 'hang';
  readonly define?: Readonly<Record<string, unknown>>;
  readonly start?: readonly string[];
}

export type DaemonStep = Omit<Step, 'step'> & {
  readonly step: Step['step'] | 'refused';
  readonly code?: string;
  readonly text?: string;
  readonly argv?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly isSupervisor?: boolean;
  readonly channel?: boolean;
};

interface How {
  readonly script?: string;
  readonly plan?: Plan;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node's own. */
  readonly nodeArgs?: readonly string[];
}

/** A world of programs that are daemons. */
export class Daemons extends Generations {
  #count = 0;

  #environment({ cwd, env, plan = {} }: How): NodeJS.ProcessEnv {
    const place = cwd === undefined ? {} : { PWD: cwd };
    return { ...this.env, ...place, JOURNAL: this.journal, PLAN: JSON.stringify(plan), ...env };
  }

  /** Starts a program; its log goes to a file, what its workers print to another. */
  launch(args: readonly string[] = [], how: How = {}): Daemon {
    this.#count += 1;
    const [log, output] = [this.path(`daemon-log-${this.#count}`), this.path(`daemon-out-${this.#count}`)];
    const [err, out] = [openSync(log, 'w'), openSync(output, 'w')];
    const child = spawn(
      process.execPath,
      [...(how.nodeArgs ?? []), how.script ?? fixture('daemon.mjs'), ...args],
      { cwd: how.cwd ?? root, env: this.#environment(how), stdio: ['ignore', out, err], detached: true },
    );
    closeSync(out);
    closeSync(err);
    return new Daemon(this, child, { stderr: log, output, log });
  }

  /** Runs a program to its end. */
  ended(args: readonly string[], how: How = {}): Promise<CommandResult> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [how.script ?? fixture('daemon.mjs'), ...args], {
      cwd: how.cwd ?? root,
      env: this.#environment(how),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    return new Promise((resolve) => {
      child.on('close', (status) =>
        resolve({ status, stdout, stderr, durationMs: performance.now() - startedAt }),
      );
    });
  }

  /** Steps of the fixture's workers, in the order in which they were taken. */
  taken(step?: DaemonStep['step']): readonly DaemonStep[] {
    const all = this.steps() as readonly DaemonStep[];
    return step === undefined ? all : all.filter((one) => one.step === step);
  }

  /** Waits for so many steps of one kind, and returns the last of them. */
  takes(step: DaemonStep['step'], count = 1): Promise<DaemonStep> {
    return until(`${count} times the step ${step}`, () => this.taken(step)[count - 1]);
  }

  /** A plan that later generations find changed. */
  planFile(plan: Plan): string {
    const file = this.path('plan.json');
    writeFileSync(file, JSON.stringify(plan));
    return file;
  }
}

/** A world that ends with the test. */
export const newDaemons = (): Daemons => {
  const world = new Daemons();
  onTestFinished(() => world.dispose());
  return world;
};
