/**
 * State texts of the journal (`alive.living.ready`, `a.(b & c.d)`), taken apart.
 */
import type { LifeKind } from './picture.js';

/** Splits `b & c.(d & e)` at its own level. */
const regionsOf = (text: string): readonly string[] => {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    else if (depth === 0 && text.startsWith(' & ', at)) {
      parts.push(text.slice(from, at));
      from = at + 3;
    }
  }
  return [...parts, text.slice(from)];
};

/** Every state that is active, outer ones included, as dotted paths. */
export const activePaths = (state: string, prefix = ''): readonly string[] => {
  if (state === '') return [];
  if (state.startsWith('(') && state.endsWith(')'))
    return [...new Set(regionsOf(state.slice(1, -1)).flatMap((region) => activePaths(region, prefix)))];
  const dot = state.indexOf('.');
  const name = dot < 0 ? state : state.slice(0, dot);
  const path = prefix === '' ? name : `${prefix}.${name}`;
  return dot < 0 ? [path] : [path, ...activePaths(state.slice(dot + 1), path)];
};

/** Prefixes of a worker's state, the longest first that could match. */
const LIFE: readonly (readonly [string, LifeKind])[] = [
  ['alive.living.ready.serving', 'serving'],
  ['alive.living.ready', 'ready'],
  ['alive.living.draining', 'draining'],
  ['alive.living.killing', 'killing'],
  ['alive', 'boot'],
  ['backoff', 'backoff'],
  ['held', 'held'],
];

/** What a worker's machine does in a state; null for an empty slot. */
export const lifeOf = (state: string): LifeKind | null =>
  LIFE.find(([prefix]) => state === prefix || state.startsWith(`${prefix}.`))?.[1] ?? null;
