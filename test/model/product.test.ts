/**
 * Both generations of a reload with their workers, every alarm at any time, every process killed or stopped at any
 * step: whatever happens, the guarantees hold, and everything can come right without another fault.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { Product } from './product/product.js';
import { search } from './product/search.js';
import { IN_CI } from './product/searches.js';
import { searchedText, violationText } from './product/trace.js';

const MAX_STATES = 2_000_000;
/** Of a processor; on a machine that is busy with other things it takes longer. */
const TIMEOUT_MS = 300_000;

describe('the product of both sides of a reload', () => {
  const lines: string[] = [];
  afterAll(() => console.log(lines.join('\n')));

  for (const [name, options] of Object.entries(IN_CI)) {
    it(
      `keeps every guarantee, and always comes right (${name})`,
      () => {
        const product = new Product(options);
        const { searched, violation } = search(product, { maxStates: MAX_STATES });
        lines.push(searchedText(name, searched));
        expect(violation === null ? '' : violationText(product, violation)).toBe('');
        expect(searched.states).toBeGreaterThan(10_000);
      },
      TIMEOUT_MS,
    );
  }
});
