/**
 * A slot in its world, for a walk through everything that can happen to it.
 */
import type { WorkerInput, WorkerMachine } from 'tanist/machines';
import {
  alarmsOf,
  begin,
  covered,
  type Edge,
  type Model,
  type PlainEvent,
  simulatedSettings,
} from 'tanist/testing';
import { YOUNG_DEATHS } from './parking-worker.js';

/** All that the world knows: whether a process was asked for, and whether one lives. */
interface World {
  readonly process: 'none' | 'asked' | 'alive';
}

const PID = 101;
const CHANNEL = 7;
const AT = { atMs: 1_000 };
const WHO = { slot: 1, place: 1, generation: 1 };

const INPUT: WorkerInput = {
  ...WHO,
  settings: simulatedSettings(),
  inheritance: { listeners: [], lifeWrite: 8, fence: null },
  admitted: true,
  retained: true,
};

const ORDERS: readonly PlainEvent[] = [
  { type: 'worker.start' },
  { type: 'worker.drain' },
  { type: 'worker.kill' },
];

const FACTS: Readonly<Record<World['process'], readonly PlainEvent[]>> = {
  none: [],
  asked: [
    { type: 'worker.spawned', ...WHO, pid: PID, startTime: '1', channel: CHANNEL, ...AT },
    { type: 'spawn.failed', ...WHO, code: 'EAGAIN', message: 'no more processes', ...AT },
  ],
  alive: [
    { type: 'takeover.said', channel: CHANNEL, ...AT },
    { type: 'worker.exited', ...WHO, pid: PID, code: 1, signal: null, ...AT },
  ],
};

/** What every slot promises, the parked one included. */
const problems = ({ happening, after }: Edge<WorkerMachine, World, PlainEvent>): readonly string[] => {
  const { state, context } = after.step;
  const isToLeave = happening?.type === 'worker.drain' || happening?.type === 'worker.kill';
  return [
    ...(isToLeave && state !== 'stopped' && !context.leaving ? ['an order to leave is not heard'] : []),
    ...(state === 'parked' && after.world.process !== 'none' ? ['a process lives in a parked slot'] : []),
    ...(state === 'backoff' && context.youngDeaths >= YOUNG_DEATHS
      ? ['a slot waits for the next try, and ought to be parked']
      : []),
  ];
};

const worldAfter = (world: World, { type }: PlainEvent): World => {
  if (type === 'worker.spawned') return { process: 'alive' };
  return type === 'spawn.failed' || type === 'worker.exited' ? { process: 'none' } : world;
};

/** The shipped machine of a slot, or one's own. */
export const slotModel = (machine: WorkerMachine): Model<WorkerMachine, World, PlainEvent> => {
  const marked = covered(machine);
  return {
    covered: marked,
    start: begin(marked.machine, INPUT),
    world: { process: 'none' },
    happenings: (step, { process }) => [
      ...FACTS[process],
      ...alarmsOf(step).map(({ alarm }) => ({ type: 'alarm.fired', alarm, ...AT })),
      ...(step.state.endsWith('examining') ? [{ type: 'evidence.collected', pid: PID, ...AT }] : []),
      ...ORDERS,
    ],
    happen: (world, happening) => ({ world: worldAfter(world, happening), facts: [happening] }),
    react: (world, step) => ({
      world: step.spawned.some(({ src }) => src === 'fork') ? { process: 'asked' } : world,
      facts: [],
    }),
    // Whatever can make a difference; two situations with the same key are one.
    key: ({ state, context }, { process }) =>
      JSON.stringify([
        state,
        process,
        context.leaving,
        context.wanted,
        context.asked,
        context.cause === '',
        Math.min(context.youngDeaths, YOUNG_DEATHS),
      ]),
    isEnd: (state) => state === 'stopped',
    problems,
  };
};
