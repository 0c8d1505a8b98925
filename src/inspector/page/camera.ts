/**
 * Where one looks at a chart from: a rectangle in it, moved gently.
 */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Text below it cannot be read; above it nothing is gained. Pixels of the screen for one of the chart. */
const [LEAST_SCALE, MOST_SCALE] = [0.62, 1];
const GLIDE_MS = 350;

export const union = (rects: readonly Rect[]): Rect | null => {
  if (rects.length === 0) return null;
  const [x, y] = [Math.min(...rects.map((one) => one.x)), Math.min(...rects.map((one) => one.y))];
  const right = Math.max(...rects.map((one) => one.x + one.width));
  const bottom = Math.max(...rects.map((one) => one.y + one.height));
  return { x, y, width: right - x, height: bottom - y };
};

const around = (inner: Rect, width: number, height: number): Rect => ({
  x: inner.x + inner.width / 2 - width / 2,
  y: inner.y + inner.height / 2 - height / 2,
  width,
  height,
});

/** Shows all of it that can be read, or else the part that matters most. */
export const framing = (matters: Rect, all: Rect | null, view: { width: number; height: number }): Rect => {
  const scaleOf = (rect: Rect): number =>
    Math.min(view.width / (rect.width + 120), view.height / (rect.height + 100));
  const isAllReadable = all !== null && scaleOf(all) >= LEAST_SCALE;
  const chosen = isAllReadable && all !== null ? all : matters;
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scaleOf(chosen)));
  return around(chosen, view.width / scale, view.height / scale);
};

export class Camera {
  rect: Rect = { x: 0, y: 0, width: 1, height: 1 };
  readonly #show: (rect: Rect) => void;
  #goal: Rect | null = null;
  #frame = 0;

  constructor(show: (rect: Rect) => void) {
    this.#show = show;
  }

  jump(rect: Rect): void {
    cancelAnimationFrame(this.#frame);
    this.#goal = null;
    this.rect = rect;
    this.#show(rect);
  }

  glide(goal: Rect): void {
    if (this.#goal !== null && JSON.stringify(this.#goal) === JSON.stringify(goal)) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden) return this.jump(goal);
    cancelAnimationFrame(this.#frame);
    this.#goal = goal;
    const [from, startedAtMs] = [this.rect, performance.now()];
    const step = (nowMs: number): void => {
      const part = Math.min(1, Math.max(0, nowMs - startedAtMs) / GLIDE_MS);
      const eased = 1 - (1 - part) ** 3;
      const between = (a: number, b: number): number => a + (b - a) * eased;
      this.rect = {
        x: between(from.x, goal.x),
        y: between(from.y, goal.y),
        width: between(from.width, goal.width),
        height: between(from.height, goal.height),
      };
      this.#show(this.rect);
      if (part < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  zoom(factor: number): void {
    this.jump(around(this.rect, this.rect.width / factor, this.rect.height / factor));
  }

  /** By parts of what is seen. */
  move(dx: number, dy: number): void {
    const { x, y, width, height } = this.rect;
    this.jump({ x: x + dx * width, y: y + dy * height, width, height });
  }
}
