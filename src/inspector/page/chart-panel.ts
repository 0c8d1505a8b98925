/**
 * The statechart of one machine: tabs to choose it, and a camera that follows what is active.
 */
import {
  type GenerationView,
  generationsOf,
  type MachineView,
  type Picture,
  principalOf,
} from '../view/picture.js';
import { Camera, framing, type Rect, union } from './camera.js';
import { type Diagram, type Lit, light, loadDiagram, minimapOf } from './diagram.js';
import { byId, html, setText } from './element.js';

const ORDER = ['supervisor', 'reload', 'takeover'];

/** The supervisor first, then both sides of a reload, then slots. */
const actorsOf = (generation: GenerationView | null): readonly string[] => {
  const all = generation === null ? [] : [...generation.machines.keys()];
  const rank = (actor: string): number => {
    const known = ORDER.indexOf(actor);
    return known >= 0 ? known : ORDER.length + Number(actor.replace(/^.*-/, ''));
  };
  return all.sort((a, b) => rank(a) - rank(b) || b.localeCompare(a));
};

const boxOf = (element: SVGGElement): Rect => element.getBBox();

export class ChartPanel {
  readonly #host = byId('chart');
  readonly #tabs = byId('tabs');
  readonly #words = byId('chart-words');
  readonly #generationSelect = byId<HTMLSelectElement>('generation');
  readonly #camera: Camera;
  #diagram: Diagram | null = null;
  #minimap: SVGSVGElement | null = null;
  #lit: Lit = { leaves: [], taken: [] };
  #name = '';
  #actor = 'supervisor';
  /** Key of the generation that was chosen; null for whoever is in charge. */
  #chosen: number | null = null;
  #mode: 'follow' | 'whole' | 'free' = 'follow';
  #lookedAt = '';
  #tabsText = '';
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#camera = new Camera((rect) => this.#show(rect));
    byId('chart-follow').addEventListener('click', () => this.#setMode('follow'));
    byId('chart-whole').addEventListener('click', () => this.#setMode('whole'));
    byId('chart-in').addEventListener('click', () => this.#zoom(1.3));
    byId('chart-out').addEventListener('click', () => this.#zoom(1 / 1.3));
    this.#host.addEventListener('keydown', (event) => this.#onKey(event));
    this.#tabs.addEventListener('keydown', (event) => this.#onTabKey(event));
    this.#generationSelect.addEventListener('change', () => {
      const { value } = this.#generationSelect;
      this.#chosen = value === '' ? null : Number(value);
      changed();
    });
    this.#listenToPointer();
    new ResizeObserver(() => this.#aim(true)).observe(this.#host);
  }

  /** @returns the generation that is shown: the table shows the same. */
  draw(picture: Picture): GenerationView | null {
    const all = generationsOf(picture).filter(({ machines }) => machines.size > 0);
    this.#drawGenerations(all);
    const generation = all.findLast(({ pid }) => pid === this.#chosen) ?? principalOf(picture);
    const actors = actorsOf(generation);
    if (!actors.includes(this.#actor)) this.#actor = actors[0] ?? 'supervisor';
    this.#drawTabs(actors, generation);
    const machine = generation?.machines.get(this.#actor) ?? null;
    void this.#drawMachine(machine);
    return generation;
  }

  #drawGenerations(all: readonly GenerationView[]): void {
    const field = byId('generation-field');
    field.hidden = all.length < 2;
    const options = all.map(({ pid, generation, fate }) => ({
      value: String(pid),
      text: `${generation} (${fate})`,
    }));
    const wanted = [{ value: '', text: 'in charge' }, ...options];
    const now = [...this.#generationSelect.options].map(({ value, text }) => ({ value, text }));
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    this.#generationSelect.replaceChildren(
      ...wanted.map(({ value, text }) => html('option', { value }, text)),
    );
    const isThere = wanted.some(({ value }) => value === String(this.#chosen));
    this.#generationSelect.value = isThere ? String(this.#chosen) : '';
  }

  #drawTabs(actors: readonly string[], generation: GenerationView | null): void {
    const text = JSON.stringify([
      actors,
      this.#actor,
      actors.map((actor) => generation?.machines.get(actor)?.status),
    ]);
    if (text === this.#tabsText) return;
    this.#tabsText = text;
    const hadFocus = this.#tabs.contains(document.activeElement);
    this.#tabs.replaceChildren(
      ...actors.map((actor) => {
        const isChosen = actor === this.#actor;
        const isOver = generation?.machines.get(actor)?.status !== 'active';
        const tab = html(
          'button',
          {
            type: 'button',
            role: 'tab',
            id: `tab-${actor}`,
            'aria-selected': isChosen ? 'true' : 'false',
            'aria-controls': 'chart',
            tabindex: isChosen ? 0 : -1,
            class: isOver ? 'over' : null,
          },
          actor.replace('-', ' '),
        );
        tab.addEventListener('click', () => this.#choose(actor));
        return tab;
      }),
    );
    if (hadFocus) byId(`tab-${this.#actor}`).focus();
  }

  #choose(actor: string): void {
    this.#actor = actor;
    if (this.#mode === 'free') this.#setMode('follow');
    this.#changed();
  }

  async #drawMachine(machine: MachineView | null): Promise<void> {
    if (machine === null) {
      this.#name = '';
      this.#diagram = null;
      const empty = html('p', { class: 'empty' }, 'Its machine appears here with the first event.');
      if (this.#host.querySelector('svg') !== null || this.#host.children.length === 0)
        this.#host.replaceChildren(empty);
      setText(this.#words, '');
      return;
    }
    // What follows may wait for a file: the machine goes on meanwhile, and is drawn again then.
    const { state, edge } = machine;
    if (this.#name !== machine.machine) {
      this.#name = machine.machine;
      const diagram = await loadDiagram(machine.machine).catch(() => null);
      if (diagram === null || this.#name !== machine.machine) {
        this.#name = '';
        return;
      }
      this.#diagram = diagram;
      this.#minimap = minimapOf(diagram);
      this.#host.replaceChildren(diagram.root, this.#minimap);
      this.#lookedAt = '';
    }
    if (this.#diagram === null) return;
    this.#lit = light(this.#diagram, state, edge);
    this.#describe(machine);
    this.#aim(this.#lookedAt === '');
  }

  #describe({ state, edge, status }: MachineView): void {
    const descriptions = this.#lit.leaves.map((leaf) => leaf.querySelector('title')?.textContent ?? '');
    const end = status === 'active' ? '' : ` It has ended (${status}).`;
    const way = edge === null ? '' : ` Last: ${edge.event}.`;
    setText(this.#words, `${state}: ${descriptions.join(' ')}${end}${way}`);
    for (const mini of this.#minimap?.querySelectorAll('[data-mini]') ?? []) {
      const path = mini.getAttribute('data-mini') ?? '';
      mini.classList.toggle('active', this.#diagram?.states.get(path)?.classList.contains('active') === true);
      mini.classList.toggle('leaf', this.#diagram?.states.get(path)?.classList.contains('leaf') === true);
    }
  }

  #aim(isAtOnce: boolean): void {
    const diagram = this.#diagram;
    const [width, height] = [this.#host.clientWidth, this.#host.clientHeight];
    if (diagram === null || width === 0 || this.#mode === 'free') return;
    const goal =
      this.#mode === 'whole' ? { x: 0, y: 0, width: diagram.width, height: diagram.height } : this.#goal();
    if (goal === null) return;
    const text = JSON.stringify([goal, width, height]);
    if (text === this.#lookedAt) return;
    this.#lookedAt = text;
    if (isAtOnce) this.#camera.jump(goal);
    else this.#camera.glide(goal);
  }

  #goal(): Rect | null {
    const leaves = union(this.#lit.leaves.map(boxOf));
    if (leaves === null) return null;
    const all = union([leaves, ...this.#lit.taken.map(boxOf)]);
    return framing(leaves, all, { width: this.#host.clientWidth, height: this.#host.clientHeight });
  }

  #show({ x, y, width, height }: Rect): void {
    this.#diagram?.root.setAttribute('viewBox', [x, y, width, height].map((one) => one.toFixed(1)).join(' '));
    const seen = this.#minimap?.querySelector('.seen');
    for (const [name, value] of Object.entries({ x, y, width, height }))
      seen?.setAttribute(name, value.toFixed(1));
  }

  #setMode(mode: 'follow' | 'whole' | 'free'): void {
    this.#mode = mode;
    byId('chart-follow').setAttribute('aria-pressed', String(mode === 'follow'));
    byId('chart-whole').setAttribute('aria-pressed', String(mode === 'whole'));
    this.#lookedAt = '';
    this.#aim(false);
  }

  #zoom(factor: number): void {
    this.#setMode('free');
    this.#camera.zoom(factor);
  }

  #onKey(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-0.15, 0],
      ArrowRight: [0.15, 0],
      ArrowUp: [0, -0.15],
      ArrowDown: [0, 0.15],
    };
    const move = moves[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move !== undefined) {
      this.#setMode('free');
      this.#camera.move(...move);
    } else if (event.key === '+' || event.key === '=') this.#zoom(1.3);
    else if (event.key === '-') this.#zoom(1 / 1.3);
    else if (event.key === '0') this.#setMode('whole');
    else if (event.key === 'f') this.#setMode('follow');
    else return;
    event.preventDefault();
  }

  #onTabKey(event: KeyboardEvent): void {
    const tabs = [...this.#tabs.querySelectorAll<HTMLElement>('[role=tab]')];
    const now = tabs.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined || now < 0) return;
    event.preventDefault();
    const tab = tabs.at(next % tabs.length);
    tab?.focus();
    tab?.click();
  }

  #listenToPointer(): void {
    let last: { x: number; y: number } | null = null;
    this.#host.addEventListener('pointerdown', (event) => {
      last = { x: event.clientX, y: event.clientY };
      this.#host.setPointerCapture(event.pointerId);
    });
    this.#host.addEventListener('pointermove', (event) => {
      if (last === null) return;
      const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
      if (this.#mode !== 'free' && Math.hypot(dx, dy) < 4) return;
      if (this.#mode !== 'free') this.#setMode('free');
      this.#camera.move(-dx / this.#host.clientWidth, -dy / this.#host.clientHeight);
      last = { x: event.clientX, y: event.clientY };
    });
    for (const name of ['pointerup', 'pointercancel'] as const)
      this.#host.addEventListener(name, () => {
        last = null;
      });
    this.#host.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.#zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      },
      { passive: false },
    );
  }
}
