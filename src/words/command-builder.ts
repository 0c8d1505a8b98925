/**
 * The table as commander's commands: for reading a command line, and for the help.
 */
import { Command, Option } from 'commander';
import { type CommandSpec, type OptionSpec, PROGRAM_OPTIONS } from './options.js';

export const PROGRAM: CommandSpec = {
  name: 'tanist',
  doc: 'Supervises a command with zero downtime: a new version takes over only when it is ready, and a broken one is refused while the old one serves on.',
  operands: '<command> [options]',
  options: PROGRAM_OPTIONS,
};

/** Told of every option that is read, in order; a switch has no value. */
type Heard = (spec: OptionSpec, value: string | undefined) => void;

const deaf: Heard = () => undefined;

/** A command that stops at the first word that is no option, and prints nothing by itself. */
export const buildCommand = (spec: CommandSpec, heard: Heard = deaf): Command => {
  const command = new Command(spec.calledAs ?? (spec === PROGRAM ? 'tanist' : `tanist ${spec.name}`))
    .description(spec.doc)
    .usage([spec === PROGRAM ? '' : '[options]', spec.operands ?? ''].join(' ').trim())
    .helpOption(false)
    .helpCommand(false)
    .passThroughOptions()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  for (const option of spec.options) {
    command.addOption(buildOption(option));
    command.on(`option:${option.flag.slice(2)}`, (value: string | undefined) => heard(option, value));
  }
  return command;
};

const buildOption = (spec: OptionSpec): Option => {
  const names = [spec.short, spec.flag].filter((name) => name !== undefined).join(', ');
  const fallback = spec.fallback === undefined ? '' : ` (default: ${spec.fallback})`;
  const option = new Option(
    spec.value === undefined ? names : `${names} <${spec.value}>`,
    `${spec.doc}${fallback}`,
  ).helpGroup(`${spec.group}:`);
  // For the help alone: commander would take the word behind it for its value.
  if (spec.optionalValue !== undefined) option.flags = `${names}[=${spec.optionalValue}]`;
  return option;
};
