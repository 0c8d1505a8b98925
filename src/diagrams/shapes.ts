/**
 * What every drawing is made of: text that is safe in SVG, lines with round corners, arrows with heads.
 */
import type { Kind } from './arrow.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

const CORNER = 6;
const HEAD_LENGTH = 8;
const HEAD_WIDTH = 3.5;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Two digits are finer than any screen, and the same bytes on every machine. */
export const at = (value: number): string => String(Math.round(value * 100) / 100);

const towards = (from: Point, to: Point, distance: number): Point => {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
};

/** A line with round corners. */
const pathOf = (points: readonly Point[]): string =>
  points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (before === undefined) return `M${at(point.x)} ${at(point.y)}`;
      if (after === undefined) return `L${at(point.x)} ${at(point.y)}`;
      const [into, out] = [towards(point, before, CORNER), towards(point, after, CORNER)];
      return `L${at(into.x)} ${at(into.y)}Q${at(point.x)} ${at(point.y)} ${at(out.x)} ${at(out.y)}`;
    })
    .join('');

/** The arrow's head, as a triangle that ends at the last point. */
const headOf = (points: readonly Point[]): string => {
  const [tip, before] = [points.at(-1) as Point, points.at(-2) as Point];
  const length = Math.hypot(tip.x - before.x, tip.y - before.y) || 1;
  const [dx, dy] = [(tip.x - before.x) / length, (tip.y - before.y) / length];
  const foot = { x: tip.x - dx * HEAD_LENGTH, y: tip.y - dy * HEAD_LENGTH };
  const corners = [
    tip,
    { x: foot.x - dy * HEAD_WIDTH, y: foot.y + dx * HEAD_WIDTH },
    { x: foot.x + dy * HEAD_WIDTH, y: foot.y - dx * HEAD_WIDTH },
  ];
  return corners.map(({ x, y }) => `${at(x)},${at(y)}`).join(' ');
};

/**
 * @param mark attributes of the group, each with a space before it.
 * @param label what is written at it, as SVG.
 */
export const arrowText = (kind: Kind, mark: string, points: readonly Point[], label: string): string =>
  points.length < 2
    ? ''
    : `<g class="arrow ${kind}"${mark}><path d="${pathOf(points)}"/><polygon class="head" points="${headOf(points)}"/>${label}</g>`;
