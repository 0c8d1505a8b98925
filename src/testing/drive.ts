/**
 * Runs one machine on plain events: no actor, no clock, and every effect comes back as data.
 */
import {
  type AnyActorLogic,
  type AnyStateMachine,
  type ContextFrom,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import type { AlarmInput } from '../../machines/contracts.js';

/** An event that carries whatever it carries. */
export type PlainEvent = {
  /** Which event it is. */
  readonly type: string;
} & Readonly<Record<string, unknown>>;

/** An event that the machine sent to one of its children. */
export interface Order {
  /** The id of the child. */
  readonly to: string;
  /** What was sent. */
  readonly event: PlainEvent;
}

/** An effect or a machine that was started. */
export interface Spawn {
  /** The id of the child. */
  readonly id: string;
  /** Key of the effect or machine. */
  readonly src: string;
  /** What it was started with, for example a `ForkInput`. */
  readonly input: unknown;
}

/** Where a machine is, and what it did to get there. */
export interface Step<Machine extends AnyStateMachine> {
  /** As XState has it. */
  readonly snapshot: SnapshotFrom<Machine>;
  /** The active leaf, dotted: `alive.living.booting.starting`. No machine here has parallel states. */
  readonly state: string;
  /** What the machine knows now. */
  readonly context: ContextFrom<Machine>;
  /** What it sent to its children, in order. */
  readonly orders: readonly Order[];
  /** Effects and machines that it started. */
  readonly spawned: readonly Spawn[];
  /** Ids of the children that it stopped. */
  readonly stopped: readonly string[];
  /** What was told to the parent. */
  readonly reports: readonly PlainEvent[];
  /** Names of the custom actions, in order. */
  readonly actions: readonly unknown[];
}

interface Executable {
  readonly type: string;
  readonly info: object;
  readonly params: unknown;
  readonly exec: ((info: object, params: unknown) => void) | undefined;
}

interface SendParams {
  readonly to: { readonly id: string };
  readonly event: PlainEvent;
}

const leafOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const [[key, inner] = ['', '']] = Object.entries(value as object);
  return `${key}.${leafOf(inner)}`;
};

const collect = <Machine extends AnyStateMachine>(
  snapshot: SnapshotFrom<Machine>,
  executables: readonly Executable[],
): Step<Machine> => {
  const orders: Order[] = [];
  const spawned: Spawn[] = [];
  const stopped: string[] = [];
  const reports: PlainEvent[] = [];
  const actions: unknown[] = [];
  // Reports are ordinary functions that send to the parent: they are given one that writes down.
  const self = { _parent: { send: (event: PlainEvent) => reports.push(event) } };
  for (const { type, info, params, exec } of executables) {
    if (type === 'xstate.sendTo') {
      const { to, event } = params as SendParams;
      orders.push({ to: to.id, event });
    } else if (type === 'xstate.spawnChild') {
      const { id, src, input } = params as Spawn;
      spawned.push({ id, src, input });
    } else if (type === 'xstate.stopChild') {
      if (params !== undefined) stopped.push((params as { id: string }).id);
    } else if (!type.startsWith('xstate.')) {
      actions.push(exec ?? type);
      exec?.({ ...info, self }, params);
    }
  }
  return {
    snapshot,
    state: leafOf((snapshot as { value: unknown }).value),
    context: (snapshot as { context: ContextFrom<Machine> }).context,
    orders,
    spawned,
    stopped,
    reports,
    actions,
  };
};

/** Starts a machine, as a pure function: nothing of what it asks for is carried out. */
export const begin = <Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Step<Machine> => {
  const [snapshot, actions] = initialTransition<AnyStateMachine>(machine, input);
  return collect<Machine>(snapshot as SnapshotFrom<Machine>, actions as unknown as Executable[]);
};

/**
 * The machine as plain logic. For every transition XState makes an actor of the logic to stand for the machine
 * itself, and starts it without input: with the machine that costs more than the transition.
 */
