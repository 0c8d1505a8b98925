import { describe, expect, it } from 'vitest';
import { reloadMachine } from '../../machines/reload.js';
import { covered, placeText } from './coverage.js';
import { type Row, tableOf, timed } from './coverage-table.js';
import { reloadModel } from './reload-model.js';
import { walk } from './walk.js';

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
    expect(machine.missed().map(placeText)).toEqual([]);
  });
});
