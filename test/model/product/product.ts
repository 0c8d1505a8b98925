/**
 * Both sides of a reload at once, and everything that may happen to them.
 *
 * The supervisors, their slots and the two machines between them are the shipped ones, run on plain events. What is
 * reduced: a worker speaks the protocol (`--ready takeover`) and says nothing but `takeover`; the start up to the
 * first ready worker, the anchor's own life and the names of processes have walks of their own; there is no limit of
 * respawns, no watchdog and no change of the number of workers.
 *
 * Two reductions make it smaller, and neither hides anything. Equal slots are one state in any order: the machines
 * do not depend on a slot's number, but for the turn in which a successor starts them, which is a matter of time.
 * What is dead knows nothing any more.
 */

import { RELOAD } from './facts.js';
import { proposeFaults } from './fate.js';
import { isSettled, problemsOf } from './invariants.js';
import { Kernel } from './kernel.js';
import { type Service, SHIPPED, type Shipped } from './machines.js';
import { type Propose, proposeExits, proposeTurns } from './moves.js';
import { Processes } from './processes.js';
import type { Safeguard } from './safeguards.js';
import { ACTIVE, withWorker, workerAt } from './workers.js';
import { ALIVE, type Faults, faultsOf, HUNG, type Side, World } from './world.js';

export interface ProductOptions {
  readonly service: Service;
  readonly faults: Faults;
  /** Safeguards that are switched off. Default none. */
  readonly off?: readonly Safeguard[];
  /** Machines to be searched instead of those that are shipped. */
  readonly machines?: Partial<Shipped>;
}

/** A move that was made: where it led to, and what it broke. */
export type Visit = (name: string, isFault: boolean, world: World, problems: readonly string[]) => void;

export class Product {
  readonly kernel: Kernel;
  readonly options: ProductOptions;

  constructor(options: ProductOptions) {
    this.options = options;
    const processes = new Processes({ ...SHIPPED, ...options.machines }, options.service);
    this.kernel = new Kernel(processes, options.service, new Set(options.off ?? []));
  }

  /** A reload was just asked of a generation whose workers all serve. */
  start(): World {
    const world = new World();
    world.faults = faultsOf(this.options.faults);
    world.p.life = ALIVE;
    world.p.place = this.kernel.processes.running();
    for (let slot = 0; slot < this.options.service.workers; slot += 1)
      world.p.workers = withWorker(world.p.workers, slot, ACTIVE);
    this.kernel.tell(world, world.p, 'supervisor', RELOAD);
    return this.#orderly(world);
  }

  problems(world: World): readonly string[] {
    return problemsOf(this.kernel, this.options.service, world);
  }

  isSettled(world: World): boolean {
    return isSettled(this.kernel, world);
  }

  /** Makes every move there is. */
  moves(world: World, visit: Visit): void {
    for (const side of [world.p, world.s]) this.#movesOf(world, side, visit);
  }

  #movesOf(world: World, side: Side, visit: Visit): void {
    const { workers } = this.options.service;
    const proposed =
      (isFault: boolean): Propose =>
      (name, make) => {
        const next = world.copy();
        this.kernel.reset();
        make(next, side === world.p ? next.p : next.s);
        if (!this.kernel.notes.beyond) visit(name, isFault, this.#orderly(next), this.kernel.notes.problems);
      };
    proposeTurns(this.kernel, world, side, proposed(false));
    proposeExits(side, side === world.p ? 'P' : 'S', workers, proposed(false));
    proposeFaults(this.kernel, world, side, workers, proposed(true));
  }

  /** Equal slots in one order, and nothing known that does not matter any more. */
  #orderly(world: World): World {
    this.kernel.tidy(world);
    if (this.options.service.workers > 1) for (const side of [world.p, world.s]) this.#sort(side);
    return world;
  }

  /** By exchanging neighbours: there are few, and most are in order. */
  #sort(side: Side): void {
    const { processes } = this.kernel;
    const hasPlace = side.runs || side.life === HUNG;
    for (let end = this.options.service.workers - 1; end > 0; end -= 1)
      for (let slot = 0; slot < end; slot += 1) {
        const classes = hasPlace ? processes.at(side.place).classes : [];
        const first = workerAt(side.workers, slot);
        const second = workerAt(side.workers, slot + 1);
        const firstClass = classes[slot] ?? 0;
        const secondClass = classes[slot + 1] ?? 0;
        if (firstClass < secondClass || (firstClass === secondClass && first <= second)) continue;
        side.workers = withWorker(withWorker(side.workers, slot, second), slot + 1, first);
        if (hasPlace) side.place = processes.exchanged(side.place, slot);
      }
  }
}
