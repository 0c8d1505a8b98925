/**
 * Carries a simulated world on, step by step, and checks what must hold after each.
 */
import { INVARIANTS, type Invariant } from './invariants.js';
import type { World } from './simulated-world.js';

/** What does not hold. */
export interface Violation {
  /** The guarantee that is broken, as its invariant names it. */
  readonly guarantee: string;
  /** What is wrong, in words. */
  readonly problem: string;
}

/** A run that has not come to rest after so many steps never will. */
const MAX_STEPS = 20_000;

export class Runner {
  readonly world: World;
  violation: Violation | null = null;
  readonly #invariants: readonly Invariant[];
  readonly #steps: number;

  /** @param steps more than so many are never taken. */
  constructor(world: World, invariants: readonly Invariant[] = INVARIANTS, steps = MAX_STEPS) {
    this.world = world;
    this.#invariants = invariants;
    this.#steps = steps;
  }

  /** Goes on until it is so, something is wrong, or the limit of simulated time is over. */
  async until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    const { world } = this;
    const endMs = world.kernel.nowMs + limitMs;
    // Time goes on even where nothing else happens.
    world.kernel.timer(null, limitMs + 1, () => undefined);
    while (!isSo()) {
      if (world.kernel.nowMs > endMs || world.kernel.steps > this.#steps) return false;
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
    for (const { guarantee, check } of this.#invariants) {
      const problem = check(this.world);
      if (problem !== null) return this.fail(guarantee, problem);
    }
  }
}

/** Where everybody is, in words. */
export const places = (world: World): string =>
  [...world.supervisors, ...world.anchors]
    .map(({ process, place }) => `${process.name} is ${process.state} in ${place}`)
    .join('; ') || 'nobody runs';
