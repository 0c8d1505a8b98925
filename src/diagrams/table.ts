/**
 * A chart as tables: what every state is, and what every event does in it, "ignored" written out.
 */
import { everyState, leavesOf, type State, type Way } from './chart.js';
import { isImmediate } from './mermaid.js';

/** A pipe would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** From the leaf outwards: the machine asks in this order. */
const lineage = (chart: State, leaf: State): readonly State[] => {
  const states = everyState(chart);
  const names = leaf.path.split('.');
  const paths = names.map((_, index) => names.slice(0, names.length - index).join('.'));
  return [...paths, ''].flatMap((path) => states.filter((state) => state.path === path));
};

const outcomeOf = ({ target, reenters, actions }: Way, from: State): string => {
  const where =
    target === null ? 'stays' : reenters && target === from.path ? `${target} (anew)` : `→ ${target}`;
  return actions.length === 0 ? where : `${where} / ${actions.join(', ')}`;
};

const textOf = (way: Way, from: State): string =>
  way.guard === '' ? outcomeOf(way, from) : `[${way.guard}] ${outcomeOf(way, from)}`;

/** What an event does in a leaf: the first whose guard holds, of the leaf and of what encloses it. */
const cellOf = (states: readonly State[], event: string): string => {
  const texts: string[] = [];
  for (const state of states) {
    for (const way of state.ways.filter((candidate) => candidate.event === event)) {
      texts.push(textOf(way, state));
      if (way.guard === '') return texts.join('; else ');
    }
  }
  return texts.length === 0 ? 'ignored' : [...texts, 'ignored'].join('; else ');
};

/** Events in the order of the config, each once. */
export const eventsOf = (chart: State): readonly string[] => [
  ...new Set(
    everyState(chart).flatMap(({ ways }) =>
      ways.filter((way) => !isImmediate(way)).map(({ event }) => event),
    ),
  ),
];

/** A final leaf hears nothing, and one that is left at once never waits for an event. */
const listens = ({ isFinal, ways }: State): boolean =>
  !isFinal && !ways.some((way) => isImmediate(way) && way.guard === '');

export const stateTable = (chart: State): string =>
  tableOf(
    ['state', 'what it is', 'on entry', 'runs'],
    everyState(chart)
      .filter(({ path }) => path !== '')
      .map(({ path, description, entry, invokes, ways }) => [
        `\`${path}\``,
        [description, ...ways.filter(isImmediate).map((way) => `*At once:* ${textOf(way, chart)}.`)].join(
          ' ',
        ),
        entry.join(', '),
        invokes.join(', '),
      ]),
  );

/** One table a leaf: beside each other they would not fit any page. */
export const eventTables = (chart: State): string =>
  leavesOf(chart)
    .filter(listens)
    .map((leaf) => {
      const states = lineage(chart, leaf);
      const rows = eventsOf(chart).map((event) => [`\`${event}\``, cellOf(states, event)]);
      return `### ${leaf.path}\n\n${leaf.description}\n\n${tableOf(['event', 'what happens'], rows)}`;
    })
    .join('\n\n');
