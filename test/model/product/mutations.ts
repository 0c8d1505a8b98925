/**
 * Mutations of the shipped machines, one for each guarantee that the search has to hold.
 */
import { reloadMachine } from '../../../machines/reload.js';
import { supervisorMachine } from '../../../machines/supervisor.js';
import { takeoverMachine } from '../../../machines/takeover.js';
import type { Break } from './breaks.js';

const nothing = () => undefined;
const NEVER = /^G6\/G7: it never comes right/;

export const MUTATED: readonly Break[] = [
  {
    happens: 'G2: a slot of the generation in charge is never filled again',
    off: [],
    machines: { supervisor: supervisorMachine.provide({ actions: { retainSlots: nothing } }) },
    handoff: 'overlap',
    faults: { crashes: 1 },
    breaks: /^G2: no worker serves/,
  },
  {
    happens: 'G2: workers are never told that they may serve',
    off: [],
    machines: { supervisor: supervisorMachine.provide({ actions: { admitSlots: nothing } }) },
    handoff: 'overlap',
    faults: {},
    breaks: NEVER,
  },
  {
    happens: 'G3: an exclusive predecessor grants before it has drained',
    off: [],
    machines: { reload: reloadMachine.provide({ guards: { isExclusive: () => false } }) },
    handoff: 'exclusive',
    faults: {},
    breaks: /^G3/,
  },
  {
    happens: 'G4: workers leave before the successor has taken charge',
    off: [],
    machines: { supervisor: supervisorMachine.provide({ guards: { isExclusive: () => true } }) },
    handoff: 'overlap',
    faults: {},
    breaks: /^G4/,
  },
  {
    happens: 'G7: what a refused successor has left behind is not killed',
    off: [],
    machines: {
      reload: reloadMachine.provide({ actions: { killLeftovers: nothing } }),
      supervisor: supervisorMachine.provide({ actions: { killLeftovers: nothing } }),
    },
    handoff: 'overlap',
    faults: { hungWorkers: 1 },
    breaks: NEVER,
  },
  {
    happens: 'G7: what a dead predecessor has left behind is not killed',
    off: [],
    machines: { takeover: takeoverMachine.provide({ actions: { killLeftovers: nothing } }) },
    handoff: 'exclusive',
    faults: { hungWorkers: 1, kills: 1 },
    breaks: NEVER,
  },
];
