/**
 * A status as people read it.
 */
import type { ReloadVerdict, Status, WorkerExit, WorkerStatus } from '../../machines/status.js';
import { importModule } from '../imports.js';
import { printable } from '../words/terminal.js';

/** Everything is shown as of `now`; all text from elsewhere is cleaned first. */
export const statusText = async (status: Status, now: Date, columns: number): Promise<string> => {
  const age = (at: string | null) => ageText(at, now);
  const lines = [
    `${printable(status.name)}: ${printable(status.state)}, generation ${status.generation}, pid ${status.pid}, up ${age(status.startedAt)}, tanist ${printable(status.version)}`,
    `listens on: ${listenersText(status)}`,
    await workerTable([...status.workers, ...status.standby], age, columns),
  ];
  if (status.reload !== null) {
    const successor =
      status.reload.successorPid === null ? '' : `, successor pid ${status.reload.successorPid}`;
    lines.push(
      `reload under way: ${printable(status.reload.phase)} for ${age(status.reload.startedAt)}${successor}`,
    );
  }
  if (status.lastReload !== null) lines.push(lastReloadText(status.lastReload, age));
  return `${lines.join('\n')}\n`;
};

type Age = (at: string | null) => string;

const listenersText = (status: Status): string => {
  const addresses = status.listeners.map(({ name, address }) => `${printable(name)} ${printable(address)}`);
  return addresses.length === 0 ? 'nothing' : addresses.join(', ');
};

const HEAD = ['slot', 'pid', 'state', 'gen', 'up', 'respawns', 'memory', 'last exit', 'status'];
const MEMORY_COLUMN = HEAD.indexOf('memory');
const GAP = '  ';
/** What a worker says may be cut, but not to nothing. */
const LEAST_STATUS_WIDTH = 16;

const MEGABYTE = 1_000_000;

const memoryText = (bytes: number | null): string =>
  bytes === null ? '-' : `${(bytes / MEGABYTE).toFixed(1)} MB`;

/** A worker, and below it the one that is there while it is replaced. */
const rowsOf = (worker: WorkerStatus, age: Age): string[][] => {
  const slot = String(worker.slot);
  const generation = String(worker.generation);
  const { relief } = worker;
  const first = [
    slot,
    String(worker.pid ?? '-'),
    printable(worker.state),
    generation,
    age(worker.startedAt),
    String(worker.respawns),
    memoryText(worker.memoryBytes),
    exitText(worker.lastExit, age),
    worker.status === null ? '-' : printable(worker.status),
  ];
  if (relief === null) return [first];
  const text = 'beside the slot, which gets another worker';
  return [
    first,
    [slot, String(relief.pid ?? '-'), printable(relief.state), generation, '-', '-', '-', '-', text],
  ];
};

/** Where nobody has a limit of memory, none is measured and none is shown. */
const withoutMemory = (row: readonly string[]): string[] =>
  row.filter((_, column) => column !== MEMORY_COLUMN);

const workerTable = async (workers: readonly WorkerStatus[], age: Age, columns: number): Promise<string> => {
  const isMeasured = workers.some(({ memoryBytes }) => memoryBytes !== null);
  const [head = [], ...rows] = [HEAD, ...workers.flatMap((worker) => rowsOf(worker, age))].map((row) =>
    isMeasured ? [...row] : withoutMemory(row),
  );
  const widths = head
    .slice(0, -1)
    .map((word, column) => Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const used = widths.reduce((sum, width) => sum + width + GAP.length, GAP.length);
  // The library is needed only here, and not when a supervisor runs.
  const { default: Table } = (await importModule('cli-table3')) as {
    readonly default: typeof import('cli-table3');
  };
  const table = new Table({
    chars: BORDERLESS,
    head,
    colWidths: [...widths.map((width) => width + GAP.length), Math.max(columns - used, LEAST_STATUS_WIDTH)],
    style: { head: [], border: [], 'padding-left': GAP.length, 'padding-right': 0 },
  });
  table.push(...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

const exitText = (exit: WorkerExit | null, age: Age): string => {
  if (exit === null) return '-';
  return `${exit.signal === null ? `status ${exit.code}` : printable(exit.signal)}, ${age(exit.at)} ago`;
};

const lastReloadText = (verdict: ReloadVerdict, age: Age): string => {
  const reason = verdict.reason === null ? '' : ` (${printable(verdict.reason)})`;
  const detail = verdict.detail === null ? '' : `: ${printable(verdict.detail)}`;
  return `last reload: generation ${verdict.generation} ${verdict.outcome}${reason} ${age(verdict.at)} ago${detail}`;
};

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** The two largest units, as in `3h 12m`; a clock that was set back shows `0s`. */
const ageText = (at: string | null, now: Date): string => {
  const seconds = at === null ? Number.NaN : Math.floor((now.getTime() - Date.parse(at)) / 1_000);
  if (Number.isNaN(seconds)) return '-';
  let rest = Math.max(seconds, 0);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(' ') || '0s';
};
