/**
 * The help of the program and of each command, wrapped to the width of the terminal.
 */
import { Command, type Help } from 'commander';
import { buildCommand, PROGRAM } from './command-builder.js';
import { COMMANDS } from './command-table.js';
import { type CommandSpec, EXIT_STATUSES, SIGNALS } from './options.js';

/** Longer lines are hard to read, narrower columns hold no word. */
const WIDTH = { least: 40, most: 100, leastColumn: 16 } as const;

type Row = readonly [term: string, description: string];

export const helpText = (spec: CommandSpec, columns: number): string => {
  const helpWidth = Math.min(Math.max(columns, WIDTH.least), WIDTH.most);
  const command = buildCommand(spec).configureHelp({
    helpWidth,
    minWidthToWrap: WIDTH.leastColumn,
    // The table's placeholders are in capitals: angle brackets around them say nothing more.
    optionTerm: (option) => option.flags.replaceAll(/[<>]/g, ''),
    subcommandTerm: (subcommand) => subcommand.name(),
  });
  if (spec === PROGRAM) addSubcommands(command);
  const helper = command.createHelp();
  helper.prepareContext({ helpWidth });
  const lists = listsFor(spec).flatMap(([heading, rows]) => formatList(heading, rows, helper));
  return `${[command.helpInformation().trimEnd(), '', ...lists].join('\n').trimEnd()}\n`;
};

/** They are only named here: a command line is read in two steps, tanist's own options first. */
const addSubcommands = (program: Command): void => {
  for (const { name, doc } of COMMANDS) program.addCommand(new Command(name).description(doc));
};

const listsFor = (spec: CommandSpec): readonly (readonly [string, readonly Row[]])[] => {
  const statuses = ['Exit status:', EXIT_STATUSES] as const;
  if (spec === PROGRAM)
    return [statuses, ['More:', [['tanist <command> --help', 'the options of a command']]]];
  const durations = [
    'Durations (D):',
    [['250ms, 1.5s, 2m, 1h', 'a number without a unit is refused']],
  ] as const;
  return spec.name === 'run' || spec.calledAs !== undefined
    ? [durations, ['Signals:', SIGNALS], statuses]
    : [durations, statuses];
};

const formatList = (heading: string, rows: readonly Row[], helper: Help): string[] => {
  const termWidth = Math.max(...rows.map(([term]) => term.length));
  const items = rows.map(([term, description]) => helper.formatItem(term, termWidth, description, helper));
  return helper.formatItemList(heading, items, helper);
};
