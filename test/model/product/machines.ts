/**
 * The shipped machines as tables, with what can still matter of what they know.
 *
 * Left out of the keys is what no guard and no order depends on: times, texts, identities, ids of requests, counts
 * of respawns. A stop that was asked for more often than twice is one that was asked for twice.
 */
import { fromCallback } from 'xstate';
import type { Handoff, Readiness } from '../../../machines/policy.js';
import { reloadMachine } from '../../../machines/reload.js';
import { type SupervisorInput, supervisorMachine } from '../../../machines/supervisor.js';
import { takeoverMachine } from '../../../machines/takeover.js';
import { workerMachine } from '../../../machines/worker.js';
import { alarmsOf, type Step } from '../../../src/testing/drive.js';
import { settingsWith } from '../settings.js';
import { type Automaton, automaton } from './automaton.js';
import { PREDECESSOR, SOMEBODY, SUCCESSOR } from './facts.js';

export interface Shipped {
  readonly supervisor: typeof supervisorMachine;
  readonly worker: typeof workerMachine;
  readonly reload: typeof reloadMachine;
  readonly takeover: typeof takeoverMachine;
}

export const SHIPPED: Shipped = {
  supervisor: supervisorMachine,
  worker: workerMachine,
  reload: reloadMachine,
  takeover: takeoverMachine,
};

export interface Service {
  readonly handoff: Handoff;
  readonly workers: number;
  /** Milliseconds; only whether it is 0 matters. */
  readonly probationMs: number;
  /** The first process stays. */
  readonly anchor: boolean;
  readonly ready: Readiness;
}

export interface Machines {
  readonly supervisor: Automaton<typeof supervisorMachine>;
  readonly worker: Automaton<typeof workerMachine>;
  readonly reload: Automaton<typeof reloadMachine>;
  readonly takeover: Automaton<typeof takeoverMachine>;
  /** The machine of supervisors, with nobody in it: its children are played by the others here. */
  readonly childless: typeof supervisorMachine;
}

const armed = (step: { readonly snapshot: unknown }): string =>
  alarmsOf(step)
    .map(({ alarm }) => alarm)
    .join('+');

const MOST = 2;

const supervisorKey = ({ state, context, snapshot }: Step<typeof supervisorMachine>): string => {
  const { stops, stopsHere, stopsThere, slots, lastReload, failure } = context;
  return [
    state,
    armed({ snapshot }),
    ...[stops, stopsHere, stopsThere].map((count) => Math.min(count, MOST)),
    context.link,
    context.inCharge,
    context.promoted,
    context.retiring,
    context.everReady,
    context.predecessorDead,
    context.handover === null,
    context.anchor === null,
    context.anchorDescriptor === null,
    context.opened,
    context.leftovers.length,
    context.reload === null,
    context.deferredReload === null,
    lastReload?.outcome,
    failure?.code,
    ...slots.map(({ state: filled, pid }) => `${filled} ${pid === null}`),
  ].join();
};

const workerKey = ({ state, context }: Step<typeof workerMachine>): string => {
  const { admitted, retained, leaving, wanted, asked, lateness } = context;
  return [state, admitted, retained, leaving, wanted, asked, lateness !== null].join();
};

const reloadKey = ({ state, context }: Step<typeof reloadMachine>): string => {
  const { served, committed, departed, killed, stopping, successor, failure, workers } = context;
  const facts = [served, committed, departed, killed, stopping, successor !== null, failure?.reason];
  return [state, ...facts, workers.length].join();
};

const takeoverKey = ({ state, context }: Step<typeof takeoverMachine>): string => {
  const { ready, decided, dead, departed, stopping, failure } = context;
  return [state, ready, decided, dead, departed, stopping, failure?.reason].join();
};

const childless = (machine: typeof supervisorMachine): typeof supervisorMachine => {
  const nothing = fromCallback(() => undefined) as never;
  return machine.provide({ actors: { worker: nothing, reloadMachine: nothing, takeoverMachine: nothing } });
};

export const machinesOf = (shipped: Shipped): Machines => {
  const empty = childless(shipped.supervisor);
  return {
    supervisor: automaton(empty, supervisorKey),
    worker: automaton(shipped.worker, workerKey),
    reload: automaton(shipped.reload, reloadKey),
    takeover: automaton(shipped.takeover, takeoverKey),
    childless: empty,
  };
};

const common = ({ handoff, workers, probationMs, anchor, ready }: Service) => ({
  settings: settingsWith({ handoff, workers, probationMs, anchor, ready, respawn: 'fixed' as const }),
  version: '0.0.0',
  startedAtMs: 1,
  hangupStops: false,
});

export const inputOfFirst = (service: Service): SupervisorInput => ({
  ...common(service),
  self: PREDECESSOR,
  handover: null,
});

export const inputOfSuccessor = (service: Service): SupervisorInput => ({
  ...common(service),
  self: SUCCESSOR,
  handover: {
    messages: 3,
    record: {
      version: 1,
      tanist: '0.0.0',
      name: 'daemon',
      pidFile: '/run/daemon.pid',
      handoff: service.handoff,
      generation: 2,
      predecessor: PREDECESSOR,
      workers: [SOMEBODY],
      requestedAtMs: 1,
      ids: [],
      hangupStops: false,
      descriptors: {
        lock: 4,
        token: 5,
        lifeWrite: 6,
        lifeRead: 7,
        peerRead: 8,
        fence: service.handoff === 'exclusive' ? 9 : null,
        ...(service.anchor ? { anchor: 10 } : {}),
      },
      listeners: [],
    },
  },
});
