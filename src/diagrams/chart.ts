/**
 * A machine's config as plain data: what a diagram and a table need of it.
 */
import type { AnyStateMachine } from 'xstate';

export interface Way {
  readonly event: string;
  /** Guard with its parameters; empty for none. */
  readonly guard: string;
  /** Dotted path of the target; null when the state is not left. */
  readonly target: string | null;
  readonly reenters: boolean;
  readonly actions: readonly string[];
}

export interface State {
  /** Dotted path; empty for the machine itself. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly isFinal: boolean;
  /** Dotted path of the state entered first; null for a leaf. */
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly invokes: readonly string[];
  readonly ways: readonly Way[];
  readonly states: readonly State[];
}

interface Definition {
  readonly eventType: string;
  readonly guard?: unknown;
  readonly target: readonly Node[] | undefined;
  readonly reenter: boolean;
  readonly actions: readonly unknown[];
}

interface Node {
  readonly path: readonly string[];
  readonly key: string;
  readonly description: string | undefined;
  readonly type: string;
  readonly initial: { readonly target: readonly Node[] };
  readonly entry: readonly unknown[];
  readonly invoke: readonly { readonly id: string }[];
  readonly always: readonly Definition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Definition[]>;
  readonly states: Readonly<Record<string, Node>>;
}

/** `always`, in the words of a diagram. */
export const ALWAYS = '(at once)';

const nameOf = (item: unknown): string => {
  if (typeof item === 'string') return item;
  const { type, params } = item as { type: string; params?: Readonly<Record<string, unknown>> };
  return params === undefined ? type : `${type}: ${Object.values(params).join(', ')}`;
};

const pathOf = (node: Node): string => node.path.join('.');

const wayOf = (definition: Definition): Way => {
  const [target] = definition.target ?? [];
  return {
    event: definition.eventType === '' ? ALWAYS : definition.eventType,
    guard: definition.guard === undefined ? '' : nameOf(definition.guard),
    target: target === undefined ? null : pathOf(target),
    reenters: definition.reenter,
    actions: definition.actions.map(nameOf),
  };
};

const stateOf = (node: Node): State => {
  const states = Object.values(node.states).map(stateOf);
  const [initial] = states.length === 0 ? [] : node.initial.target;
  return {
    path: pathOf(node),
    name: node.key,
    description: node.description ?? '',
    isFinal: node.type === 'final',
    initial: initial === undefined ? null : pathOf(initial),
    entry: node.entry.map(nameOf),
    invokes: node.invoke.map(({ id }) => id),
    ways: [...(node.always ?? []), ...[...node.transitions.values()].flat()].map(wayOf),
    states,
  };
};

/** The machine itself is the outermost state. */
export const chartOf = (machine: AnyStateMachine): State => stateOf(machine.root as unknown as Node);

export const leavesOf = (state: State): readonly State[] =>
  state.states.length === 0 ? [state] : state.states.flatMap(leavesOf);

export const everyState = (state: State): readonly State[] => [state, ...state.states.flatMap(everyState)];
