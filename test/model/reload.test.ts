import { describe, expect, it } from 'vitest';
import { reloadMachine } from '../../machines/reload.js';
import { branchText, covered } from '../../src/testing/coverage.js';
import { walk } from '../../src/testing/walk.js';
import { type Row, tableOf, timed } from './coverage-table.js';
import { reloadModel } from './reload-model.js';

describe('every edge of the reload machine', () => {
  const machine = covered(reloadMachine);
  const rows: Row[] = [];

  for (const handoff of ['overlap', 'exclusive'] as const) {
    it(`keeps the promises of a predecessor (${handoff})`, () => {
      rows.push(timed(handoff, () => walk(reloadModel(machine, handoff))));
    });
  }

  it('has been walked completely', () => {
    console.log(tableOf('reload', machine, rows));
    expect(machine.missed().map(branchText)).toEqual([]);
  });
});
