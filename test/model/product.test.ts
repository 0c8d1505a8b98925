import { afterAll, describe, expect, it } from 'vitest';
import { type ProductOptions, product } from './product-model.js';
import { search } from './search.js';

const MAX_STATES = 300_000;
const faults = { kills: 2, hangs: 1, fails: 1, stops: 2 };

const SEARCHES: Readonly<Record<string, ProductOptions>> = {
  overlap: { handoff: 'overlap', probationMs: 0, anchors: false, faults },
  'overlap, probation': { handoff: 'overlap', probationMs: 10_000, anchors: true, faults },
  'overlap, anchor': { handoff: 'overlap', probationMs: 0, anchors: true, faults },
  exclusive: { handoff: 'exclusive', probationMs: 0, anchors: false, faults },
  'exclusive, anchor': { handoff: 'exclusive', probationMs: 0, anchors: true, faults },
  'exclusive, probation': { handoff: 'exclusive', probationMs: 10_000, anchors: true, faults },
};

describe('both sides of a reload, with a kill, a hang, a failing worker and a stop at any step', () => {
  const lines: string[] = [];
  afterAll(() => console.log(lines.join('\n')));

  for (const [name, options] of Object.entries(SEARCHES)) {
    it(`never serve against each other, and always come right (${name})`, () => {
      const begun = performance.now();
      const { states, edges } = search(product(options), MAX_STATES);
      lines.push(`${name}: ${states} states, ${edges} edges, ${Math.round(performance.now() - begun)} ms`);
      expect(states).toBeGreaterThan(1_000);
    });
  }
});
