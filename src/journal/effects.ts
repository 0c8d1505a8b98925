/**
 * What a machine asks for, as data: the same from a machine that runs and from one that is replayed.
 */
import type { Effect } from './entry.js';
import { isChildMachine } from './machines.js';

/** An action as XState has it, in an inspection event and in the result of `transition()`. */
export interface ActionData {
  readonly type: string;
  readonly params?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const idOf = (target: unknown): string =>
  isObject(target) && 'id' in target ? String(target.id) : String(target);

const spawned = ({ id, src, input }: Record<string, unknown>): Effect => {
  const name = typeof src === 'string' ? src : 'a logic without a name';
  const effect = { spawn: String(id), src: name };
  return isChildMachine(name) || input === undefined ? effect : { ...effect, input };
};

/** One action as data; null for the end of a child that does not exist, which asks for nothing. */
export const effectOf = ({ type, params }: ActionData): Effect | null => {
  if (!isObject(params)) return type === 'xstate.stopChild' ? null : { do: type };
  switch (type) {
    case 'xstate.spawnChild':
      return spawned(params);
    case 'xstate.stopChild':
      return { stop: idOf(params) };
    case 'xstate.sendTo':
      return { send: idOf(params.targetId ?? params.to), event: params.event };
    case 'xstate.raise':
      return { do: 'raise', params: params.event };
    default:
      return { do: type, params };
  }
};

/** Several, in their order. */
export const effectsOf = (actions: readonly ActionData[]): readonly Effect[] =>
  actions.flatMap((action) => effectOf(action) ?? []);
