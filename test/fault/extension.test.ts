/**
 * A machine that somebody has extended: what `tanist/testing` finds in it, and what it does not find where all is well.
 */
import fc from 'fast-check';
import { type SupervisorMachine, workerMachine } from 'tanist/machines';
import { type Mutation, Scenario, walk } from 'tanist/testing';
import { describe, expect, it } from 'vitest';
import { commands } from '../examples/model-based/commands.js';
import { FORGETFUL, parking, withParking } from '../examples/model-based/parking-worker.js';
import { slotModel } from '../examples/model-based/slot-model.js';

/** One function for each machine: the simulated world makes a machine once for all processes that share it. */
const parked: Mutation = (machine) => withParking(machine);
const forgetful: Mutation = (machine: SupervisorMachine) => withParking(machine, FORGETFUL);

/** Whatever happens to a daemon, it can be stopped afterwards, and leaves nobody. */
const canBeStopped = (mutate: Mutation) =>
  fc.asyncProperty(fc.option(fc.nat()), commands(), async (seed, list) => {
    const scenario = new Scenario({ seed, mutate });
    await scenario.start();
    await fc.asyncModelRun(() => ({ model: { generation: 1, youngDeaths: 0 }, real: scenario }), list);
    await scenario.stop();
  });

const RUNS = { numRuns: 25, seed: 1 };

describe('a worker that is parked', () => {
  it('keeps its promises in a model run through the simulated world', async () => {
    await fc.assert(canBeStopped(parked), RUNS);
  });

  it('keeps its promises on every edge', () => {
    const model = slotModel(parking(workerMachine));
    const { leaves, edges } = walk(model);
    expect(leaves).toContain('parked');
    expect(edges).toBeGreaterThan(100);
    const missed = model.covered.missed().filter(({ state }) => state === 'worker.parked');
    expect(missed).toEqual([]);
  });
});

describe('a parked worker that forgets how to leave', () => {
  it('is found by a model run, with the fewest commands that show it', async () => {
    const found = await fc.check(canBeStopped(forgetful), RUNS);
    console.log(String(found.errorInstance));
    const [seed, list] = found.counterexample ?? [];
    expect([seed, String(list)]).toEqual([null, 'crash,crash,crash']);
    expect(String(found.errorInstance)).toMatch(/^BrokenGuarantee: liveness: a stop ends, and leaves nobody/);
  });

  it('is found by a walk, with the shortest way to it', () => {
    const message = (() => {
      try {
        walk(slotModel(parking(workerMachine, FORGETFUL)));
      } catch (error) {
        return String(error);
      }
      return 'nothing was found';
    })();
    console.log(message);
    expect(message).toMatch(/^Error: an order to leave is not heard\nin parked → parked\n/);
    expect(message.match(/"type":"(worker.exited|spawn.failed)"/g)).toHaveLength(3);
    expect(message.split('\n').length).toBeLessThan(15);
  });
});