const inert = (machine: AnyStateMachine): AnyActorLogic => ({
  transition: (snapshot, event, scope) => machine.transition(snapshot, event, scope),
  getInitialSnapshot: () => ({ status: 'active' }) as never,
  getPersistedSnapshot: (snapshot) => snapshot,
});

/**
 * Gives a machine one more event, as a pure function.
 *
 * @throws whatever an actor of the machine would die of, such as an error of one of its guards.
 */
export const after = <Machine extends AnyStateMachine>(
  machine: Machine,
  step: Step<Machine>,
  event: EventFromLogic<Machine>,
): Step<Machine> => {
  const [snapshot, actions] = transition<AnyActorLogic>(inert(machine), step.snapshot, event);
  return collect<Machine>(snapshot as SnapshotFrom<Machine>, actions as unknown as Executable[]);
};

/** Effects of several steps, as if they were one; the place is that of the last. */
export const together = <Machine extends AnyStateMachine>(
  steps: readonly [Step<Machine>, ...Step<Machine>[]],
): Step<Machine> => {
  const last = steps[steps.length - 1] ?? steps[0];
  return {
    ...last,
    orders: steps.flatMap((step) => step.orders),
    spawned: steps.flatMap((step) => step.spawned),
    stopped: steps.flatMap((step) => step.stopped),
    reports: steps.flatMap((step) => step.reports),
    actions: steps.flatMap((step) => step.actions),
  };
};

/** A machine that is driven by hand in a unit test. */
export const drive = <Machine extends AnyStateMachine>(machine: Machine, input: InputFrom<Machine>) => {
  let step = begin(machine, input);
  return {
    get now(): Step<Machine> {
      return step;
    },
    /** Sends events one after another; the effects of all of them are in the answer. */
    send(...events: readonly [EventFromLogic<Machine>, ...EventFromLogic<Machine>[]]): Step<Machine> {
      const steps = events.map((event) => {
        step = after(machine, step, event);
        return step;
      });
      return together(steps as [Step<Machine>, ...Step<Machine>[]]);
    },
  };
};

/** An effect or a machine that runs. */
export type LiveChild = Spawn;

interface ChildRef {
  readonly src: unknown;
  getSnapshot(): { readonly input?: unknown };
}

/** Snapshots do not change, and a walk asks each of them for its children several times. */
const remembered = <Answer>(find: (snapshot: object) => Answer) => {
  const known = new WeakMap<object, Answer>();
  return ({ snapshot }: { readonly snapshot: unknown }): Answer => {
    const key = snapshot as object;
    const answer = known.get(key);
    if (answer !== undefined) return answer;
    const found = find(key);
    known.set(key, found);
    return found;
  };
};

/** The children that exist now. */
export const childrenOf: (step: { readonly snapshot: unknown }) => readonly LiveChild[] = remembered(
  (snapshot) => {
    const { children } = snapshot as { children: Readonly<Record<string, ChildRef | undefined>> };
    const live: LiveChild[] = [];
    for (const id in children) {
      const ref = children[id];
      if (ref !== undefined) live.push({ id, src: String(ref.src), input: ref.getSnapshot().input });
    }
    return live;
  },
);

/** The alarms that are armed now. */
export const alarmsOf: (step: { readonly snapshot: unknown }) => readonly AlarmInput[] = remembered(
  (snapshot) =>
    childrenOf({ snapshot })
      .filter(({ src }) => src === 'alarm')
      .map(({ input }) => input as AlarmInput),
);

/** Events that were sent to one child. */
export const sentTo = (step: { readonly orders: readonly Order[] }, id: string): readonly PlainEvent[] =>
  step.orders.filter(({ to }) => to === id).map(({ event }) => event);

/** The words that were said to the other generation. */
export const saidTo = (step: { readonly orders: readonly Order[] }, id: string): readonly string[] =>
  sentTo(step, id).flatMap((event) =>
    event.type === 'link.say' ? [(event.message as { readonly say: string }).say] : [],
  );

export const typesOf = (events: readonly { readonly type: string }[]): readonly string[] =>
  events.map(({ type }) => type);
