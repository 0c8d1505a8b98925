/**
 * The colours of a diagram, on light and on dark.
 */
import type { Kind } from './arrow.js';
import { LETTERING } from './graph.js';

/** What takes a colour. Plain rules: not every viewer of SVG knows the variables of CSS. */
interface Palette extends Readonly<Record<Exclude<Kind, 'initial'>, string>> {
  readonly ground: string;
  readonly box: string;
  readonly outer: string;
  readonly edge: string;
  readonly text: string;
  readonly faint: string;
}

/** Text has a contrast of at least 4.5 : 1 on its ground (WCAG 2.2 AA), on light and on dark. */
const LIGHT: Palette = {
  ground: '#ffffff',
  box: '#f8fafc',
  outer: '#eef2f7',
  edge: '#64748b',
  text: '#0f172a',
  faint: '#475569',
  'at-once': '#475569',
  request: '#1d4ed8',
  fact: '#15803d',
  alarm: '#b45309',
  failure: '#b91c1c',
};
const DARK: Palette = {
  ground: '#0b1220',
  box: '#1e293b',
  outer: '#131c2e',
  edge: '#7c8ba1',
  text: '#f1f5f9',
  faint: '#b6c2d2',
  'at-once': '#b6c2d2',
  request: '#93c5fd',
  fact: '#86efac',
  alarm: '#fcd34d',
  failure: '#fca5a5',
};

const KINDS = ['at-once', 'request', 'fact', 'alarm', 'failure'] as const;

const coloursOf = (palette: Palette): string =>
  [
    `text, .start { fill: ${palette.text}; }`,
    `.ground, .halo { fill: ${palette.ground}; }`,
    `.state > rect, .anywhere > rect { fill: ${palette.box}; stroke: ${palette.edge}; }`,
    `.outer > rect { fill: ${palette.outer}; }`,
    `.detail { fill: ${palette.faint}; }`,
    `.life { stroke: ${palette.edge}; }`,
    `.bar { stroke: ${palette.ground}; }`,
    ...KINDS.map((kind) => `.bar.${kind} { fill: ${palette[kind]}; }`),
    `.initial > path { stroke: ${palette.text}; } .initial > .head { fill: ${palette.text}; }`,
    ...KINDS.map(
      (kind) =>
        `.${kind} > path { stroke: ${palette[kind]}; } .${kind} > .head, .${kind} text { fill: ${palette[kind]}; }`,
    ),
  ].join('\n');

export const STYLE = `
text { font-family: "DejaVu Sans", Verdana, system-ui, sans-serif; }
.state > rect, .anywhere > rect { stroke-width: 1.2; }
.anywhere > rect { stroke-dasharray: 4 3; }
.name { font-weight: bold; font-size: ${LETTERING.name.sizePx}px; }
.detail { font-size: ${LETTERING.detail.sizePx}px; }
.arrow > path { fill: none; stroke-width: 1.3; }
.arrow > .halo { fill-opacity: 0.85; }
.arrow text { font-size: ${LETTERING.label.sizePx}px; }
.life { stroke-dasharray: 3 4; }
.alarm > path { stroke-dasharray: 5 3; }
.at-once > path { stroke-dasharray: 1.5 2.5; }
${coloursOf(LIGHT)}
@media (prefers-color-scheme: dark) {
${coloursOf(DARK)}
}
`.trim();
