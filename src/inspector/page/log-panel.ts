/**
 * The event log: the newest first, only the rows that are seen exist.
 */
import { kindOf } from '../../diagrams/arrow.js';
import type { JournalEntry } from '../../journal/entry.js';
import { type Filter, type LogRow, matches, rowOf } from '../view/log-rows.js';
import { clock } from '../view/words.js';
import { byId, html, setText } from './element.js';

const ROW_PX = 28;
const SPARE_ROWS = 6;
const FILTER_MS = 120;

export class LogPanel {
  readonly #host = byId('log');
  readonly #inner = html('div', { class: 'rows-inner' });
  readonly #filterInput = byId<HTMLInputElement>('filter');
  readonly #actorSelect = byId<HTMLSelectElement>('actor');
  readonly #ignored = byId<HTMLInputElement>('ignored');
  readonly #detail = byId('detail');
  readonly #rows = new WeakMap<JournalEntry, LogRow>();
  readonly #goTo: (entry: JournalEntry) => void;
  #shown: readonly LogRow[] = [];
  #entries: readonly JournalEntry[] = [];
  #key = '';
  #selected: JournalEntry | null = null;
  #timer = 0;

  constructor(goTo: (entry: JournalEntry) => void) {
    this.#goTo = goTo;
    this.#host.append(this.#inner);
    this.#host.addEventListener('scroll', () => this.#drawRows());
    this.#host.addEventListener('keydown', (event) => this.#onKey(event));
    const refilter = (): void => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#key = '';
        this.draw(this.#entries, this.#entries.length);
      }, FILTER_MS) as unknown as number;
    };
    this.#filterInput.addEventListener('input', refilter);
    this.#actorSelect.addEventListener('change', refilter);
    this.#ignored.addEventListener('change', refilter);
  }

  /** @param count how many of the entries there are at the moment that is shown. */
  draw(entries: readonly JournalEntry[], count: number): void {
    const last = entries[count - 1];
    const key = `${count} ${last?.pid} ${last?.seq} ${entries[0]?.seq}`;
    this.#entries = entries.slice(0, count);
    if (key === this.#key) return;
    this.#key = key;
    this.#drawActors();
    const filter: Filter = {
      text: this.#filterInput.value,
      actor: this.#actorSelect.value,
      withIgnored: this.#ignored.checked,
    };
    const before = this.#shown.length;
    this.#shown = this.#entries
      .map((entry) => this.#row(entry))
      .filter((row) => matches(row, filter))
      .reverse();
    setText(byId('count'), `${this.#shown.length} of ${count}`);
    // Whoever reads further down keeps his place.
    if (this.#host.scrollTop > 0 && before > 0)
      this.#host.scrollTop += Math.max(0, this.#shown.length - before) * ROW_PX;
    this.#drawRows();
  }

  #row(entry: JournalEntry): LogRow {
    const known = this.#rows.get(entry);
    if (known !== undefined) return known;
    const made = rowOf(entry);
    this.#rows.set(entry, made);
    return made;
  }

  #drawActors(): void {
    const actors = [...new Set(this.#entries.map(({ actor }) => actor))].sort();
    const wanted = ['', ...actors];
    const now = [...this.#actorSelect.options].map(({ value }) => value);
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    const chosen = this.#actorSelect.value;
    this.#actorSelect.replaceChildren(
      ...wanted.map((value) => html('option', { value }, value === '' ? 'every machine' : value)),
    );
    this.#actorSelect.value = wanted.includes(chosen) ? chosen : '';
  }

  #drawRows(): void {
    const { scrollTop, clientHeight } = this.#host;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE_ROWS);
    // A property set by script is no inline style of the page: the policy allows it.
    this.#inner.style.height = `${Math.max(1, this.#shown.length) * ROW_PX}px`;
    if (this.#shown.length === 0) {
      const none = this.#entries.length === 0 ? 'No event yet.' : 'No event with these words.';
      this.#inner.replaceChildren(html('p', { class: 'empty' }, none));
      return;
    }
    this.#inner.replaceChildren(
      ...this.#shown.slice(first, last).map((row, at) => this.#rowElement(row, first + at)),
    );
  }

  #rowElement(row: LogRow, index: number): HTMLElement {
    const { entry, event, payload, change, effects, isIgnored } = row;
    const isSelected = entry === this.#selected;
    const element = html(
      'div',
      {
        class: `row${isIgnored ? ' ignored' : ''}`,
        role: 'option',
        id: `row-${index}`,
        'aria-selected': isSelected ? 'true' : 'false',
        'aria-setsize': this.#shown.length,
        'aria-posinset': index + 1,
        'data-seq': entry.seq,
      },
      html('span', { class: 'time' }, clock(Date.parse(entry.time))),
      html('span', { class: 'gen' }, `g${entry.generation}`),
      html('span', { class: 'actor' }, entry.actor),
      html('span', { class: `event ${kindOf(entry.event.type)}` }, event),
      html('span', { class: 'change' }, change),
      html('span', { class: 'rest' }, [payload, effects].filter((part) => part !== '').join(' · ')),
    );
    element.style.top = `${index * ROW_PX}px`;
    element.addEventListener('click', () => this.#select(index, false));
    element.addEventListener('dblclick', () => this.#goTo(entry));
    return element;
  }

  #select(index: number, isScrolled: boolean): void {
    const row = this.#shown[index];
    if (row === undefined) return;
    this.#selected = row.entry;
    if (isScrolled) {
      const top = index * ROW_PX;
      if (top < this.#host.scrollTop) this.#host.scrollTop = top;
      const bottom = top + ROW_PX - this.#host.clientHeight;
      if (bottom > this.#host.scrollTop) this.#host.scrollTop = bottom;
    }
    this.#drawRows();
    this.#host.setAttribute('aria-activedescendant', `row-${index}`);
    const { snapshot, ...short } = row.entry;
    setText(this.#detail, JSON.stringify(short, null, 2));
    this.#detail.hidden = false;
  }

  #onKey(event: KeyboardEvent): void {
    const now = this.#shown.findIndex(({ entry }) => entry === this.#selected);
    if (event.key === 'Enter' && this.#selected !== null) this.#goTo(this.#selected);
    else if (event.key === 'ArrowDown') this.#select(Math.min(now + 1, this.#shown.length - 1), true);
    else if (event.key === 'ArrowUp') this.#select(Math.max(now - 1, 0), true);
    else if (event.key === 'Home') this.#select(0, true);
    else if (event.key === 'End') this.#select(this.#shown.length - 1, true);
    else return;
    event.preventDefault();
  }
}
