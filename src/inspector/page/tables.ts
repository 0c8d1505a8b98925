/**
 * The workers as a table, and the alarms that are set.
 */
import { workersOf } from '../view/fold.js';
import type { AlarmView, GenerationView, WorkerView } from '../view/picture.js';
import { lifeOf } from '../view/states.js';
import { exitText, size, span } from '../view/words.js';
import { LIFE_WORDS, slotText } from './bars.js';
import { type Child, html } from './element.js';
import type { UsageByPid } from './source.js';

export interface TableView {
  readonly nowMs: number;
  /** Null where what is shown is not now. */
  readonly usage: UsageByPid | null;
  /** Null where nobody may. */
  readonly kill: ((pid: number) => void) | null;
}

const HEADS = ['slot', 'state', 'pid', 'up', 'respawns', 'next', 'memory', 'CPU', 'last exit'] as const;

const stateCell = (worker: WorkerView): Child => {
  const kind = worker.isHearsay ? 'boot' : lifeOf(worker.state);
  const words = kind === null ? worker.state : LIFE_WORDS[kind];
  return html('span', { class: `dot ${kind ?? 'none'}`, title: worker.state }, words);
};

const rowOf = (worker: WorkerView, { nowMs, usage, kill }: TableView): HTMLElement => {
  const { pid, spawnedAtMs, respawnAtMs, lastExit } = worker;
  const used = pid === null ? undefined : usage?.[pid];
  const memoryBytes = used?.memoryBytes ?? worker.memoryBytes;
  const cpu = used?.cpuPercent ?? null;
  const cells: readonly Child[] = [
    worker.isHearsay ? '?' : slotText(worker).replace('slot ', ''),
    stateCell(worker),
    pid === null ? '–' : String(pid),
    pid === null || spawnedAtMs === null ? '–' : span(nowMs - spawnedAtMs),
    String(worker.respawns),
    respawnAtMs === null ? '–' : `in ${span(respawnAtMs - nowMs)}`,
    memoryBytes === null ? '–' : size(memoryBytes),
    cpu === null ? '–' : `${cpu.toFixed(1)} %`,
    lastExit === null ? '–' : `${exitText(lastExit)}, ${span(nowMs - lastExit.atMs)} ago`,
  ];
  const row = html('tr', { 'data-worker': worker.actor }, ...cells.map((cell) => html('td', {}, cell)));
  if (worker.says !== '') row.title = worker.says;
  if (kill === null) return row;
  const button = html('button', { type: 'button', class: 'danger small', disabled: pid === null }, 'Kill');
  button.setAttribute('aria-label', `Kill the worker of ${slotText(worker)}`);
  button.addEventListener('click', () => pid !== null && kill(pid));
  row.append(html('td', {}, button));
  return row;
};

/** Only the cells that differ are touched, so that a button keeps the focus and a click is not lost. */
const update = (host: HTMLElement, made: HTMLElement): void => {
  const old = host.firstElementChild;
  if (old === null || !old.isEqualNode(made)) {
    const focused = document.activeElement?.closest('[data-worker]')?.getAttribute('data-worker');
    host.replaceChildren(made);
    if (focused !== undefined && focused !== null)
      [...made.querySelectorAll<HTMLElement>('[data-worker]')]
        .find((row) => row.dataset.worker === focused)
        ?.querySelector('button')
        ?.focus();
  }
};

export const drawWorkers = (host: HTMLElement, generation: GenerationView | null, view: TableView): void => {
  const workers = generation === null ? [] : workersOf(generation);
  if (workers.length === 0) return update(host, html('p', { class: 'empty' }, 'No worker yet.'));
  const heads = view.kill === null ? HEADS : [...HEADS, ''];
  const caption = `Workers of generation ${generation?.generation ?? ''}`;
  update(
    host,
    html(
      'table',
      {},
      html('caption', { class: 'unseen' }, caption),
      html('thead', {}, html('tr', {}, ...heads.map((head) => html('th', { scope: 'col' }, head)))),
      html('tbody', {}, ...workers.map((worker) => rowOf(worker, view))),
    ),
  );
};

const alarmRow = ({ actor, alarm, setAtMs, dueAtMs }: AlarmView, nowMs: number): HTMLElement => {
  const whole = dueAtMs === null ? 0 : dueAtMs - setAtMs;
  const rest = dueAtMs === null ? 0 : Math.max(0, dueAtMs - nowMs);
  const meter = html('progress', { max: 1, value: whole <= 0 ? 0 : rest / whole, 'aria-hidden': true });
  const words = dueAtMs === null ? 'set before this was recorded' : `${span(rest)} of ${span(whole)}`;
  return html(
    'li',
    { 'data-alarm': alarm },
    html('span', { class: 'alarm-name' }, alarm),
    html('span', { class: 'faint' }, actor),
    meter,
    html('span', { class: 'number' }, words),
  );
};

export const drawAlarms = (
  host: HTMLElement,
  generations: readonly GenerationView[],
  nowMs: number,
): void => {
  const alarms = generations
    .flatMap((one) => [...one.alarms.values()].map((alarm) => ({ alarm, generation: one.generation })))
    .sort((a, b) => (a.alarm.dueAtMs ?? 0) - (b.alarm.dueAtMs ?? 0));
  host.replaceChildren(
    ...(alarms.length === 0
      ? [html('li', { class: 'empty' }, 'None: nothing is waited for with a limit.')]
      : alarms.map(({ alarm }) => alarmRow(alarm, nowMs))),
  );
};
