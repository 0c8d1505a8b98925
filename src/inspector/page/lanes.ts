/**
 * The generations beside each other on one axis of time: who is in charge, and the life of every worker.
 */
import { workersOf } from '../view/fold.js';
import { type GenerationView, generationsOf, type Picture, type WorkerView } from '../view/picture.js';
import { clock } from '../view/words.js';
import {
  at,
  barOf,
  CHAR_PX,
  chargeBars,
  exitsOf,
  type Frame,
  LIFE_WORDS,
  ROW,
  rounded,
  slotText,
  type Window,
} from './bars.js';
import { html, svg } from './element.js';

const LEGEND: readonly (readonly [string, string])[] = [
  ['charge', 'in charge'],
  ['boot', 'boots'],
  ['ready', 'ready'],
  ['serving', 'serves'],
  ['draining', 'drains'],
  ['killing', 'is killed'],
  ['backoff', 'waits'],
];

const [AXIS, GAP] = [40, 12];
const MOST_WORKERS = 24;
const TICKS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400].map(
  (seconds) => seconds * 1_000,
);

const axisOf = (frame: Frame, height: number): readonly SVGElement[] => {
  const most = Math.max(2, Math.floor((frame.right - frame.left) / 90));
  const step = TICKS_MS.find((ms) => (frame.toMs - frame.fromMs) / ms <= most) ?? frame.toMs - frame.fromMs;
  const ticks: SVGElement[] = [];
  for (let ms = Math.ceil(frame.fromMs / step) * step; ms <= frame.toMs; ms += step) {
    const x = rounded(at(frame, ms));
    ticks.push(svg('line', { class: 'tick', x1: x, x2: x, y1: AXIS - 6, y2: height }));
    if (x < frame.right - 24)
      ticks.push(svg('text', { class: 'tick-text', x: x + 4, y: AXIS - 10 }, clock(ms, false)));
  }
  return ticks;
};

const workerRow = (
  frame: Frame,
  generation: GenerationView,
  worker: WorkerView,
  y: number,
): readonly (SVGElement | null)[] => {
  const name = worker.isHearsay ? `pid ${worker.actor.slice(4)}` : slotText(worker);
  const label = svg('text', { class: 'slot', x: frame.isNarrow ? 8 : 24, y: y + ROW / 2 + 4 }, name);
  const bars = worker.spans.map((one) =>
    barOf(frame, {
      kind: one.kind,
      // A row is that of a machine, and a standby that takes a slot gives its place to the next one.
      words: one.slot === worker.slot ? LIFE_WORDS[one.kind] : `${LIFE_WORDS[one.kind]} as ${slotText(one)}`,
      tip: `${worker.isHearsay ? name : slotText(one)}: ${one.pid === null ? 'no process' : `pid ${one.pid}`} ${LIFE_WORDS[one.kind]}`,
      fromMs: one.fromMs,
      toMs: one.toMs,
      y,
      data: {
        'data-generation': generation.generation,
        'data-slot': worker.slot || worker.actor,
        'data-kind': one.kind,
      },
    }),
  );
  return [label, ...bars, ...exitsOf(frame, worker, y)];
};

const FATES: Readonly<Record<GenerationView['fate'], string>> = {
  begins: 'gets ready',
  'in charge': 'in charge',
  leaves: 'leaves',
  anchor: 'anchor',
  refused: 'refused',
  'rolled back': 'rolled back',
  failed: 'failed',
  ended: 'ended',
};

/** Lives in the window, or has a worker that does. */
const isIn = (generation: GenerationView, { fromMs, toMs }: Window): boolean =>
  generation.beganMs <= toMs &&
  (generation.endedMs === null || generation.fate === 'anchor' || generation.endedMs >= fromMs);

