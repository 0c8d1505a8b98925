/**
 * The processes of one cell: a daemon behind the gate, its reload, and whoever is struck at the step.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ReloadVerdict, Status } from '../../machines/status.js';
import { type Daemon, fixture, World } from '../process/harness.js';
import { Gate } from './gate.js';
import { stepped } from './stepped.js';
import { type Cell, expectationOf, isAfterVerdict, SLOTS } from './steps.js';
import { Striker } from './striker.js';

const NAME = 'service';
export const TAKEOVER_TIMEOUT_MS = 2_000;

/**
 * Short, but longer than a stall of a busy machine: who is late by that alone would be in the table as hung. The two
 * limits of a successor's start are short only where the cell waits for them: a predecessor that has given up on a
 * successor just before it is struck itself would leave nobody, by two failures instead of one.
 */
const optionsOf = (cell: Cell): readonly string[] => {
  const { verdicts } = expectationOf(cell);
  const waitsFor = (reason: string) => verdicts.some((verdict) => verdict.endsWith(`: ${reason}`));
  return [
    ...['--name', NAME, '--handoff', cell.mode],
    ...['--workers', String(SLOTS), '--listen', '127.0.0.1:0', '--watchdog', '800ms'],
    ...[
      '--takeover-timeout',
      `${TAKEOVER_TIMEOUT_MS}ms`,
      '--drain-timeout',
      '300ms',
      '--respawn-delay',
      '100ms',
    ],
    ...['--start-timeout', waitsFor('start-timeout') ? '2s' : '5s'],
    ...['--reload-timeout', waitsFor('reload-timeout') ? '6s' : '60s'],
  ];
};

/** More than all limits that a cell waits for together: a command that takes longer waits for something that has none. */
const PATIENCE = ['--timeout', '20s'];

/** What `tanist reload` said. */
export interface Told {
  readonly status: number | null;
  readonly verdict: ReloadVerdict;
}

/** Nobody was struck: on a machine that is too busy for these short limits a reload may be given up before. */
export class StepMissed extends Error {
  override readonly name = 'StepMissed';
}

export class Scene {
  readonly world = new World();
  readonly #cell: Cell;
  readonly #gate = new Gate(this.world.path('steps'));
  readonly #bootGate = this.world.path('boot');
  readonly activity = this.world.path('activity');
  readonly daemon: Daemon;
  #before: Status | null = null;

  constructor(cell: Cell) {
    this.#cell = cell;
    this.daemon = this.world.run([...optionsOf(cell), '--', 'perl', fixture('active.pl')], {
      script: stepped,
      env: { ACTIVITY: this.activity, STEPS: this.#gate.directory, BOOT_GATE: this.#bootGate },
    });
  }

  /** Waits until the first generation runs, and returns its address. */
  async started(): Promise<string> {
    this.#before = await this.daemon.running();
    return this.#before.listeners[0]?.address ?? '';
  }

  /** Asks for a reload, strikes at the step, and returns what the client was told and who was struck. */
  async strike(): Promise<{ readonly victim: number; readonly told: Promise<Told> }> {
    const { step, strike, victim } = this.#cell;
    this.#gate.arm(step);
    if (step !== '2-booting') writeFileSync(this.#bootGate, '');
    const striker = await Striker.begin({
      ...{ directory: this.#gate.directory, step, strike, victim },
      ...{ log: this.daemon.logFile, activity: this.activity, bootGate: this.#bootGate },
      predecessor: this.daemon.pid,
      oldWorkers: Object.fromEntries(this.#before?.workers.map(({ slot, pid }) => [slot, pid ?? 0]) ?? []),
    });
    const told = this.world
      .tanist('reload', '--json', ...PATIENCE, '--name', NAME)
      .then(({ status, stdout, stderr }) => {
        const verdict = stdout === '' ? null : JSON.parse(stdout);
        if (verdict === null || !('outcome' in verdict)) throw new Error(`no verdict: ${stdout}${stderr}`);
        return { status, verdict: verdict as ReloadVerdict };
      });
    let over = '';
    told.then(
      ({ verdict }) => {
        // What comes after the verdict is the leaving of the old generation.
        if (verdict.outcome === 'promoted' && isAfterVerdict(step)) return;
        over = `${verdict.outcome}, ${verdict.reason}: ${verdict.detail}`;
        striker.callOff();
      },
      (error: Error) => {
        over = error.message;
        striker.callOff();
      },
    );
    const struck = await striker.struck;
    if (struck === null) throw new StepMissed(`the reload was over before ${step}: ${over}`);
    return { victim: struck, told };
  }

  pidInFile(): number {
    return Number(readFileSync(this.world.path(`${NAME}.pid`), 'utf8'));
  }

  /** Stops the daemon, and waits until nothing of it is left. */
  async stop(): Promise<void> {
    const { status, stderr } = await this.world.tanist('stop', ...PATIENCE, '--name', NAME);
    if (status !== 0) throw new Error(`tanist stop: status ${status}: ${stderr}`);
    await this.world.empty();
  }
}
