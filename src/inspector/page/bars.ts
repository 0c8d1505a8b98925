/**
 * The bars of a lane: what somebody was doing, from when to when.
 */
import type { GenerationView, LifeKind, WorkerView } from '../view/picture.js';
import { clock, exitText, span as lengthText } from '../view/words.js';
import { svg } from './element.js';

export const LIFE_WORDS: Readonly<Record<LifeKind, string>> = {
  boot: 'boots',
  ready: 'ready',
  serving: 'serves',
  draining: 'drains',
  killing: 'is killed',
  backoff: 'waits',
  held: 'held back',
};

export const ROW = 22;
const BAR = 16;
/** Of the font of labels, measured. */
export const CHAR_PX = 6.6;

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** What is shown is now. */
  readonly isLive: boolean;
}

export interface Frame extends Window {
  readonly left: number;
  readonly right: number;
  readonly isNarrow: boolean;
}

export const at = ({ fromMs, toMs, left, right }: Frame, ms: number): number =>
  left + ((Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs)) * (right - left);

export const rounded = (value: number): number => Math.round(value * 10) / 10;

interface Bar {
  readonly kind: string;
  readonly words: string;
  readonly tip: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly y: number;
  readonly data?: Readonly<Record<string, string | number>>;
}

export const barOf = (
  frame: Frame,
  { kind, words, tip, fromMs, toMs, y, data = {} }: Bar,
): SVGElement | null => {
  const endMs = toMs ?? frame.toMs;
  if (endMs < frame.fromMs || fromMs > frame.toMs) return null;
  const [x, end] = [at(frame, fromMs), at(frame, endMs)];
  const width = Math.max(3, end - x);
  const needed = words.length * CHAR_PX + 12;
  return svg(
    'g',
    { class: `bar ${kind}${toMs === null ? ' open' : ''}`, ...data },
    svg('title', {}, `${tip}, ${clock(fromMs)} for ${lengthText(endMs - fromMs)}`),
    svg('rect', { x: rounded(x), y: y + (ROW - BAR) / 2, width: rounded(width), height: BAR, rx: 3 }),
    width >= needed ? svg('text', { x: rounded(x + 6), y: y + ROW / 2 + 4 }, words) : null,
  );
};

/** A probation that is over at once is none. */
const LEAST_PROBATION_MS = 100;

/** What happened to a generation before, while, and after it was in charge. */
export const chargeBars = (generation: GenerationView, y: number): readonly Bar[] => {
  const { charge, beganMs, endedMs, fate, pid, probationMs } = generation;
  const data = { 'data-generation': generation.generation };
  const first = charge[0]?.fromMs ?? endedMs;
  const bars: Bar[] = [];
  const isOnProbation = probationMs !== null && (first === null || first - probationMs > LEAST_PROBATION_MS);
  const readyMs = isOnProbation ? probationMs : first;
  if (readyMs === null || readyMs > beganMs)
    bars.push({
      kind: 'begins',
      words: 'gets ready',
      tip: `supervisor ${pid} is not in charge yet`,
      fromMs: beganMs,
      toMs: readyMs,
      y,
      data,
    });
  if (isOnProbation)
    bars.push({
      kind: 'probation',
      words: 'on probation',
      tip: `workers of supervisor ${pid} may serve, and it is not in charge yet`,
      fromMs: probationMs,
      toMs: first,
      y,
      data,
    });
  for (const { fromMs, toMs } of charge)
    bars.push({
      kind: 'charge',
      words: 'in charge',
      tip: `supervisor ${pid} owns the lock`,
      fromMs,
      toMs,
      y,
      data,
    });
  const last = charge.at(-1)?.toMs;
  if (typeof last === 'number' && (endedMs === null || endedMs > last))
    bars.push({
      kind: 'leaves',
      words: 'leaves',
      tip: `supervisor ${pid} lets its workers finish`,
      fromMs: last,
      toMs: endedMs,
      y,
      data,
    });
  if (fate === 'anchor' && endedMs !== null)
    bars.push({
      kind: 'anchor',
      words: 'anchor',
      tip: `process ${pid} stays and owns nothing`,
      fromMs: endedMs,
      toMs: null,
      y,
      data,
    });
  return bars;
};

export const exitsOf = (frame: Frame, worker: WorkerView, y: number): readonly SVGElement[] =>
  worker.exits
    .filter(({ atMs }) => atMs >= frame.fromMs && atMs <= frame.toMs)
    .map((exit) => {
      const x = rounded(at(frame, exit.atMs));
      const middle = y + ROW / 2;
      const before = worker.spans.findLast(({ toMs, fromMs }) => toMs === exit.atMs && fromMs < exit.atMs);
      const isPlanned = before?.kind === 'draining' || before?.kind === 'killing';
      return svg(
        'g',
        { class: `exit${isPlanned ? ' planned' : ''}`, 'data-exit': exit.pid },
        svg('title', {}, `pid ${exit.pid} exited, ${exitText(exit)}, ${clock(exit.atMs)}`),
        svg('circle', { cx: x, cy: middle, r: 5.5 }),
        svg('path', { d: `M${x - 2.5} ${middle - 2.5}l5 5m0 -5l-5 5` }),
      );
    });

export const slotText = ({ slot }: { readonly slot: number }): string =>
  slot === 0 ? 'standby' : `slot ${slot}`;
