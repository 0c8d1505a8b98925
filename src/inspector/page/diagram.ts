/**
 * A drawn machine: the same file as in the documentation, taken into the page without its own style.
 */
import { arrowsTaken, type Edge } from '../view/arrows.js';
import { activePaths } from '../view/states.js';
import { svg } from './element.js';

export interface Diagram {
  readonly root: SVGSVGElement;
  readonly width: number;
  readonly height: number;
  readonly states: ReadonlyMap<string, SVGGElement>;
  readonly arrows: ReadonlyMap<string, SVGGElement>;
}

const marked = (root: SVGSVGElement, name: string): ReadonlyMap<string, SVGGElement> =>
  new Map(
    [...root.querySelectorAll<SVGGElement>(`[${name}]`)].map((one) => [one.getAttribute(name) ?? '', one]),
  );

const read = (text: string, name: string): Diagram => {
  // Before it is parsed: the policy of the page objects to styles in documents that are not even shown.
  const plain = text.replace(/<style>[\s\S]*?<\/style>/g, '').replace(/ style="[^"]*"/g, '');
  const parsed = new DOMParser().parseFromString(plain, 'image/svg+xml').documentElement;
  const root = document.importNode(parsed, true) as unknown as SVGSVGElement;
  for (const one of root.querySelectorAll('script')) one.remove();
  const title = root.querySelector('title');
  if (title !== null) title.id = `title-${name}`;
  root.setAttribute('aria-labelledby', `title-${name}`);
  const [, , width = 1, height = 1] = (root.getAttribute('viewBox') ?? '').split(' ').map(Number);
  root.removeAttribute('width');
  root.removeAttribute('height');
  return { root, width, height, states: marked(root, 'data-state'), arrows: marked(root, 'data-edge') };
};

const loaded = new Map<string, Promise<Diagram>>();

export const loadDiagram = (name: string): Promise<Diagram> => {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const made = fetch(`/${name}.svg`).then(async (response) => {
    if (!response.ok) throw new Error(`no diagram of ${name}`);
    return read(await response.text(), name);
  });
  made.catch(() => loaded.delete(name));
  loaded.set(name, made);
  return made;
};

export interface Lit {
  /** The innermost states that are active. */
  readonly leaves: readonly SVGGElement[];
  readonly taken: readonly SVGGElement[];
}

/** Marks what is active, and the arrow that led there. */
export const light = ({ states, arrows, root }: Diagram, state: string, edge: Edge | null): Lit => {
  const active = activePaths(state);
  const isInner = (path: string): boolean => !active.some((other) => other.startsWith(`${path}.`));
  for (const [path, element] of states) {
    element.classList.toggle('active', active.includes(path));
    element.classList.toggle('leaf', active.includes(path) && isInner(path));
  }
  const names = edge === null ? [] : arrowsTaken([...arrows.keys()], edge);
  const taken = names.flatMap((name) => arrows.get(name) ?? []);
  for (const element of arrows.values()) element.classList.toggle('taken', taken.includes(element));
  // Drawn last, it lies above the others.
  for (const element of taken) if (element !== root.lastElementChild) root.append(element);
  const leaves = active.filter(isInner).flatMap((path) => states.get(path) ?? []);
  return { leaves, taken };
};

/** The whole chart in little, with a frame around what is seen. */
export const minimapOf = ({ states, width, height }: Diagram): SVGSVGElement => {
  const map = svg('svg', { class: 'minimap', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': true });
  for (const [path, state] of states) {
    const rect = state.querySelector('rect');
    if (rect === null) continue;
    const {
      x,
      y,
      width: w,
      height: h,
    } = {
      x: rect.getAttribute('x'),
      y: rect.getAttribute('y'),
      width: rect.getAttribute('width'),
      height: rect.getAttribute('height'),
    };
    map.append(svg('rect', { class: 'mini', 'data-mini': path, x, y, width: w, height: h }));
  }
  map.append(svg('rect', { class: 'seen' }));
  return map;
};
