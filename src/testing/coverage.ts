/**
 * Which transitions of a machine were taken: every definition in its config, each guarded branch by itself.
 */
import type { AnyStateMachine } from 'xstate';

/** One transition as it is written in the configuration of a machine. */
export interface Branch {
  /** The id of the state that has it, dotted from the machine's own id on: `worker.alive.spawning`. */
  readonly state: string;
  /** The type of the event; `always` for a transition without one. */
  readonly event: string;
  /** The guard with its parameters, `isAlarm(drain)`; empty for none. */
  readonly guard: string;
  /** The ids of the states it leads to, separated by a space; empty where the state stays. */
  readonly target: string;
  /** Its number among those of the same state and event, from 0. */
  readonly index: number;
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

/** A machine whose transitions are counted. */
export interface Covered<Machine extends AnyStateMachine> {
  /** A copy of the machine whose every transition leaves a mark. It behaves as the original does. */
  readonly machine: Machine;
  /** Every transition there is. */
  readonly branches: readonly Branch[];
  /** Names of all states, the root's included. */
  readonly states: readonly string[];
  /** To be given the actions of every `Step`; `walk` does so by itself. */
  readonly note: (actions: readonly unknown[]) => void;
  /** Those that no step has taken until now. */
  readonly missed: () => readonly Branch[];
}

/** Makes a copy of a machine that counts which of its transitions are taken. The original is left as it is. */
export const covered = <Machine extends AnyStateMachine>(original: Machine): Covered<Machine> => {
  const machine = original.provide({}) as Machine;
  const marks = new Map<unknown, Branch>();
  const taken = new Set<Branch>();
  const nodes = nodesOf(machine.root as unknown as Node);
  for (const node of nodes) {
    const groups = [...node.transitions.values(), ...(node.always === undefined ? [] : [node.always])];
    for (const group of groups) {
      group.forEach((definition, index) => {
        const branch: Branch = {
          state: node.id,
          event: definition.eventType === '' ? 'always' : definition.eventType,
          guard: guardName(definition.guard),
          target: (definition.target ?? []).map(({ id }) => id).join(' '),
          index,
        };
        const mark = () => {
          // Only its presence among the actions counts.
        };
        marks.set(mark, branch);
        definition.actions = [mark, ...definition.actions];
      });
    }
  }
  return {
    machine,
    branches: [...marks.values()],
    states: nodes.map(({ id }) => id),
    note: (actions) => {
      for (const action of actions) {
        const branch = marks.get(action);
        if (branch !== undefined) taken.add(branch);
      }
    },
    missed: () => [...marks.values()].filter((branch) => !taken.has(branch)),
  };
};

/** A transition in one line, for a test that tells which were missed. */
export const branchText = ({ state, event, guard, target, index }: Branch): string =>
  `${state} --${event}#${index}${guard === '' ? '' : ` [${guard}]`}--> ${target === '' ? '(stays)' : target}`;
