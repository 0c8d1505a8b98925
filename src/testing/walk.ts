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

/** What becomes of the world. */
export interface Outcome<World> {
  /** The world from then on. */
  readonly world: World;
  /** Facts that reach the machine because of what happened, in this order. */
  readonly facts: readonly PlainEvent[];
}

/**
 * A machine in a world: what can happen to both, and what must never be. All of it is pure: nothing is changed in
 * place, and the same arguments give the same answer.
 */
export interface Model<Machine extends AnyStateMachine, World, Happening extends PlainEvent> {
  /** The machine, so that it is counted which of its transitions the walk has taken. */
  readonly covered: Covered<Machine>;
  /** The machine after its start: `begin(covered.machine, input)`. */
  readonly start: Step<Machine>;
  /** The world before the start. */
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

/** One step of a walk: something happened, and the machine and its world have answered it. */
export interface Edge<Machine extends AnyStateMachine, World, Happening> {
  /** Where it happened; null for the start. */
  readonly before: Situation<Machine, World> | null;
  /** What happened; null for the start. */
  readonly happening: Happening | null;
  /** Its `step` holds the effects of the whole edge. */
  readonly after: Situation<Machine, World>;
}

/** A state of a walk: the machine and its world. */
export interface Situation<Machine extends AnyStateMachine, World> {
  /** The machine, and what it did last. */
  readonly step: Step<Machine>;
  /** What the model knows of everything else. */
  readonly world: World;
  /** What was wrong on the way here; the last place, too, where an actor would have died. */
  readonly problems: readonly string[];
}

/** What a walk has seen. */
export interface Walked {
  /** Different situations, by the model's key. */
  readonly states: number;
  /** Steps between them, each of which was checked. */
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
): Situation<Machine, World> => {
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

/**
 * Walks a machine through everything that can happen in its world, with `xstate/graph`, and checks each step.
 *
 * It ends when every situation is known; two with the same key are one. At most 120,000 steps are taken: a world that
 * grows without end is a mistake in the model.
 *
 * @throws {Error} that names each kind of problem once, with the state, the event and the shortest way to it; also
 *   where no end can be reached any more, and where the machine itself throws.
 */
export const walk = <Machine extends AnyStateMachine, World, Happening extends PlainEvent>(
  model: Model<Machine, World, Happening>,
): Walked => {
  type Here = Situation<Machine, World>;
  model.covered.note(model.start.actions);
  const first = model.react(model.world, model.start, null);
  const origin: Here = { step: model.start, world: first.world, problems: [] };
  const begun = first.facts.length === 0 ? origin : settle(model, model.start, first);
  const start = { ...begun, problems: model.problems({ before: null, happening: null, after: begun }) };
  // A situation is asked for its key by whoever compares it.
  const keys = new WeakMap<Here, string>();
  const keyOf = (here: Here): string => {
    const known = keys.get(here);
    if (known !== undefined) return known;
    const key = model.key(here.step, here.world);
    keys.set(here, key);
    return key;
  };
  // Snapshots hold their children, and those much more: equal places are one, but for what is wrong.
  const places = new Map<string, Here>();
  const shared = (here: Here, problems: readonly string[]): Here => {
    const key = keyOf(here);
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
    serializeState: keyOf,
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
    const goal = before === null ? '' : keyOf(before);
    const [path] =
      before === null
        ? []
        : getShortestPaths(logic, {
            ...(options as object),
            toState: (candidate: Here) => keyOf(candidate) === goal,
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
      targets.map(({ state: next }) => keyOf(next)),
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
