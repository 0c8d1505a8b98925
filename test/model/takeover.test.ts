import { describe, expect, it } from 'vitest';
import type { Settings } from '../../machines/policy.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { branchText, covered } from '../../src/testing/coverage.js';
import { walk } from '../../src/testing/walk.js';
import { type Row, tableOf, timed } from './coverage-table.js';
import { takeoverModel } from './takeover-model.js';

const WALKS: Readonly<Record<string, Partial<Settings>>> = {
  overlap: { handoff: 'overlap' },
  'overlap, probation': { handoff: 'overlap', probationMs: 10_000 },
  'overlap, probation, health checks': {
    handoff: 'overlap',
    probationMs: 10_000,
    health: { mode: 'http', path: '/' },
  },
  exclusive: { handoff: 'exclusive' },
  'exclusive, workers without the protocol': {
    handoff: 'exclusive',
    ready: { mode: 'alive', forMs: 1_000 },
    probationMs: 10_000,
  },
};

describe('every edge of the takeover machine', () => {
  const machine = covered(takeoverMachine);
  const rows: Row[] = [];

  for (const [name, changes] of Object.entries(WALKS)) {
    it(`keeps the promises of a successor (${name})`, () => {
      rows.push(timed(name, () => walk(takeoverModel(machine, changes))));
    });
  }

  it('has been walked completely', () => {
    console.log(tableOf('takeover', machine, rows));
    expect(machine.missed().map(branchText)).toEqual([]);
  });
});
