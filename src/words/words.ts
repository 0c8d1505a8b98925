/**
 * Reads the options of one command from words. Every mistake is told, not only the first.
 */
import { type Command, CommanderError } from 'commander';
import { type Mistake, shown } from '../settings/mistake.js';
import { nearest } from '../settings/suggestion.js';
import { buildCommand } from './command-builder.js';
import type { CommandSpec, OptionSpec } from './options.js';

/** What was read of one command: option words by flag, and the words from the first that is no option. */
export interface Words {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** What is said about words that the command does not know. */
export interface StrangeWords {
  /** Added to the message about an unknown option when none is near it; empty for nothing. */
  readonly option: (option: string) => string;
  /** What was probably meant with a word that is no option. */
  readonly operand: (word: string) => string;
}

/** Thrown out of commander's parser: the word after an option is an option itself. */
class ValueMissing extends Error {
  readonly spec: OptionSpec;
  readonly next: string;

  constructor(spec: OptionSpec, next: string) {
    super(`${spec.flag} needs a value`);
    this.spec = spec;
    this.next = next;
  }
}

/** Reads one command's options. The parser stops at each mistake, so it is started again behind it. */
export const readWords = (spec: CommandSpec, argv: readonly string[], strange: StrangeWords): Words => {
  const values = new Map<string, string[]>();
  const mistakes: Mistake[] = [];
  const command = buildCommand(spec, (option, value) => {
    if (value?.startsWith('--') && !argv.includes(`${option.flag}=${value}`)) {
      throw new ValueMissing(option, value);
    }
    values.set(option.flag, [...(values.get(option.flag) ?? []), value ?? '']);
  });
  let rest = [...argv];
  for (;;) {
    const { operands, unknown, mistake } = readOn(command, rest);
    if (mistake !== undefined) mistakes.push(mistake);
    else if (unknown[0] !== undefined) {
      const given = optionalValue(spec, unknown[0]);
      if (given === null) mistakes.push(unknownOption(spec, unknown[0], strange));
      else values.set(given.flag, [...(values.get(given.flag) ?? []), given.value]);
    } else if (operands[0] !== undefined && spec.operands === undefined) {
      mistakes.push({
        option: operands[0],
        message: `unexpected word ${shown(operands[0])}: ${strange.operand(operands[0])}`,
      });
    } else return { values, operands, mistakes };
    rest = mistake === undefined ? withoutFirst(spec, [...unknown, ...operands]) : unknown;
  }
};

/** A switch that may have a value, written as one word: `--inspect=8080`. */
const optionalValue = (spec: CommandSpec, word: string): { flag: string; value: string } | null => {
  const [, flag = '', value = ''] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  const isKnown = spec.options.some((option) => option.flag === flag && option.optionalValue !== undefined);
  return isKnown ? { flag, value } : null;
};

/**
 * The words after one that is no option of the command. Where a known option was meant that takes a value, the
 * value goes too: left behind, it would be taken for the command, and hide every mistake after it.
 */
const withoutFirst = (spec: CommandSpec, [first = '', ...rest]: readonly string[]): string[] => {
  const flags = spec.options.map(({ flag }) => flag);
  const meant = first.startsWith('-') && !first.includes('=') ? nearest(first, flags) : null;
  const takesValue = spec.options.some(({ flag, value }) => flag === meant && value !== undefined);
  return takesValue && rest[0]?.startsWith('-') === false ? rest.slice(1) : rest;
};

/** Reads as far as possible; a value that is missing is a mistake, and what follows it is still unknown. */
const readOn = (
  command: Command,
  words: string[],
): { operands: string[]; unknown: string[]; mistake?: Mistake } => {
  try {
    return command.parseOptions(words);
  } catch (thrown) {
    if (thrown instanceof ValueMissing) {
      const { spec, next } = thrown;
      const at = words.findIndex((word, index) => word === spec.flag && words[index + 1] === next);
      return { operands: [], unknown: words.slice(at + 1), mistake: valueMissing(spec.flag, next) };
    }
    if (thrown instanceof CommanderError && thrown.code === 'commander.optionMissingArgument') {
      return { operands: [], unknown: [], mistake: valueMissing(words.at(-1) ?? '', undefined) };
    }
    throw thrown;
  }
};

const valueMissing = (option: string, next: string | undefined): Mistake => ({
  option,
  message: `${option} needs a value, but ${next === undefined ? 'the line ends' : `${shown(next)} follows`}`,
});

const unknownOption = (spec: CommandSpec, word: string, strange: StrangeWords): Mistake => {
  const option = word.replace(/=.*$/s, '');
  if (spec.options.some(({ flag }) => flag === option)) {
    return { option, message: `${shown(word)}: expected no value, ${option} is a switch` };
  }
  const flags = spec.options.map(({ flag }) => flag);
  const meant = nearest(option, flags);
  return {
    option,
    message: `unknown option ${option}${meant === null ? strange.option(option) : `: did you mean ${meant}?`}`,
  };
};
