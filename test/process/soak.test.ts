/**
 * A minute of what `npm run soak` does for ten: load, deaths, reloads good and bad (test/soak).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { root } from './harness.js';

const SECONDS = 60;
/** Less than `npm run soak` has: the other tests want the same two cores. */
const REQUESTS_PER_SECOND = 40;
/** What is under way is finished, and counted. */
const LIMIT_MS = 180_000;

it(
  'a minute of load, killed workers, good and broken releases: no request fails that no death explains, and nothing grows',
  async () => {
    const rate = ['--rate', String(REQUESTS_PER_SECOND)];
    const words = ['scripts/run-typescript.mjs', 'test/soak/main.ts', '--seconds', String(SECONDS), ...rate];
    const soak = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let [said, told] = ['', ''];
    soak.stdout.on('data', (chunk) => {
      said += chunk;
    });
    soak.stderr.on('data', (chunk) => {
      told += chunk;
    });
    const [status] = await once(soak, 'close');
    console.log(said);
    expect(status, `${said}${told}`).toBe(0);
    expect(said).toMatch(/[1-9]\d* requests: 0 failed/);
  },
  LIMIT_MS,
);
