/**
 * A scene as SVG: a column for each participant, a row for each thing that happens, time from top to bottom.
 */
import type { Kind } from '../arrow.js';
import { LETTERING } from '../graph.js';
import { lineHeight, textWidth } from '../lettering.js';
import { arrowText, at, escaped, type Point } from '../shapes.js';
import { STYLE } from '../style.js';
import type { Lifeline, Row, Scene, Span } from './scene.js';

const TIMES_WIDTH = 80;
const COLUMN = 216;
const HEAD = { y: 14, width: 150, height: 50 };
const FIRST_ROW = HEAD.y + HEAD.height + 34;
const ROW = 34;
const HEAD_ROOM = 14;
const FOOT = 56;
const BAR_WIDTH = 12;
const PILL = { height: 22, padding: 12, radius: 11 };
const PADDING = 3;
/** How far a thing that is no arrow stands beside its lifeline. */
const BESIDE = BAR_WIDTH / 2 + 8;

/** Whoever is started needs room for a head. */
const heightsOf = ({ rows }: Scene): readonly number[] => {
  const ys = [FIRST_ROW];
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1];
    const [above, below] = [row.kind === 'start', next?.kind === 'start'];
    ys.push((ys[index] ?? 0) + ROW + (above || below ? HEAD_ROOM : 0));
  }
  return ys;
};

interface Places {
  readonly x: (id: string) => number;
  /** The line of a row; that of the row after the last is the bottom. */
  readonly y: (row: number) => number;
  readonly bottom: number;
}

const placesOf = (scene: Scene): Places => {
  const columns = new Map(scene.lifelines.map(({ id }, index) => [id, TIMES_WIDTH + COLUMN * (index + 0.5)]));
  const ys = heightsOf(scene);
  return {
    x: (id) => columns.get(id) ?? 0,
    y: (row) => ys[row] ?? 0,
    bottom: ys.at(-1) ?? 0,
  };
};

const label = (text: string, centre: Point, anchor: 'start' | 'middle'): string => {
  const width = textWidth(text, LETTERING.label) + 2 * PADDING;
  const height = lineHeight(LETTERING.label);
  const left = anchor === 'middle' ? centre.x - width / 2 : centre.x;
  const halo = `<rect class="halo" x="${at(left)}" y="${at(centre.y - height / 2)}" width="${at(width)}" height="${at(height)}" rx="2"/>`;
  const baseline = centre.y + LETTERING.label.sizePx * 0.36;
  return `${halo}<text x="${at(left + PADDING)}" y="${at(baseline)}">${escaped(text)}</text>`;
};

const head = ({ title, subtitle }: Lifeline, x: number, y: number): string =>
  [
    '<g class="state">',
    `<rect x="${at(x - HEAD.width / 2)}" y="${at(y)}" width="${HEAD.width}" height="${HEAD.height}" rx="8"/>`,
    `<text class="name" x="${at(x)}" y="${at(y + 21)}" text-anchor="middle">${escaped(title)}</text>`,
    `<text class="detail" x="${at(x)}" y="${at(y + 39)}" text-anchor="middle">${escaped(subtitle)}</text>`,
    '</g>',
  ].join('');

/** Where a row has its line, and where the head of somebody who is started in it begins. */
const startRowOf = (id: string, rows: readonly Row[]): number | null => {
  const row = rows.findIndex((one) => one.kind === 'start' && one.to === id);
  return row < 0 ? null : row;
};

const endRowOf = (id: string, rows: readonly Row[]): number | null => {
  const row = rows.findIndex((one) => one.kind === 'end' && one.on === id);
  return row < 0 ? null : row;
};

const lifeline = (line: Lifeline, { rows }: Scene, { x, y, bottom }: Places): string => {
  const started = startRowOf(line.id, rows);
  const ended = endRowOf(line.id, rows);
  const headY = started === null ? HEAD.y : y(started) - HEAD.height / 2;
  const column = at(x(line.id));
  const to = ended === null ? bottom : y(ended);
  return `<line class="life" x1="${column}" x2="${column}" y1="${at(headY + HEAD.height)}" y2="${at(to)}"/>${head(line, x(line.id), headY)}`;
};

