/**
 * The text of an environment file: `NAME=value` a line, as `.env` files have it.
 *
 * What is accepted means the same to Node's own reader of such files (`node --env-file`), which never says what
 * is wrong. What other readers take differently is refused instead of guessed.
 */
import { PRIVATE_VARIABLES } from '../protocol/environment.js';

export interface EnvFileMistake {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface EnvFileContent {
  readonly values: Readonly<Record<string, string>>;
  readonly mistakes: readonly EnvFileMistake[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const QUOTES = ['"', "'", '`'];
const RESERVED_PREFIX = 'TANIST_';

/** A value that ends at the end of its line. */
type Value = { readonly value: string } | { readonly wrong: string };

/** A quoted value, which may go on over several lines: where it ends. */
interface Quoted {
  readonly value: string;
  /** What follows the closing quote in its line. */
  readonly rest: string;
  /** Lines the value goes on for, after its first. */
  readonly moreLines: number;
}

/** Reads the whole text, and tells every mistake in it. A name that is given twice has its last value. */
export const parseEnvFile = (text: string): EnvFileContent => {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const values: Record<string, string> = Object.create(null);
  const mistakes: EnvFileMistake[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const written = (lines[index] ?? '').replace(/^[ \t]+/, '');
    if (written.trim() === '' || written.startsWith('#')) continue;
    const [, name = '', rest = ''] = /^(?:export[ \t]+)?([^=]*?)[ \t]*=(.*)$/s.exec(written) ?? [];
    const quoted = readQuoted(rest.trimStart(), lines.slice(index + 1));
    const read = quoted === null ? readPlain(rest) : closed(quoted);
    index += quoted?.moreLines ?? 0;
    const wrong = nameProblem(written, name) ?? ('wrong' in read ? read.wrong : valueProblem(read.value));
    if (wrong !== null) mistakes.push({ line, message: wrong });
    else if ('value' in read) values[name] = read.value;
  }
  return { values, mistakes };
};

/** Null for a value without quotes, and for one whose quote is never closed. */
const readQuoted = (start: string, following: readonly string[]): Quoted | null => {
  const quote = start[0] ?? '';
  if (!QUOTES.includes(quote)) return null;
  const parts: string[] = [];
  for (const [moreLines, line] of [start.slice(1), ...following].entries()) {
    const end = line.indexOf(quote);
    if (end >= 0) {
      const value = [...parts, line.slice(0, end)].join('\n');
      return { value: quote === '"' ? withNewlines(value) : value, rest: line.slice(end + 1), moreLines };
    }
    parts.push(line);
  }
  return null;
};

/** The one escape that Node's reader knows, and only between double quotes. */
const withNewlines = (value: string): string => value.replaceAll('\\n', '\n');

const closed = ({ value, rest }: Quoted): Value => {
  if (/^\s*(#.*)?$/s.test(rest) && !value.endsWith('\\')) return { value };
  return {
    wrong: value.endsWith('\\')
      ? 'a backslash before the closing quote: expected a value without it, a quote cannot be escaped (use another kind: " \' or `)'
      : 'more text after the closing quote: expected the end of the line or a comment',
  };
};

const readPlain = (rest: string): Value => {
  const quote = rest.trimStart()[0] ?? '';
  if (QUOTES.includes(quote))
    return { wrong: `a value that starts with ${quote}: expected the same at its end` };
  const value = rest.replace(/[ \t]+#.*$/s, '').replace(/^[ \t]+|[ \t]+$/g, '');
  // A shell takes it for a part of the value, other readers for a comment: half a password is worse than none.
  return value.includes('#')
    ? {
        wrong: 'a # in a value without quotes: expected quotes around the value, or a space before a comment',
      }
    : { value };
};

const nameProblem = (written: string, name: string): string | null => {
  if (!written.includes('=')) return `expected NAME=value${otherThan(written)}`;
  if (!NAME.test(name)) {
    return `expected a name of letters, digits and underscores before the "="${otherThan(name)}`;
  }
  if (!name.startsWith(RESERVED_PREFIX) && !PRIVATE_VARIABLES.includes(name)) return null;
  return `expected another name than ${name}: tanist gives it to workers itself`;
};

/** The system ends every variable at a zero character. */
const valueProblem = (value: string): string | null =>
  value.includes('\0') ? 'expected a value without zero characters' : null;

/** What is wrong may be a part of a secret that runs over several lines: nothing is shown that is longer than a name. */
const SHOWN_LENGTH = 20;
const otherThan = (text: string): string =>
  text.length > SHOWN_LENGTH ? '' : `, not ${JSON.stringify(text)}`;
