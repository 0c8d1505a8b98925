/**
 * The search of the product can fail: without any one of its safeguards the protocol breaks a guarantee, and the
 * shortest way to that is found. The same faults with all safeguards break nothing.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { ALONE, type Break, optionsOf, TOGETHER } from './product/breaks.js';
import { MUTATED } from './product/mutations.js';
import { Product } from './product/product.js';
import { SAFEGUARDS, type Safeguard } from './product/safeguards.js';
import { search } from './product/search.js';
import { violationText } from './product/trace.js';

const MAX_STATES = 300_000;
/** The shortest of all, and the longest of those that are. */
const FEWEST_STEPS = 2;
const MOST_STEPS = 25;

const lines: string[] = [];
afterAll(() => console.log(lines.join('\n\n')));

const finds = (broken: Break) => () => {
  const product = new Product(optionsOf(broken));
  const only = broken.only === true ? { only: broken.breaks } : {};
  const { violation } = search(product, { maxStates: MAX_STATES, ...only });
  expect(violation?.problem).toMatch(broken.breaks);
  if (violation === null) return;
  lines.push(`${broken.happens}\n${violationText(product, violation)}`);
  expect(violation.trace.length - 1).toBeGreaterThanOrEqual(FEWEST_STEPS);
  expect(violation.trace.length - 1).toBeLessThanOrEqual(MOST_STEPS);
  expect(violation.trace.map(({ name }) => name)).not.toContain('?');
  const guarded = new Product({ ...optionsOf(broken), off: [], machines: {} });
  expect(search(guarded, { maxStates: MAX_STATES }).violation).toBeNull();
};

describe('each safeguard of a reload is needed', () => {
  for (const broken of ALONE) it(broken.happens, finds(broken));

  it('and none is left out', () => {
    const shown = new Set<Safeguard>([...ALONE, ...TOGETHER].flatMap(({ off }) => off));
    expect([...shown].sort()).toEqual(Object.keys(SAFEGUARDS).sort());
  });
});

describe('ways in which a reload has gone wrong', () => {
  for (const broken of TOGETHER) it(broken.happens, finds(broken));
});

describe('the shipped machines, mutated', () => {
  for (const broken of MUTATED) it(broken.happens, finds(broken));
});