const bar = ({ on, is, from, to }: Span, { x, y, bottom }: Places): string => {
  const top = from === null ? HEAD.y + HEAD.height : y(from);
  const foot = to === null ? bottom : y(to);
  const name = is === 'serving' ? 'bar fact' : 'bar request';
  return `<rect class="${name}" data-span="${escaped(`${on} ${is}`)}" x="${at(x(on) - BAR_WIDTH / 2)}" y="${at(top)}" width="${BAR_WIDTH}" height="${at(foot - top)}" rx="3"/>`;
};

const arrow = (kind: Kind, from: number, to: number, y: number, text: string): string => {
  const side = Math.sign(to - from);
  const points = [
    { x: from + (side * BAR_WIDTH) / 2, y },
    { x: to - (side * BAR_WIDTH) / 2, y },
  ];
  // Over the first gap of several columns, so that no other lifeline crosses it.
  const middle = from + (side * Math.min(COLUMN, Math.abs(to - from))) / 2;
  return arrowText(
    kind,
    ` data-message="${escaped(text)}"`,
    points,
    label(text, { x: middle, y: y - 11 }, 'middle'),
  );
};

const pill = (state: string, x: number, y: number): string => {
  const width = textWidth(state, LETTERING.detail) + 2 * PILL.padding;
  return [
    `<g class="state" data-state="${escaped(state)}">`,
    `<rect x="${at(x - width / 2)}" y="${at(y - PILL.height / 2)}" width="${at(width)}" height="${PILL.height}" rx="${PILL.radius}"/>`,
    `<text class="detail" x="${at(x)}" y="${at(y + 4)}" text-anchor="middle">${escaped(state)}</text>`,
    '</g>',
  ].join('');
};

const cross = (x: number, y: number): string =>
  `<path d="M${at(x - 6)} ${at(y - 6)}L${at(x + 6)} ${at(y + 6)}M${at(x + 6)} ${at(y - 6)}L${at(x - 6)} ${at(y + 6)}"/>`;

const drawnRow = (row: Row, index: number, { x: xOf, y: yOf }: Places): string => {
  const y = yOf(index);
  switch (row.kind) {
    case 'message':
      return arrow(row.colour, xOf(row.from), xOf(row.to), y, row.text);
    case 'start': {
      const to = xOf(row.to) - Math.sign(xOf(row.to) - xOf(row.from)) * (HEAD.width / 2 - BAR_WIDTH / 2);
      return arrow(row.colour, xOf(row.from), to, y, row.text);
    }
    case 'deed':
      return `<g class="arrow ${row.colour}">${label(row.text, { x: xOf(row.on) + BESIDE, y }, 'start')}</g>`;
    case 'state':
      return pill(row.state, xOf(row.on), y);
    case 'end':
      return `<g class="arrow failure">${cross(xOf(row.on), y)}${label(row.text, { x: xOf(row.on) + BESIDE, y }, 'start')}</g>`;
  }
};

/** A time where it is another than that of the row above. */
const times = (rows: readonly Row[], { y }: Places): readonly string[] => {
  const shown = rows.map(({ atMs }) => `${Math.floor(atMs)} ms`);
  return shown.flatMap((text, index) =>
    text === shown[index - 1]
      ? []
      : [
          `<text class="detail" x="${TIMES_WIDTH - 16}" y="${at(y(index) + 4)}" text-anchor="end">${text}</text>`,
        ],
  );
};

const LEGEND = [
  ['bar request', 'in charge'],
  ['bar fact', 'serving'],
] as const;

const legend = (y: number): readonly string[] =>
  LEGEND.map(([name, words], index) => {
    const x = TIMES_WIDTH + 30 + index * 120;
    return `<rect class="${name}" x="${x}" y="${at(y - 9)}" width="${BAR_WIDTH}" height="18" rx="3"/><text class="detail" x="${x + 20}" y="${at(y + 4)}">${words}</text>`;
  });

export const sequenceSvg = (scene: Scene): string => {
  const { lifelines, rows, spans, title } = scene;
  const places = placesOf(scene);
  const { bottom } = places;
  const width = TIMES_WIDTH + COLUMN * lifelines.length;
  const height = bottom + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<rect class="ground" width="100%" height="100%"/>',
    ...lifelines.map((line) => lifeline(line, scene, places)),
    ...spans.map((span) => bar(span, places)),
    ...rows.map((row, index) => drawnRow(row, index, places)),
    ...times(rows, places),
    ...legend(bottom + FOOT / 2),
    '</svg>',
    '',
  ].join('\n');
};
