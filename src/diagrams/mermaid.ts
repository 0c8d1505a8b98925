/**
 * A chart as a mermaid `stateDiagram-v2`: states nested as they are, one line an arrow.
 */
import { ALWAYS, everyState, type State, type Way } from './chart.js';

const INDENT = '  ';

/** Mermaid takes letters, digits and underscores for a name. */
const idOf = (path: string): string => path.replaceAll('.', '_');

/** A colon ends a mermaid label, a semicolon its statement. */
const plain = (text: string): string =>
  text
    .replaceAll(': ', ' – ')
    .replaceAll(':', ' ')
    .replaceAll(';', ',')
    .replaceAll('"', "'")
    .replaceAll('#', '');

const labelOf = ({ event, guard }: Way): string =>
  guard === '' ? plain(event) : `${plain(event)} [${plain(guard)}]`;

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => INDENT + line);

/** Facts that change nothing but what is known are named in the table: as arrows they would hide the others. */
const arrows = (state: State): readonly string[] => {
  const labels = new Map<string, string[]>();
  for (const way of state.ways) {
    if (way.target === null) continue;
    labels.set(way.target, [...(labels.get(way.target) ?? []), labelOf(way)]);
  }
  return [...labels].map(
    ([target, names]) => `${idOf(state.path)} --> ${idOf(target)} : ${[...new Set(names)].join('<br/>')}`,
  );
};

/** Columns of a description in its box. */
const WIDTH = 34;

const wrapped = (text: string): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
};

const declared = (state: State): readonly string[] => {
  const id = idOf(state.path);
  if (state.states.length === 0) {
    const invokes = state.invokes.map((invoke) => `invoke ${invoke}`);
    const words = [state.name, ...invokes, ...wrapped(plain(state.description))];
    return [`state "${words.join('<br/>')}" as ${id}`];
  }
  return [`state "${state.name}" as ${id} {`, ...indented(inside(state)), '}'];
};

const inside = (state: State): readonly string[] => [
  ...(state.initial === null ? [] : [`[*] --> ${idOf(state.initial)}`]),
  ...state.states.flatMap(declared),
  ...state.states.filter(({ isFinal }) => isFinal).map(({ path }) => `${idOf(path)} --> [*]`),
];

const notes = (chart: State): readonly string[] => {
  const ways = chart.ways.filter(({ target }) => target !== null);
  return ways.map((way) => `%% from every state: ${labelOf(way)} --> ${way.target}`);
};

/** The arrows come last: mermaid then knows every state they join. */
export const mermaidOf = (chart: State): string =>
  [
    'stateDiagram-v2',
    ...indented([
      'direction TB',
      ...inside(chart),
      ...everyState(chart)
        .filter(({ path }) => path !== '')
        .flatMap(arrows),
      ...notes(chart),
    ]),
  ].join('\n');

export const isImmediate = ({ event }: Way): boolean => event === ALWAYS;
