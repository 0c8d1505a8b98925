/**
 * The arrows of a chart: transitions that leave a state, joined where they say the same kind of thing.
 */
import { ALWAYS, everyState, type State, type Way } from './chart.js';

/** What makes a transition happen: the colour of its arrow. */
export type Kind = 'initial' | 'at-once' | 'request' | 'fact' | 'alarm' | 'failure';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: Kind;
  /** A line for each event, its guard in brackets. */
  readonly lines: readonly string[];
}

/** Somebody outside asks, or the machine above orders: an imperative. */
const REQUEST = /\.(requested|received|relayed|start|admit|retain|drain|kill|abort|join|stop)$/;
/** Something did not go as it should. */
const FAILURE =
  /\.(failed|refused|rejected|exited|ended|departed|lost|gone|held|overflowed|unspawned|silent|withheld|exceeded)$/;

export const kindOf = (event: string): Kind => {
  if (event === ALWAYS) return 'at-once';
  if (event === 'alarm.fired') return 'alarm';
  if (FAILURE.test(event)) return 'failure';
  return REQUEST.test(event) ? 'request' : 'fact';
};

/** `isAlarm: drain` on an alarm says the event and its guard twice. */
const lineOf = ({ event, guard }: Way): string => {
  const alarm = /^isAlarm: (.*)$/.exec(guard)?.[1];
  if (alarm !== undefined) return `alarm: ${alarm}`;
  const name = event === ALWAYS ? 'at once' : event;
  return guard === '' ? name : `${name} [${guard}]`;
};

/** Facts that change nothing but what is known are named in the table: as arrows they would hide the others. */
const arrowsFrom = (state: State): readonly Arrow[] => {
  const joined = new Map<string, Arrow>();
  for (const way of state.ways) {
    if (way.target === null) continue;
    const kind = kindOf(way.event);
    const key = `${way.target} ${kind}`;
    const lines = [...(joined.get(key)?.lines ?? []), lineOf(way)];
    joined.set(key, { from: state.path, to: way.target, kind, lines: [...new Set(lines)] });
  }
  return [...joined.values()];
};

/** All arrows, in the order of the config. Those of the machine itself start at the empty path: in any state. */
export const arrowsOf = (chart: State): readonly Arrow[] => everyState(chart).flatMap(arrowsFrom);

/** Whether some arrow starts in any state. */
export const startsAnywhere = (chart: State): boolean => arrowsOf(chart).some(({ from }) => from === '');
