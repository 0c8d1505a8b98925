/**
 * The demo: an HTTP service under load whose workers are killed and whose releases come and go, good and broken.
 *
 * Ends by itself, leaves nothing running, and exits 0 only if no request failed and every verdict was right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { World } from '../../process/harness.js';
import { Progress } from './progress.js';
import { report } from './report.js';
import { Scenario, type ScenarioResult } from './scenario.js';

/** The demo takes about a minute; whatever makes it longer is a defect. */
const LIMIT_MS = 85_000;
const LOG_TAIL_LINES = 15;
const INTERRUPTED_STATUS = 130;

const world = new World();
const progress = new Progress();

/** The end of each daemon's log: what it was doing when something went wrong. */
const logTails = (): string =>
  readdirSync(world.directory)
    .filter((name) => name.startsWith('log-'))
    .map((name) => readFileSync(world.path(name), 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES))
    .map((lines) => `The daemon's log ended with:\n${lines.join('\n')}\n`)
    .join('\n');

/** Ends everything the demo has started, whatever state it is in. */
const quit = async (status: number, words: string): Promise<never> => {
  progress.end();
  process.stderr.write(words);
  await world.dispose();
  process.exit(status);
};

// A terminal that is gone takes no words; the clean-up must not end with it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A terminal and npm may both send it: what comes while we clean up changes nothing.
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    void quit(INTERRUPTED_STATUS, `\nThe demo was ended by ${signal}; it cleans up.\n`);
  });
}

const play = async (): Promise<readonly ScenarioResult[]> => [
  await new Scenario('overlap', world, progress).play(),
  await new Scenario('exclusive', world, progress).play(),
];

const tooLong = new Promise<never>((_, reject) => {
  setTimeout(() => reject(new Error(`it did not end within ${LIMIT_MS / 1_000} s`)), LIMIT_MS);
});

try {
  const results = await Promise.race([play(), tooLong]);
  progress.end();
  const { text, good } = report(results);
  process.stdout.write(`\n${text}`);
  const left = world.processes();
  await quit(
    good && left.length === 0 ? 0 : 1,
    left.length === 0 ? '' : `Still running: ${left.join(', ')}\n`,
  );
} catch (error) {
  // What fails because everything was killed is no failure of its own.
  if (interrupted) await new Promise(() => undefined);
  const reason = error instanceof Error ? error.message : String(error);
  await quit(1, `\nThe demo has failed: ${reason}\n\n${logTails()}`);
}
