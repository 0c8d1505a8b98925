/**
 * Which transitions of a machine were taken: every definition in its config, each guarded branch by itself.
 */
import type { AnyStateMachine } from 'xstate';

export interface Place {
  readonly state: string;
  readonly event: string;
  readonly guard: string;
  readonly target: string;
  /** The definition's place among those of the same state and event. */
  readonly branch: number;
}

interface Definition {
  actions: readonly unknown[];
  readonly guard?: unknown;
  readonly eventType: string;
  readonly target: readonly { readonly id: string }[] | undefined;
}

interface Node {
  readonly id: string;
  readonly always?: readonly Definition[];
  readonly transitions: ReadonlyMap<string, readonly Definition[]>;
  readonly states: Readonly<Record<string, Node>>;
}

export const guardName = (guard: unknown): string => {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return guard;
  const { type, params } = guard as { type: string; params?: Readonly<Record<string, unknown>> };
  return params === undefined ? type : `${type}(${Object.values(params).join(', ')})`;
};

const nodesOf = (node: Node): readonly Node[] => [node, ...Object.values(node.states).flatMap(nodesOf)];

export interface Covered<Machine extends AnyStateMachine> {
  /** A copy of the machine whose every transition leaves a mark. It behaves as the original does. */
  readonly machine: Machine;
  readonly places: readonly Place[];
  /** Names of all states, the root's included. */
  readonly states: readonly string[];
  /** To be given the actions of every step. */
  readonly note: (actions: readonly unknown[]) => void;
  readonly missed: () => readonly Place[];
}

export const covered = <Machine extends AnyStateMachine>(original: Machine): Covered<Machine> => {
  const machine = original.provide({}) as Machine;
  const marks = new Map<unknown, Place>();
  const taken = new Set<Place>();
  const nodes = nodesOf(machine.root as unknown as Node);
  for (const node of nodes) {
    const groups = [...node.transitions.values(), ...(node.always === undefined ? [] : [node.always])];
    for (const group of groups) {
      group.forEach((definition, branch) => {
        const place: Place = {
          state: node.id,
          event: definition.eventType === '' ? 'always' : definition.eventType,
          guard: guardName(definition.guard),
          target: (definition.target ?? []).map(({ id }) => id).join(' '),
          branch,
        };
        const mark = () => {
          // Only its presence among the actions counts.
        };
        marks.set(mark, place);
        definition.actions = [mark, ...definition.actions];
      });
    }
  }
  return {
    machine,
    places: [...marks.values()],
    states: nodes.map(({ id }) => id),
    note: (actions) => {
      for (const action of actions) {
        const place = marks.get(action);
        if (place !== undefined) taken.add(place);
      }
    },
    missed: () => [...marks.values()].filter((place) => !taken.has(place)),
  };
};

export const placeText = ({ state, event, guard, target, branch }: Place): string =>
  `${state} --${event}#${branch}${guard === '' ? '' : ` [${guard}]`}--> ${target === '' ? '(stays)' : target}`;
