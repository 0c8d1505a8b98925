/**
 * What a walk prints: the size of what was walked, and how much of the machine it took.
 */
import type { AnyStateMachine } from 'xstate';
import type { Covered } from '../../src/testing/coverage.js';
import type { Walked } from '../../src/testing/walk.js';

export interface Row {
  readonly name: string;
  readonly walked: Walked;
  readonly ms: number;
}

export const timed = (name: string, run: () => Walked): Row => {
  const begun = performance.now();
  const walked = run();
  return { name, walked, ms: Math.round(performance.now() - begun) };
};

const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(44) : String(cell).padStart(9))).join('');

/** To be printed: one line a walk, and one for the coverage of the machine. */
export const tableOf = (machine: string, covered: Covered<AnyStateMachine>, rows: readonly Row[]): string => {
  const { branches } = covered;
  const taken = branches.length - covered.missed().length;
  const percent = Math.floor((1000 * taken) / branches.length) / 10;
  return [
    line([machine, 'states', 'edges', 'ms']),
    ...rows.map(({ name, walked, ms }) => line([`  ${name}`, walked.states, walked.edges, ms])),
    `  transitions taken: ${taken} of ${branches.length} (${percent} %)`,
  ].join('\n');
};
