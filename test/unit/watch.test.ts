import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watch } from '../../src/cli/commands/watch.js';

test('a terminal that becomes another is drawn anew at once, not with the next look', async () => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'tanist-'));
  onTestFinished(() => rmSync(runDirectory, { recursive: true }));
  const written: string[] = [];
  const over = new AbortController();
  let resized: () => void = () => undefined;
  let columns = 80;
  const end = watch(
    { target: { kind: 'only', runDirectory }, json: false, timeoutMs: null },
    { out: (text) => void written.push(text), err: () => undefined, columns: 80, isTty: true },
    {
      get columns() {
        return columns;
      },
      rows: 24,
      onResize: (callback) => {
        resized = callback;
        return () => {
          resized = () => undefined;
        };
      },
      over: over.signal,
    },
  );
  const pictures = () => written.filter((text) => text.includes('nothing is running')).length;
  await vi.waitUntil(() => pictures() === 1);
  columns = 40;
  for (let times = 0; times < 5; times += 1) resized();
  await setImmediate();
  // A look comes each second: five pictures in one turn of the loop are not its.
  expect(pictures()).toBeGreaterThanOrEqual(5);

  over.abort();
  expect(await end).toBe(0);
  const before = written.length;
  resized();
  await setImmediate();
  expect(written).toHaveLength(before);
});
