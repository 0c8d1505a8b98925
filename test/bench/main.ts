/**
 * The bench: what is measured, beside what must be reached and what plain Node takes.
 *
 *   npm run bench                 everything, in about four minutes
 *   npm run bench -- quick        everything, with fewer repetitions
 *   npm run bench -- reload idle  only these
 *
 * It is a table and no gate: a target that is missed is flagged, and only an error makes the exit status 1.
 */
import { availableParallelism } from 'node:os';
import Table from 'cli-table3';
import { World } from '../process/harness.js';
import { measureBroken } from './broken.js';
import { type Effort, type Figure, FULL, QUICK } from './figure.js';
import { measureIdle } from './idle.js';
import { measureInspected } from './inspected.js';
import { measureMany } from './many.js';
import { measureRefusal, measureReload, measureRespawn, measureStandby, measureStart } from './times.js';
import { measureExclusive, measureOverlap } from './under-load.js';

const MEASURES: Readonly<Record<string, (world: World, effort: Effort) => Promise<readonly Figure[]>>> = {
  overlap: measureOverlap,
  exclusive: measureExclusive,
  reload: measureReload,
  refusal: measureRefusal,
  broken: measureBroken,
  respawn: measureRespawn,
  standby: measureStandby,
  start: measureStart,
  idle: measureIdle,
  many: measureMany,
  inspect: measureInspected,
};

const INTERRUPTED_STATUS = 130;
const USAGE_STATUS = 2;

const words = process.argv.slice(2);
const effort = words.includes('quick') ? QUICK : FULL;
const named = words.filter((word) => word !== 'quick');
const unknown = named.filter((name) => MEASURES[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `unknown: ${unknown.join(', ')}; there is quick, ${Object.keys(MEASURES).join(', ')}\n`,
  );
  process.exit(USAGE_STATUS);
}

const table = new Table({
  head: ['what', 'must reach', 'measured', '', 'plain Node'],
  style: { head: [], border: [] },
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
});

let world = new World();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, async () => {
    if (interrupted) return;
    interrupted = true;
    await world.dispose();
    process.exit(INTERRUPTED_STATUS);
  });
}

const mark = ({ target, missed }: Figure): string => (missed ? 'MISSED' : target === null ? '' : 'ok');

let failed = false;
for (const name of named.length === 0 ? Object.keys(MEASURES) : named) {
  process.stderr.write(`measures ${name} …\n`);
  try {
    for (const figure of (await MEASURES[name]?.(world, effort)) ?? []) {
      table.push([figure.what, figure.target ?? '', figure.measured, mark(figure), figure.floor]);
    }
  } catch (error) {
    // What fails because everything was killed is no failure of its own.
    if (interrupted) await new Promise(() => undefined);
    failed = true;
    table.push([
      name,
      '',
      `could not be measured: ${error instanceof Error ? error.message : error}`,
      'ERROR',
      '',
    ]);
  }
  await world.dispose();
  world = new World();
}
await world.dispose();
process.stdout.write(
  `Node ${process.versions.node}, ${availableParallelism()} CPUs, ${process.platform}\n${table.toString()}\n`,
);
process.exit(failed ? 1 : 0);
