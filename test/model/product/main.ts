/**
 * npm run model -- [--workers N] [--handoff MODE] [--kills N] …: one search with budgets of one's own.
 *
 * By default four workers, and faults that a quarter of an hour is enough for.
 */
import { parseArgs } from 'node:util';
import { Product } from './product.js';
import { search } from './search.js';
import { faultsWith, serviceWith } from './searches.js';
import { searchedText, violationText } from './trace.js';

const MAX_STATES = 60_000_000;

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '4' },
    handoff: { type: 'string', default: 'overlap' },
    probation: { type: 'boolean', default: false },
    anchor: { type: 'boolean', default: false },
    kills: { type: 'string', default: '1' },
    hangs: { type: 'string', default: '1' },
    crashes: { type: 'string', default: '0' },
    'hung-workers': { type: 'string', default: '0' },
    'spawn-failures': { type: 'string', default: '0' },
    stops: { type: 'string', default: '1' },
    reloads: { type: 'string', default: '0' },
  },
});

const number = (name: string, value: string, most: number): number => {
  const read = Number(value);
  if (Number.isInteger(read) && read >= 0 && read <= most) return read;
  throw new Error(`--${name} ${value}: expected a whole number from 0 to ${most}`);
};
const fault = (name: keyof typeof values): number => number(name, String(values[name]), 3);

const workers = number('workers', values.workers, 4);
if (workers < 1) throw new Error(`--workers ${workers}: expected at least 1`);
if (values.handoff !== 'overlap' && values.handoff !== 'exclusive')
  throw new Error(`--handoff ${values.handoff}: expected overlap or exclusive`);

const product = new Product({
  service: serviceWith({
    workers,
    handoff: values.handoff,
    anchor: values.anchor,
    probationMs: values.probation ? 10_000 : 0,
  }),
  faults: faultsWith({
    kills: fault('kills'),
    hangs: fault('hangs'),
    crashes: fault('crashes'),
    hungWorkers: fault('hung-workers'),
    spawnFailures: fault('spawn-failures'),
    stops: fault('stops'),
    reloads: fault('reloads'),
  }),
});
const { searched, violation } = search(product, { maxStates: MAX_STATES });
console.log(searchedText(`${values.handoff}, ${workers} workers`, searched));
if (violation !== null) {
  console.log(violationText(product, violation));
  process.exitCode = 1;
}