const lane = (frame: Frame, generation: GenerationView, top: number): [SVGElement, number] => {
  const { pid, fate, why } = generation;
  const group = svg('g', {
    class: `generation ${fate.replace(' ', '-')}`,
    'data-lane': generation.generation,
  });
  let y = top;
  const title = svg(
    'text',
    { class: 'generation-name', x: 8, y: y + ROW / 2 + 4 },
    `generation ${generation.generation}`,
  );
  const isWordy = why !== '' && !frame.isNarrow;
  group.append(title);
  if (frame.isNarrow) {
    group.append(
      svg('text', { class: 'generation-pid', x: 108, y: y + ROW / 2 + 4 }, `pid ${pid}, ${FATES[fate]}`),
    );
    y += ROW;
  }
  for (const bar of chargeBars(generation, y)) {
    const made = barOf(frame, bar);
    if (made !== null) group.append(made);
  }
  y += ROW;
  if (!frame.isNarrow) {
    group.append(
      svg('text', { class: 'generation-pid', x: 8, y: y + ROW / 2 + 2 }, `pid ${pid} · ${FATES[fate]}`),
    );
  }
  if (isWordy && generation.endedMs !== null) {
    const x = at(frame, generation.endedMs);
    const isLeft = x > (frame.left + frame.right) / 2;
    const room = (isLeft ? x - frame.left : frame.right - x) - 8;
    const words = `${FATES[fate]} · ${why}`;
    group.append(
      svg(
        'text',
        {
          class: 'why',
          x: rounded(x + (isLeft ? -8 : 8)),
          y: y + ROW / 2 + 2,
          'text-anchor': isLeft ? 'end' : 'start',
        },
        words.length * CHAR_PX > room ? `${words.slice(0, Math.max(0, room / CHAR_PX - 1))}…` : words,
        svg('title', {}, words),
      ),
    );
  }
  if (!frame.isNarrow) y += ROW - 2;
  const workers = workersOf(generation).filter(({ spans }) =>
    spans.some(({ fromMs, toMs }) => fromMs <= frame.toMs && (toMs ?? frame.toMs) >= frame.fromMs),
  );
  for (const worker of workers.slice(0, MOST_WORKERS)) {
    group.append(...workerRow(frame, generation, worker, y).filter((one) => one !== null));
    y += ROW;
  }
  if (workers.length > MOST_WORKERS) {
    const more = `${workers.length - MOST_WORKERS} more workers`;
    group.append(svg('text', { class: 'slot', x: 24, y: y + ROW / 2 + 4 }, more));
    y += ROW;
  }
  return [group, y + GAP];
};

const summary = (generations: readonly GenerationView[]): string =>
  generations
    .map((one) => {
      const workers = workersOf(one);
      const serving = workers.filter(
        ({ spans }) => spans.at(-1)?.toMs === null && spans.at(-1)?.kind === 'serving',
      );
      return `generation ${one.generation}, pid ${one.pid}, ${FATES[one.fate]}, ${serving.length} of ${workers.length} workers serve${one.why === '' ? '' : `, ${one.why}`}`;
    })
    .join('; ');

export const drawLanes = (host: HTMLElement, picture: Picture, window: Window): void => {
  const width = Math.max(260, host.clientWidth);
  const isNarrow = width < 620;
  const frame: Frame = { ...window, left: isNarrow ? 64 : 168, right: width - 10, isNarrow };
  const generations = generationsOf(picture).filter((one) => isIn(one, window));
  if (generations.length === 0) {
    host.replaceChildren(html('p', { class: 'empty' }, 'Nothing was recorded in this time.'));
    return;
  }
  const drawn = svg('svg', { class: 'lanes-svg', role: 'img', 'aria-label': summary(generations) });
  let y = AXIS;
  const lanes = generations.flatMap((generation, index) => {
    const [group, next] = lane(frame, generation, y);
    const back = svg('rect', {
      class: index % 2 === 0 ? 'stripe' : 'stripe odd',
      x: 0,
      y: y - 4,
      width,
      height: next - y,
    });
    y = next;
    return [back, group];
  });
  const stripes = lanes.filter((_, index) => index % 2 === 0);
  const groups = lanes.filter((_, index) => index % 2 === 1);
  drawn.setAttribute('width', String(width));
  drawn.setAttribute('height', String(y));
  drawn.append(...stripes, ...axisOf(frame, y - 4));
  for (const { charge, generation } of generations)
    for (const { fromMs } of generation > 1 ? charge : []) {
      if (fromMs < frame.fromMs || fromMs > frame.toMs) continue;
      const x = rounded(at(frame, fromMs));
      drawn.append(
        svg('line', { class: 'moment', x1: x, x2: x, y1: 2, y2: y - 4 }),
        svg('text', { class: 'moment-text', x: x - 5, y: 12, 'text-anchor': 'end' }, 'handed over'),
      );
    }
  const x = rounded(frame.right);
  drawn.append(
    ...groups,
    svg('line', { class: window.isLive ? 'now' : 'now past', x1: x, x2: x, y1: AXIS - 6, y2: y - 4 }),
  );
  host.replaceChildren(drawn);
};

export const drawLegend = (host: HTMLElement): void =>
  host.replaceChildren(
    ...LEGEND.map(([kind, words]) => html('li', {}, html('span', { class: `swatch ${kind}` }), words)),
  );
