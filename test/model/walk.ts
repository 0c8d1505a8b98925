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
  /** Where everything comes to an end sooner or later: it must be reachable from everywhere. */
  readonly isEnd: (state: string) => boolean;
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
  /** What was wrong on the way here; the last place, too, where an actor would have died. */
  readonly problems: readonly string[];
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
    problems: [],
  };
};

/** Keys of the states from which no end can be reached. */
const trapped = (
  edges: ReadonlyMap<string, readonly string[]>,
  ends: readonly string[],
): readonly string[] => {
  const sources = new Map<string, string[]>();
  for (const [from, targets] of edges) {
    for (const to of targets) {
      const known = sources.get(to);
      if (known === undefined) sources.set(to, [from]);
      else known.push(from);
    }
  }
  const saved = new Set(ends);
  const queue = [...ends];
  for (let to = queue.pop(); to !== undefined; to = queue.pop()) {
    for (const from of sources.get(to) ?? []) {
      if (saved.has(from)) continue;
      saved.add(from);
      queue.push(from);
    }
  }
  return [...edges.keys()].filter((key) => !saved.has(key));
};

/** @throws an Error that names everything that is wrong, and the shortest way to it. */
export const walk = <Machine extends AnyStateMachine, World, Happening extends PlainEvent>(
  model: Model<Machine, World, Happening>,
): Walked => {
  type Here = Place<Machine, World>;
  model.covered.note(model.start.actions);
  const first = model.react(model.world, model.start, null);
  const origin: Here = { step: model.start, world: first.world, problems: [] };
  const begun = first.facts.length === 0 ? origin : settle(model, model.start, first);
  const start = { ...begun, problems: model.problems({ before: null, happening: null, after: begun }) };
  // Snapshots hold their children, and those much more: equal places are one, but for what is wrong.
  const places = new Map<string, Here>();
  const shared = (here: Here, problems: readonly string[]): Here => {
    const key = model.key(here.step, here.world);
    const place = places.get(key);
    if (place === undefined) places.set(key, here);
    return problems.length === 0 ? (place ?? here) : { ...here, problems };
  };
  const logic = {
    transition: (before: Here, happening: Happening): Here => {
      try {
        const after = settle(model, before.step, model.happen(before.world, happening));
        return shared(after, model.problems({ before, happening, after }));
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        return { ...before, problems: [`the machine dies: ${words}`] };
      }
    },
    getInitialSnapshot: () => start,
    getPersistedSnapshot: (here: Here) => here,
  } as unknown as AnyActorLogic;
  const isOver = ({ step }: Here) => (step.snapshot as { status: string }).status !== 'active';
  const options = {
    fromState: start as never,
    events: (here: Here) => (isOver(here) ? [] : model.happenings(here.step, here.world)),
    limit: MAX_EDGES,
    serializeState: (here: Here) => model.key(here.step, here.world),
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
    for (const problem of here.problems) {
      if (!found.has(problem)) found.set(problem, () => describe(problem, before, happening, here));
    }
  };

  check(null, null, start);
  let edges = 0;
  const leaves = new Set<string>();
  const ways = new Map<string, readonly string[]>();
  const ends: string[] = [];
  for (const [key, { state, transitions }] of Object.entries(map)) {
    leaves.add(state.step.state);
    if (model.isEnd(state.step.state)) ends.push(key);
    const targets = Object.values(transitions);
    ways.set(
      key,
      targets.map(({ state: next }) => model.key(next.step, next.world)),
    );
    for (const { event, state: next } of targets) {
      edges += 1;
      check(state, event, next);
    }
  }
  const [stuck] = trapped(ways, ends);
  const place = stuck === undefined ? undefined : map[stuck]?.state;
  if (place !== undefined)
    found.set('', () => describe('nothing leads from here to an end', place, null, place));
  if (found.size > 0) throw new Error([...found.values()].map((text) => text()).join('\n\n'));
  return { states: Object.keys(map).length, edges, leaves };
};
