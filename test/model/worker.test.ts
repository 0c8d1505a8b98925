import { describe, expect, it } from 'vitest';
import type { Readiness } from '../../machines/policy.js';
import { workerMachine } from '../../machines/worker.js';
import { branchText, covered } from '../../src/testing/coverage.js';
import { walk } from '../../src/testing/walk.js';
import { type Row, tableOf, timed } from './coverage-table.js';
import { workerModel } from './worker-model.js';

const READINESS: readonly Readiness[] = [
  { mode: 'takeover' },
  { mode: 'http', path: '/health' },
  { mode: 'alive', forMs: 1_000 },
];

describe('every edge of the worker machine', () => {
  const machine = covered(workerMachine);
  const rows: Row[] = [];

  for (const ready of READINESS) {
    for (const inCharge of [true, false]) {
      const name = `${ready.mode}, ${inCharge ? 'in charge' : 'not in charge'}`;
      it(`keeps the promises of a slot (${name})`, () => {
        rows.push(timed(name, () => walk(workerModel(machine, ready, inCharge))));
      });
    }
  }

  it('keeps the promises of a slot (takeover, waits for its turn)', () => {
    rows.push(
      timed('takeover, later', () =>
        walk(workerModel(machine, { mode: 'takeover' }, false, { startDelayMs: 50 })),
      ),
    );
  });

  for (const ready of READINESS) {
    it(`keeps the promises of a slot (${ready.mode}, watched)`, () => {
      rows.push(
        timed(`${ready.mode}, watched`, () => walk(workerModel(machine, ready, true, { watchdogMs: 700 }))),
      );
    });
  }

  it('keeps the promises of a slot (takeover, with a limit of memory)', () => {
    rows.push(
      timed('takeover, memory', () =>
        walk(workerModel(machine, { mode: 'takeover' }, false, { maxMemoryBytes: 1_000 })),
      ),
    );
  });

  it('keeps the promises of a slot (takeover, a standby)', () => {
    rows.push(
      timed('takeover, standby', () =>
        walk(workerModel(machine, { mode: 'takeover' }, false, { standby: true, respawnDelayMs: 0 })),
      ),
    );
  });

  for (const handoff of ['overlap', 'exclusive'] as const) {
    it(`keeps the promises of a slot (on probation, ${handoff})`, () => {
      const health = { mode: 'http', path: '/health' } as const;
      const changes = { handoff, health, probationMs: 9_000 };
      rows.push(
        timed(`on probation, ${handoff}`, () =>
          walk(workerModel(machine, { mode: 'takeover' }, false, changes)),
        ),
      );
    });
  }

  it('has been walked completely', () => {
    console.log(tableOf('worker', machine, rows));
    expect(machine.missed().map(branchText)).toEqual([]);
  });
});
