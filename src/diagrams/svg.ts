/**
 * A chart that was laid out, as SVG: readable on light and on dark, every state and arrow marked with its name.
 */
import { type Arrow, arrowsOf, type Kind } from './arrow.js';
import { everyState, type State } from './chart.js';
import {
  ANYWHERE,
  type Box,
  detailsOf,
  type Graph,
  graphOf,
  initialId,
  type Layout,
  LETTERING,
  type Line,
  lineId,
} from './graph.js';
import { lineHeight } from './lettering.js';
import { arrowText, at, escaped, type Point } from './shapes.js';
import { STYLE } from './style.js';

const BOX_CORNER = 8;

const LEGEND: readonly (readonly [Kind, string])[] = [
  ['request', 'request or order'],
  ['fact', 'fact'],
  ['alarm', 'alarm'],
  ['failure', 'failure, or an end'],
  ['at-once', 'at once, if the guard holds'],
];
const LEGEND_HEIGHT = 30;

const pointsOf = ({ sections = [] }: Line): readonly Point[] =>
  sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);

const labelOf = ({ labels = [] }: Line): string =>
  labels
    .map(({ text, x = 0, y = 0, width, height }) => {
      const step = lineHeight(LETTERING.label);
      const lines = text.split('\n').map((line, index) => {
        const baseline = y + index * step + LETTERING.label.sizePx;
        return `<text x="${at(x + 3)}" y="${at(baseline)}">${escaped(line)}</text>`;
      });
      const halo = `<rect class="halo" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="2"/>`;
      return halo + lines.join('');
    })
    .join('');

const drawnArrow = (arrow: Arrow, lines: ReadonlyMap<string, Line>): string => {
  const line = lines.get(lineId(arrow));
  if (line === undefined) return '';
  const edges = arrow.lines.map((text) => `${arrow.from} ${text} ${arrow.to}`).join('; ');
  return arrowText(arrow.kind, ` data-edge="${escaped(edges)}"`, pointsOf(line), labelOf(line));
};

const rectOf = ({ x = 0, y = 0, width = 0, height = 0 }: Box, inset: number, name = ''): string =>
  `<rect${name === '' ? '' : ` class="${name}"`} x="${at(x + inset)}" y="${at(y + inset)}" width="${at(width - 2 * inset)}" height="${at(height - 2 * inset)}" rx="${BOX_CORNER - inset}"/>`;

const NAME_Y = 24;
const TITLE_INDENT = 14;

const drawnState = (state: State, boxes: ReadonlyMap<string, Box>): string => {
  const box = boxes.get(state.path);
  if (box === undefined) return '';
  const { x = 0, y = 0, width = 0 } = box;
  const isLeaf = state.states.length === 0;
  const [textX, anchor] = isLeaf ? [x + width / 2, ' text-anchor="middle"'] : [x + TITLE_INDENT, ''];
  const details = detailsOf(state).map(
    (text, index) =>
      `<text class="detail" x="${at(textX)}" y="${at(y + NAME_Y + (index + 1) * lineHeight(LETTERING.detail) + 1)}"${anchor}>${escaped(text)}</text>`,
  );
  const kinds = ['state', ...(isLeaf ? [] : ['outer']), ...(state.isFinal ? ['final'] : [])].join(' ');
  return [
    `<g class="${kinds}" data-state="${state.path}">`,
    `<title>${escaped(state.description)}</title>`,
    rectOf(box, 0),
    ...(state.isFinal ? [rectOf(box, 3, 'inner')] : []),
    `<text class="name" x="${at(textX)}" y="${at(y + NAME_Y)}"${anchor}>${escaped(state.name)}</text>`,
    ...details,
    '</g>',
  ].join('');
};

const drawnAnywhere = (boxes: ReadonlyMap<string, Box>): string => {
  const box = boxes.get(ANYWHERE.id);
  if (box === undefined) return '';
  const { x = 0, y = 0, width = 0 } = box;
  return `<g class="anywhere">${rectOf(box, 0)}<text class="name" x="${at(x + width / 2)}" y="${at(y + NAME_Y)}" text-anchor="middle">${ANYWHERE.text}</text></g>`;
};

const drawnStart = (state: State, boxes: ReadonlyMap<string, Box>): string => {
  const box = boxes.get(initialId(state.path));
  if (box === undefined) return '';
  const { x = 0, y = 0, width = 0 } = box;
  return `<circle class="start" cx="${at(x + width / 2)}" cy="${at(y + width / 2)}" r="${at(width / 2)}"/>`;
};

const legendText = (y: number): string => {
  let x = 24;
  return LEGEND.map(([kind, words]) => {
    const points = [
      { x, y },
      { x: x + 34, y },
    ];
    const text = `<text x="${x + 42}" y="${at(y + 4)}" style="font-size:${LETTERING.label.sizePx}px">${words}</text>`;
    x += 62 + words.length * 7;
    return `${arrowText(kind, '', points, '')}${text}`;
  }).join('\n');
};

const boxesIn = (box: Box): readonly Box[] => [box, ...(box.children ?? []).flatMap(boxesIn)];

/** Outer boxes first, then arrows, then labels that must not be crossed out by anything. */
const drawn = (name: string, chart: State, graph: Graph): string => {
  const boxes = new Map(boxesIn(graph).map((box) => [box.id, box]));
  const lines = new Map(graph.edges.map((line) => [line.id, line]));
  const states = everyState(chart);
  const width = Math.max(graph.width ?? 0, 760);
  const height = (graph.height ?? 0) + LEGEND_HEIGHT;
  const starts = graph.edges.filter(({ id }) => id.endsWith('(initial)>'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${at(width)} ${at(height)}" width="${at(width)}" height="${at(height)}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(`The ${name} machine. ${chart.description}`)}</title>`,
    `<style>${STYLE}</style>`,
    '<rect class="ground" width="100%" height="100%"/>',
    ...states.map((state) => drawnState(state, boxes)),
    drawnAnywhere(boxes),
    ...states.map((state) => drawnStart(state, boxes)),
    ...starts.map((line) => arrowText('initial', '', pointsOf(line), '')),
    ...arrowsOf(chart).map((arrow) => drawnArrow(arrow, lines)),
    legendText(height - LEGEND_HEIGHT / 2),
    '</svg>',
    '',
  ]
    .filter((line, index, all) => line !== '' || index === all.length - 1)
    .join('\n');
};

export const svgOf = async (name: string, chart: State, layout: Layout): Promise<string> =>
  drawn(name, chart, await layout(graphOf(chart)));
