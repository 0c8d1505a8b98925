import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BREAKS } from '../breaks/breaks.js';
import { applied } from '../breaks/edits.js';
import { ROOT } from './imports.js';

const sourceOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('the deliberate breaks', () => {
  it('are one of each guarantee', () => {
    expect(BREAKS.map(({ guarantee }) => guarantee)).toEqual(
      Array.from({ length: 10 }, (_, index) => `G${index + 1}`),
    );
  });

  it.each(BREAKS)('$guarantee: can be made, and is noticed by two means or more', ({ edits, caughtBy }) => {
    for (const edit of edits) expect(applied(sourceOf(edit.file), edit)).not.toBe(sourceOf(edit.file));
    expect(new Set(caughtBy.map(({ means }) => means)).size).toBeGreaterThanOrEqual(2);
    for (const { file } of caughtBy) expect(existsSync(join(ROOT, file)), file).toBe(true);
  });
});
