/**
 * What may happen to a daemon in a model run of fast-check: each command plays a piece of the scenario, and compares it
 * with what the model expects.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Scenario } from 'tanist/testing';
import { PARKED_MS, YOUNG_DEATHS } from './parking-worker.js';

/** All that is expected of a daemon with one worker. */
export interface Expected {
  /** Which generation is in charge. */
  generation: number;
  /** How many workers of its slot have died young, one after the other. */
  youngDeaths: number;
}

type Command = fc.AsyncCommand<Expected, Scenario>;

const isServing = ({ world }: Scenario): boolean => world.workers.some(({ isActive }) => isActive);

/** The worker dies as soon as it serves. */
class Crash implements Command {
  check(): boolean {
    return true;
  }

  async run(expected: Expected, scenario: Scenario): Promise<void> {
    await scenario.until(() => isServing(scenario), 'a slot is filled');
    for (const { process } of scenario.world.workers) scenario.signal(process, 'SIGKILL');
    expected.youngDeaths += 1;
    if (expected.youngDeaths < YOUNG_DEATHS) return;
    await scenario.pass(PARKED_MS / 2);
    assert.deepEqual(scenario.world.workers, [], 'a parked slot is filled');
  }

  toString(): string {
    return 'crash';
  }
}

/** Nothing happens until the worker has grown up. */
class Rest implements Command {
  check(): boolean {
    return true;
  }

  async run(expected: Expected, scenario: Scenario): Promise<void> {
    await scenario.settle();
    await scenario.pass(2 * scenario.world.settings.respawnDelayMs);
    // The next death is not a young one, and starts the count again.
    expected.youngDeaths = -1;
  }

  toString(): string {
    return 'rest';
  }
}

class Reload implements Command {
  check(): boolean {
    return true;
  }

  async run(expected: Expected, scenario: Scenario): Promise<void> {
    const { outcome, generation } = await scenario.reload();
    expected.generation += 1;
    expected.youngDeaths = 0;
    assert.deepEqual({ outcome, generation }, { outcome: 'promoted', generation: expected.generation });
    await scenario.settle();
  }

  toString(): string {
    return 'reload';
  }
}

const KINDS: readonly Command[] = [new Crash(), new Crash(), new Crash(), new Rest(), new Reload()];

/** Up to eight of them, in any order, most of them crashes. */
export const commands = (): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    KINDS.map((kind) => fc.constant(kind)),
    { maxCommands: 8, disableReplayLog: true },
  );
