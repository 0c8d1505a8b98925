/**
 * Which arrow of a diagram a machine went along: from what is recorded, and the words on the arrows.
 */
import { activePaths } from './states.js';

/** A change of state, as recorded. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** As the diagrams write it: the type, or `alarm: name`. */
  readonly event: string;
  readonly atMs: number;
}

export const eventText = (event: { readonly type: string; readonly alarm?: unknown }): string =>
  event.type === 'alarm.fired' ? `alarm: ${String(event.alarm)}` : event.type;

interface Arrow {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

const AT_ONCE = 'at once';

/** One edge of `data-edge`: `from event [guard] to`; an empty `from` is any state. */
const arrowOf = (text: string): Arrow => {
  const first = text.indexOf(' ');
  const last = text.lastIndexOf(' ');
  const event = text.slice(first + 1, last).replace(/ \[.*$/, '');
  return { from: text.slice(0, first), event, to: text.slice(last + 1) };
};

const depth = (path: string): number => (path === '' ? 0 : path.split('.').length);

/**
 * The arrows that were taken: the innermost that fit, and those that were gone along at once behind it.
 *
 * @param drawn values of `data-edge`, several edges in one separated by `; `.
 * @returns those of them that fit.
 */
export const arrowsTaken = (drawn: readonly string[], edge: Edge): readonly string[] => {
  const [before, after] = [activePaths(edge.from), activePaths(edge.to)];
  const all = drawn.flatMap((text) => text.split('; ').map((one) => ({ text, ...arrowOf(one) })));
  const fitting = all.filter(
    ({ from, event }) => event === edge.event && (from === '' || before.includes(from)),
  );
  const ends = fitting.filter(({ to }) => after.includes(to));
  const candidates = ends.length > 0 ? ends : fitting;
  const innermost = Math.max(...candidates.map(({ from }) => depth(from)));
  const taken = candidates.filter(({ from }) => depth(from) === innermost);
  const behind = all.filter(
    ({ from, event, to }) =>
      event === AT_ONCE &&
      after.includes(to) &&
      taken.some((one) => one.to === from && !after.includes(from)),
  );
  return [...new Set([...taken, ...behind].map(({ text }) => text))];
};
