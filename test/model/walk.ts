/**
 * Walks every edge of one machine in a small world, breadth first, and checks what must never be false.
 *
 * A state of the walk is the machine and its world: which process lives, which answer is still owed, what the
 * other side has said. The world decides which facts are possible, so that no walk is lost in nonsense.
 */
import type { AnyActorLogic, AnyStateMachine, EventFromLogic } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import type { Covered } from './coverage.js';
import { after, type PlainEvent, type Step, together } from './drive.js';

export interface Outcome<World> {
  readonly world: World;
  /** Facts that reach the machine because of what happened, in this order. */
  readonly facts: readonly PlainEvent[];
}

export interface Model<Machine extends AnyStateMachine, World, Happening extends PlainEvent> {
  readonly covered: Covered<Machine>;
  readonly start: Step<Machine>;
  readonly world: World;
  /** What can happen now. */
  readonly happenings: (step: Step<Machine>, world: World) => readonly Happening[];
  /** What happens to the world, and which facts it states to the machine. */
  readonly happen: (world: World, happening: Happening) => Outcome<World>;
  /** What the machine's effects do to the world; facts that follow at once are delivered in order. */
  readonly react: (world: World, step: Step<Machine>, fact: PlainEvent | null) => Outcome<World>;
  /** All that can make a difference, without times and counts. */
  readonly key: (step: Step<Machine>, world: World) => string;
  /** What is wrong with this edge; an empty list is right. `before` is null for the first state. */
  readonly problems: (edge: Edge<Machine, World, Happening>) => readonly string[];
}

export interface Edge<Machine extends AnyStateMachine, World, Happening> {
  readonly before: Place<Machine, World> | null;
  readonly happening: Happening | null;
  /** Its `step` holds the effects of the whole edge. */
  readonly after: Place<Machine, World>;
}

export interface Place<Machine extends AnyStateMachine, World> {
  readonly step: Step<Machine>;
  readonly world: World;
  /** What an actor would have died of. */
  readonly error: string | null;
}

export interface Walked {
  readonly states: number;
  readonly edges: number;
  /** Dotted leaves that were seen. */
  readonly leaves: ReadonlySet<string>;
}

const MAX_FACTS = 50;
/** A world that grows without end is a mistake in the model. */
const MAX_EDGES = 120_000;

const settle = <Machine extends AnyStateMachine, World, Happening extends PlainEvent>(
  model: Model<Machine, World, Happening>,
  from: Step<Machine>,
  outcome: Outcome<World>,
): Place<Machine, World> => {
  const steps: Step<Machine>[] = [];
  let { world } = outcome;
  const queue = [...outcome.facts];
  let step = from;
  for (let count = 0; queue.length > 0; count += 1) {
    if (count > MAX_FACTS) throw new Error('the machine and its world answer each other for ever');
    const fact = queue.shift() as PlainEvent;
    if ((step.snapshot as { status: string }).status !== 'active') break;
    step = after(model.covered.machine, step, fact as EventFromLogic<Machine>);
    model.covered.note(step.actions);
    steps.push(step);
    const reaction = model.react(world, step, fact);
    world = reaction.world;
    queue.push(...reaction.facts);
  }
  const nothing = { ...from, orders: [], spawned: [], stopped: [], reports: [], actions: [] };
  const [first, ...others] = steps;
  return {
    step: first === undefined ? nothing : together([first, ...others]),
    world,
    error: null,
  };
};

/** @throws an Error that names everything that is wrong, and the shortest way to it. */
export const walk = <Machine extends AnyStateMachine, World, Happening extends PlainEvent>(
  model: Model<Machine, World, Happening>,
): Walked => {
  type Here = Place<Machine, World>;
  model.covered.note(model.start.actions);
  const first = model.react(model.world, model.start, null);
  const origin: Here = { step: model.start, world: first.world, error: null };
  const start = first.facts.length === 0 ? origin : settle(model, model.start, first);
  // Snapshots hold their children, and those much more: equal places share one.
  const places = new Map<string, Here>();
  const shared = (here: Here): Here => {
    const key = model.key(here.step, here.world);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, here);
      return here;
    }
    const { snapshot, context } = place.step;
    return { ...here, world: place.world, step: { ...here.step, snapshot, context } };
  };
  const logic = {
    transition: (here: Here, happening: Happening): Here => {
      try {
        return shared(settle(model, here.step, model.happen(here.world, happening)));
      } catch (error) {
        return { ...here, error: error instanceof Error ? error.message : String(error) };
      }
    },
    getInitialSnapshot: () => start,
    getPersistedSnapshot: (here: Here) => here,
  } as unknown as AnyActorLogic;
  const isOver = ({ step, error }: Here) =>
    error !== null || (step.snapshot as { status: string }).status !== 'active';
  const options = {
    fromState: start as never,
    events: (here: Here) => (isOver(here) ? [] : model.happenings(here.step, here.world)),
    limit: MAX_EDGES,
    serializeState: (here: Here) => here.error ?? model.key(here.step, here.world),
  } as never;
  const map = getAdjacencyMap(logic, options) as unknown as Readonly<
    Record<string, { state: Here; transitions: Readonly<Record<string, { event: Happening; state: Here }>> }>
  >;

  const describe = (
    problem: string,
    before: Here | null,
    happening: Happening | null,
    here: Here,
  ): string => {
    const goal = before === null ? '' : model.key(before.step, before.world);
    const [path] =
      before === null
        ? []
        : getShortestPaths(logic, {
            ...(options as object),
            toState: (candidate: Here) => model.key(candidate.step, candidate.world) === goal,
          } as never);
    const way = (path?.steps ?? []).map(({ event }) => JSON.stringify(event)).join('\n  ');
    return `${problem}\nin ${before?.step.state ?? '(start)'} → ${here.step.state}\non ${JSON.stringify(happening)}\nafter\n  ${way}`;
  };
  // The first edge of each kind of problem: one report names them all.
  const found = new Map<string, () => string>();
  const check = (before: Here | null, happening: Happening | null, here: Here) => {
    const problems =
      here.error === null
        ? model.problems({ before, happening, after: here })
        : [`the machine dies: ${here.error}`];
    for (const problem of problems) {
      if (!found.has(problem)) found.set(problem, () => describe(problem, before, happening, here));
    }
  };

  check(null, null, start);
  let edges = 0;
  const leaves = new Set<string>();
  for (const { state, transitions } of Object.values(map)) {
    leaves.add(state.step.state);
    for (const { event, state: next } of Object.values(transitions)) {
      edges += 1;
      check(state, event, next);
    }
  }
  if (found.size > 0) throw new Error([...found.values()].map((text) => text()).join('\n\n'));
  return { states: Object.keys(map).length, edges, leaves };
};
