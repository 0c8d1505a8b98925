/**
 * WCAG 2.2 AA, measured in the browser: what colours text and marks really have, on what they really lie.
 */
import type { Page } from 'playwright-core';

/** Something that is too faint, or a number of what was measured. */
export interface Contrasts {
  readonly texts: number;
  readonly marks: number;
  readonly faults: readonly string[];
}

/** Runs in the page: text needs 4.5 : 1 (3 : 1 where it is large), what tells something without words 3 : 1. */
const MEASURE = `(() => {
  const rgba = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\\d.]+/g) ?? []).map(Number);
    return text === 'none' || text === '' ? [0, 0, 0, 0] : [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const styleOf = (element) => getComputedStyle(element);
  const opacityOf = (element) => {
    let all = 1;
    for (let at = element; at instanceof Element; at = at.parentElement) all *= Number(styleOf(at).opacity);
    return all;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at instanceof Element; at = at.parentElement) {
      const colour = rgba(styleOf(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255, 1]);
  };
  const drawn = (element, what) => {
    const style = styleOf(element);
    const [r, g, b, a] = rgba(style[what]);
    return [r, g, b, a * Number(style[what + 'Opacity'] ?? 1) * opacityOf(element)];
  };
  const rectsBelow = (element, selector) =>
    [...document.querySelectorAll(selector)].map((rect) => over(drawn(rect, 'fill'), groundOf(rect.closest('div'))));
  const stripes = rectsBelow(document.body, '.stripe');
  /** What an element of a drawing lies on: all that it may lie on. */
  const groundsOfDrawn = (element) => {
    const html = groundOf(element.closest('div'));
    const bar = element.closest('.bar');
    if (bar !== null) {
      const fill = drawn(bar.querySelector('rect'), 'fill');
      return stripes.map((stripe) => over(fill, stripe));
    }
    if (element.closest('.lanes-svg') !== null) return stripes;
    const state = element.parentElement.querySelector(':scope > rect');
    if (element.matches('.state > text, .anywhere > text') && state !== null) return [over(drawn(state, 'fill'), html)];
    return [html];
  };
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) &&
    element.getClientRects().length > 0 && !element.closest('.unseen, .skip, :disabled');
  const faults = new Set();
  const told = (element) => element.tagName.toLowerCase() + '.' + (element.getAttribute('class') ?? '') + ' in ' +
    (element.parentElement?.getAttribute('class') ?? element.parentElement?.tagName);
  const check = (element, colour, grounds, least, what) => {
    for (const ground of grounds) {
      const found = ratio(over(colour, ground), ground);
      if (found < least) faults.add(what + ' of ' + told(element) + ': ' + found.toFixed(2) + ', needs ' + least);
    }
  };
  let [texts, marks] = [0, 0];
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!hasText || !isShown(element) || element.closest('title, script, noscript, option')) continue;
    const style = styleOf(element);
    const isDrawn = element instanceof SVGElement;
    const [r, g, b, a] = rgba(isDrawn ? style.fill : style.color);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    texts += 1;
    check(element, [r, g, b, a * opacityOf(element)], isDrawn ? groundsOfDrawn(element) : [groundOf(element)], isLarge ? 3 : 4.5, 'text');
  }
  for (const input of document.querySelectorAll('input[placeholder]')) {
    texts += 1;
    check(input, rgba(getComputedStyle(input, '::placeholder').color), [groundOf(input)], 4.5, 'placeholder');
  }
  const mark = (element, colours, grounds, what) => {
    marks += 1;
    const best = (ground) => Math.max(...colours.map((colour) => ratio(over(colour, ground), ground)));
    for (const ground of grounds)
      if (best(ground) < 3) faults.add(what + ' of ' + told(element) + ': ' + best(ground).toFixed(2) + ', needs 3');
  };
  for (const rect of document.querySelectorAll('.bar rect')) mark(rect, [drawn(rect, 'fill'), drawn(rect, 'stroke')], stripes, 'bar');
  for (const cross of document.querySelectorAll('.exit path')) mark(cross, [drawn(cross, 'stroke')], stripes, 'exit');
  for (const line of document.querySelectorAll('.now, .moment')) mark(line, [drawn(line, 'stroke')], stripes, 'line');
  for (const rect of document.querySelectorAll('#chart .state > rect'))
    mark(rect, [drawn(rect, 'fill'), drawn(rect, 'stroke')], [groundOf(rect.closest('div'))], 'state');
  for (const path of document.querySelectorAll('#chart .arrow > path:not(.head)'))
    mark(path, [drawn(path, 'stroke')], [groundOf(path.closest('div'))], 'arrow');
  for (const dot of document.querySelectorAll('.dot')) {
    const style = getComputedStyle(dot, '::before');
    mark(dot, [rgba(style.backgroundColor), rgba(style.borderTopColor)], [groundOf(dot)], 'dot');
  }
  for (const swatch of document.querySelectorAll('.swatch'))
    mark(swatch, [rgba(styleOf(swatch).backgroundColor), rgba(styleOf(swatch).borderTopColor)], [groundOf(swatch.parentElement)], 'swatch');
  for (const field of document.querySelectorAll('button:not(:disabled), select, input[type=search]')) {
    if (!isShown(field) || styleOf(field).borderTopWidth === '0px') continue;
    mark(field, [rgba(styleOf(field).backgroundColor), rgba(styleOf(field).borderTopColor)], [groundOf(field.parentElement)], 'border');
  }
  return { texts, marks, faults: [...faults] };
})()`;

export const contrastsOf = (page: Page): Promise<Contrasts> => page.evaluate(MEASURE);
