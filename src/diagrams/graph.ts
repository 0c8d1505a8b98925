/**
 * A chart as a graph for the layout: boxes with the room their text needs, arrows with labels.
 *
 * The layout itself is done by elkjs, a development dependency that is handed in: nothing of it is shipped.
 */
import { type Arrow, arrowsOf, startsAnywhere } from './arrow.js';
import type { State } from './chart.js';
import { lineHeight, textWidth } from './lettering.js';
import type { Point } from './shapes.js';

export const LETTERING = {
  name: { sizePx: 13, bold: true },
  detail: { sizePx: 10 },
  label: { sizePx: 11 },
} as const;

export interface Box {
  readonly id: string;
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  readonly layoutOptions?: Readonly<Record<string, string>>;
  readonly children?: readonly Box[];
}

export interface Line {
  readonly id: string;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly labels?: readonly (Partial<Point> & {
    readonly text: string;
    readonly width: number;
    readonly height: number;
  })[];
  readonly sections?: readonly {
    readonly startPoint: Point;
    readonly endPoint: Point;
    readonly bendPoints?: readonly Point[];
  }[];
}

export interface Graph extends Box {
  readonly edges: readonly Line[];
}

/** Fills in every place. Given the same graph it gives the same places. */
export type Layout = (graph: Graph) => Promise<Graph>;

const PADDING = { side: 16, box: 12, title: 14 } as const;
const INITIAL_SIZE = 10;

const OPTIONS: Readonly<Record<string, string>> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.randomSeed': '1',
  'elk.spacing.nodeNode': '36',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '44',
  'elk.layered.spacing.edgeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.edgeLabels.inline': 'false',
  'elk.layered.edgeLabels.sideSelection': 'SMART_DOWN',
  'elk.padding': '[top=24,left=24,bottom=24,right=24]',
};

/** What is said below a state's name. */
export const detailsOf = ({ invokes, entry }: State): readonly string[] => [
  ...invokes.map((invoke) => `runs ${invoke}`),
  ...entry.map((action) => `entry / ${action}`),
];

/** Stands for whatever state the machine is in. */
export const ANYWHERE = { id: '(any state)', text: 'any state' } as const;

export const initialId = (path: string): string => `${path}.(initial)`;

const roomFor = (name: string, details: readonly string[]): { width: number; height: number } => {
  const widths = [
    textWidth(name, LETTERING.name),
    ...details.map((text) => textWidth(text, LETTERING.detail)),
  ];
  return {
    width: Math.max(...widths) + 2 * PADDING.side,
    height: lineHeight(LETTERING.name) + details.length * lineHeight(LETTERING.detail) + 2 * PADDING.box,
  };
};

const insideOf = (state: State): readonly Box[] => [
  ...(state.initial === null
    ? []
    : [{ id: initialId(state.path), width: INITIAL_SIZE, height: INITIAL_SIZE }]),
  ...state.states.map(boxOf),
];

const boxOf = (state: State): Box => {
  const size = roomFor(state.name, detailsOf(state));
  if (state.states.length === 0) return { id: state.path, ...size };
  const top = size.height + PADDING.title;
  return {
    id: state.path,
    layoutOptions: {
      'elk.padding': `[top=${top},left=20,bottom=20,right=20]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${size.width},${size.height})`,
    },
    children: insideOf(state),
  };
};

const initialLines = (state: State): readonly Line[] => [
  ...(state.initial === null
    ? []
    : [{ id: `${initialId(state.path)}>`, sources: [initialId(state.path)], targets: [state.initial] }]),
  ...state.states.flatMap(initialLines),
];

export const lineId = ({ from, to, kind }: Arrow): string => `${from}>${to}:${kind}`;

const lineOf = (arrow: Arrow): Line => ({
  id: lineId(arrow),
  sources: [arrow.from === '' ? ANYWHERE.id : arrow.from],
  targets: [arrow.to],
  labels: [
    {
      text: arrow.lines.join('\n'),
      width: Math.max(...arrow.lines.map((line) => textWidth(line, LETTERING.label))) + 6,
      height: arrow.lines.length * lineHeight(LETTERING.label) + 2,
    },
  ],
});

export const graphOf = (chart: State): Graph => ({
  id: 'root',
  layoutOptions: OPTIONS,
  children: [
    ...insideOf(chart),
    ...(startsAnywhere(chart) ? [{ id: ANYWHERE.id, ...roomFor(ANYWHERE.text, []) }] : []),
  ],
  edges: [...initialLines(chart), ...arrowsOf(chart).map(lineOf)],
});
