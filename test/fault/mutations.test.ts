/**
 * One mutation of the shipped machine for each guarantee that no safeguard of the system holds alone.
 */

import { describe, expect, it } from 'vitest';
import { assign } from 'xstate';
import { type Mutation, NO_FAULTS, type RunOptions, shrink } from '../../src/testing/world.js';
import { campaign } from './campaign.js';

const overlap = { handoff: 'overlap', ready: { mode: 'takeover' } } as const;
const limited = { maxMemoryBytes: 100_000_000, ready: { mode: 'takeover' } } as const;
const spared = { standby: 1, ready: { mode: 'takeover' } } as const;
const nothing = () => undefined;

/** The successor's workers are never told that they may serve. */
const forgetOk: Mutation = (machine) => machine.provide({ actions: { admitSlots: nothing } });

/** Our workers leave before the successor has taken charge. */
const drainEarly: Mutation = (machine) => machine.provide({ guards: { isExclusive: () => true } });

/** A refused reload is said to be promoted. */
const lie: Mutation = (machine) =>
  machine.provide({
    actions: {
      recordRefused: assign(({ context, event }) => ({
        link: 'none' as const,
        promoted: false,
        reload: null,
        lastReload: {
          outcome: 'promoted' as const,
          reason: null,
          detail: null,
          generation: context.reload?.generation ?? 0,
          pid: null,
          durationMs: 0,
          at: '',
          ids: 'leftovers' in event ? (context.reload?.ids ?? []) : [],
        },
      })),
    },
  });

/** Who comes back from a refused reload forgets to write pid and control path again. */
const stayAway: Mutation = (machine) => machine.provide({ actions: { comeBack: nothing } });

/** A slot whose worker is not told to stay is not filled again. */
const neverRetain: Mutation = (machine) => machine.provide({ actions: { retainSlots: nothing } });

/** What a dead generation has left behind is not killed. */
const spareLeftovers: Mutation = (machine) => machine.provide({ actions: { killLeftovers: nothing } });

/** The lock is given back while workers still leave. */
const releaseEarly: Mutation = (machine) => machine.provide({ guards: { mayRelease: () => true } });

/** A worker that uses too much memory serves on. */
const neverRelieve: Mutation = (machine) => machine.provide({ guards: { mayRelieve: () => false } });

/** Whoever was replaced stays beside the slot for ever, and exclusive: whoever replaced it is never answered. */
const forgetRelief: Mutation = (machine) => machine.provide({ actions: { removeReliefs: nothing } });

/** A slot whose worker is gone waits for a new one, though a standby is there. */
const neverPromote: Mutation = (machine) => machine.provide({ guards: { mayPromote: () => false } });

/** No standby is ever booted. */
const noSpares: Mutation = (machine) => machine.provide({ guards: { lacksSpares: () => false } });

const failures = { ...NO_FAULTS, successor: 0.6, worker: 0.4 };

const MUTATIONS: readonly [string, Mutation, RegExp, RunOptions][] = [
  ['its workers are never answered', forgetOk, /^G2/, { settings: overlap, odds: NO_FAULTS }],
  [
    'workers leave before the successor is in charge',
    drainEarly,
    /^G4|^G2/,
    { settings: overlap, odds: failures },
  ],
  ['a refused reload is called promoted', lie, /^G5/, { odds: failures }],
  ['who comes back does not say so', stayAway, /^liveness|^G2|^G6/, { odds: { ...failures, crash: 0.02 } }],
  [
    'a successor never fills a slot again',
    neverRetain,
    /^liveness|^G2|^G6/,
    { odds: { ...failures, crash: 0.02 } },
  ],
  [
    'leftovers are spared',
    spareLeftovers,
    /^liveness: at rest|^liveness: a good reload|^G7/,
    { settings: overlap, odds: { ...NO_FAULTS, crash: 0.03, worker: 0.6 } },
  ],
  ['the lock goes before the workers', releaseEarly, /^G7|^G1|^G3|^liveness/, { odds: failures }],
  [
    'a worker that uses too much memory is not replaced',
    neverRelieve,
    /^liveness: at rest/,
    { settings: limited, odds: failures },
  ],
  [
    'a replaced worker is not forgotten',
    forgetRelief,
    /^liveness|^G2/,
    { settings: { ...limited, handoff: 'exclusive' }, odds: failures },
  ],
  ['a standby is not promoted', neverPromote, /^G2: a standby/, { settings: spared, odds: failures }],
  ['no standby is booted', noSpares, /^liveness: at rest/, { settings: spared, odds: NO_FAULTS }],
];
const MOST_SEEDS = 600;

/** Enough to see that a run becomes small; the smallest is for whoever has to read it. */
const SHRINKS = 60;

describe('each guarantee is looked after', () => {
  for (const [what, mutate, breaks, options] of MUTATIONS) {
    it(`notices that ${what}`, async () => {
      const mutated = { ...options, mutate };
      const { failed } = await campaign(1, MOST_SEEDS, mutated);
      expect(failed?.violation?.guarantee).toMatch(breaks);
      if (failed === null) return;
      const small = await shrink(failed, mutated, SHRINKS);
      console.log([`where ${what}, seed ${failed.seed}:`, ...small.trace].join('\n'));
      expect(small.violation?.guarantee).toBe(failed.violation?.guarantee);
      expect((await campaign(failed.seed, 1, options)).failed).toBeNull();
    });
  }
});
