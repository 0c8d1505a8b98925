/**
 * What is searched in CI, and what by hand: the budgets of faults that keep it bearable.
 */
import type { Service } from './machines.js';
import type { ProductOptions } from './product.js';
import { type Faults, NO_FAULTS } from './world.js';

export const serviceWith = (changes: Partial<Service> = {}): Service => ({
  handoff: 'overlap',
  workers: 1,
  probationMs: 0,
  anchor: false,
  ready: { mode: 'takeover' },
  ...changes,
});

export const faultsWith = (changes: Partial<Faults>): Faults => ({ ...NO_FAULTS, ...changes });

const exclusive = { handoff: 'exclusive' } as const;
const long = { anchor: true, probationMs: 10_000 } as const;
/** The budgets that the contract names as the least. */
const ALL: Partial<Faults> = { kills: 2, hangs: 1, crashes: 1, hungWorkers: 1, stops: 2 };

const searched = (service: Partial<Service>, faults: Partial<Faults>): ProductOptions => ({
  service: serviceWith(service),
  faults: faultsWith(faults),
});

/** Together about two minutes of a processor of CI. */
export const IN_CI: Readonly<Record<string, ProductOptions>> = {
  'overlap, 1 worker': searched({}, ALL),
  'overlap, 1 worker, spawns fail': searched({}, { spawnFailures: 2, kills: 1, hangs: 1, stops: 1 }),
  'overlap, 1 worker, anchor and probation': searched(long, { kills: 1, hangs: 1, crashes: 1, stops: 1 }),
  'overlap, 1 worker, reload after reload': searched({}, { kills: 1, stops: 1, reloads: 1 }),
  'overlap, 2 workers': searched({ workers: 2 }, { kills: 1, hangs: 1, hungWorkers: 1, stops: 1 }),
  'overlap, 2 workers, crashes': searched({ workers: 2 }, { kills: 1, hangs: 1, crashes: 2 }),
  'overlap, 3 workers': searched({ workers: 3 }, { kills: 1, stops: 1 }),
  'overlap, 3 workers, hung ones': searched({ workers: 3 }, { kills: 1, hangs: 1, hungWorkers: 1 }),
  'exclusive, 1 worker': searched(exclusive, ALL),
  'exclusive, 1 worker, spawns fail': searched(exclusive, {
    spawnFailures: 2,
    kills: 1,
    hangs: 1,
    stops: 1,
  }),
  'exclusive, 1 worker, anchor and probation': searched(
    { ...exclusive, ...long },
    { kills: 1, hangs: 1, crashes: 1, stops: 1 },
  ),
  'exclusive, 1 worker, reload after reload': searched(exclusive, { kills: 1, stops: 1, reloads: 1 }),
  'exclusive, 2 workers': searched(
    { ...exclusive, workers: 2 },
    { kills: 1, hangs: 1, crashes: 1, stops: 1 },
  ),
  'exclusive, 3 workers': searched({ ...exclusive, workers: 3 }, { kills: 1, hangs: 1, hungWorkers: 1 }),
};
