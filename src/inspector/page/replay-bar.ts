/**
 * The slider over everything that was recorded.
 */
import type { JournalEntry } from '../../journal/entry.js';
import { eventText } from '../view/arrows.js';
import type { Timeline } from '../view/timeline.js';
import { clock } from '../view/words.js';
import { byId, setText } from './element.js';

export class ReplayBar {
  readonly #slider = byId<HTMLInputElement>('slider');
  readonly #live = byId<HTMLButtonElement>('live');
  readonly #timeline: Timeline;
  readonly #changed: () => void;
  /** The last event of the moment that is shown; null for the latest there is. */
  #at: JournalEntry | null = null;

  constructor(timeline: Timeline, changed: () => void) {
    this.#timeline = timeline;
    this.#changed = changed;
    this.#slider.addEventListener('input', () => this.#go(Number(this.#slider.value)));
    byId('step-back').addEventListener('click', () => this.#go(this.count - 1));
    byId('step-on').addEventListener('click', () => this.#go(this.count + 1));
    this.#live.addEventListener('click', () => this.goTo(null));
  }

  get isLive(): boolean {
    return this.#at === null;
  }

  /** How many entries there are up to the moment that is shown. */
  get count(): number {
    const { entries } = this.#timeline;
    const index = this.#at === null ? -1 : entries.lastIndexOf(this.#at);
    return index < 0 ? entries.length : index + 1;
  }

  goTo(entry: JournalEntry | null): void {
    this.#at = entry;
    this.#changed();
  }

  #go(count: number): void {
    const { entries } = this.#timeline;
    const wanted = Math.max(1, count);
    this.goTo(wanted >= entries.length ? null : (entries[wanted - 1] ?? null));
  }

  draw(isRecording: boolean): void {
    const { entries } = this.#timeline;
    // What was forgotten cannot be shown any more.
    if (this.#at !== null && !entries.includes(this.#at)) this.#at = null;
    const { count } = this;
    const entry = entries[count - 1];
    this.#slider.max = String(Math.max(1, entries.length));
    this.#slider.value = String(count);
    this.#slider.disabled = entries.length < 2;
    const words =
      entry === undefined
        ? 'nothing recorded'
        : `${clock(Date.parse(entry.time))} ${entry.actor} ${eventText(entry.event)}`;
    this.#slider.setAttribute('aria-valuetext', `event ${count} of ${entries.length}, ${words}`);
    setText(byId('moment'), words);
    setText(this.#live, isRecording ? 'End' : 'Live');
    this.#live.setAttribute('aria-pressed', String(this.isLive));
  }
}
