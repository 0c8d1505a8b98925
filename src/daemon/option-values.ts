/**
 * The program's own options: from words to values, and from defaults.
 */
import { TanistError } from '../errors.js';
import { durationReader, formatDuration } from '../settings/duration.js';
import { type Mistake, type Reader, type Reading, shown, wrongValue } from '../settings/mistake.js';
import { readSwitch } from '../settings/readers.js';
import { nearest } from '../settings/suggestion.js';
import type { OptionDeclaration, OptionDeclarations, OptionValues } from './definition.js';

type Type = OptionDeclaration['type'];

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

const numberReader =
  (written: RegExp, fits: (value: number) => boolean, expected: string): Reader<number> =>
  (raw, isWritten) => {
    const value = isWritten && written.test(String(raw)) ? Number(raw) : raw;
    return typeof value === 'number' && fits(value) ? { value } : { expected };
  };

const readDuration = durationReader(0);

/** What each type accepts; `value` stands for it in the help, and a switch has none. */
export const OPTION_TYPES: Readonly<
  Record<Type, { readonly read: Reader<unknown>; readonly value?: string }>
> = {
  switch: { read: readSwitch },
  string: {
    value: 'TEXT',
    read: (raw) => (typeof raw === 'string' ? { value: raw } : { expected: 'a text' }),
  },
  integer: {
    value: 'N',
    read: numberReader(WHOLE, Number.isSafeInteger, 'a whole number such as 7 or -12'),
  },
  float: { value: 'X', read: numberReader(DECIMAL, Number.isFinite, 'a number such as 7, -0.5 or 1e-3') },
  duration: { value: 'D', read: readDuration },
};

/** The value of a default; a duration may be written. */
export const readDefault = ({ type, default: raw }: OptionDeclaration): Reading<unknown> => {
  if (raw === undefined) return { value: type === 'switch' ? false : undefined };
  if (type !== 'switch') return OPTION_TYPES[type].read(raw, type === 'duration' && typeof raw === 'string');
  return raw === false
    ? { value: false }
    : { expected: 'false: a switch is off until it is given (call it no-… to turn something off)' };
};

/** A default as the help shows it. */
export const defaultText = (declaration: OptionDeclaration): string | undefined => {
  if (declaration.type === 'switch' || declaration.default === undefined) return undefined;
  const { value } = readDefault(declaration) as { value: unknown };
  return declaration.type === 'duration' ? formatDuration(value as number) : String(value);
};

/** `maxRate` and `max-rate` are both `--max-rate`. */
export const flagOfName = (name: string): `--${string}` =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Reads every declared option from the words behind its flag; the last of several counts. */
export const readOptions = (
  declared: OptionDeclarations,
  words: ReadonlyMap<string, readonly string[]>,
): { readonly values: Readonly<Record<string, unknown>>; readonly mistakes: readonly Mistake[] } => {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [name, declaration] of Object.entries(declared)) {
    const flag = flagOfName(name);
    const word = words.get(flag)?.at(-1);
    const reading =
      word === undefined ? readDefault(declaration) : OPTION_TYPES[declaration.type].read(word, true);
    if ('value' in reading) values[name] = reading.value;
    else mistakes.push(wrongValue(flag, word, reading.expected));
  }
  return { values, mistakes };
};

/** What asks every object for these means no option: promises, JSON, string conversion. */
const ASKED_OF_ALL: readonly string[] = ['then', 'toJSON', ...Object.getOwnPropertyNames(Object.prototype)];

/** The values, as an object that cannot be changed, and that refuses names which were not declared. */
export const guardValues = (values: Readonly<Record<string, unknown>>): OptionValues<OptionDeclarations> => {
  const names = Object.keys(values);
  return new Proxy(Object.freeze({ ...values }) as OptionValues<OptionDeclarations>, {
    get: (target, name, receiver) => {
      if (typeof name === 'symbol' || Object.hasOwn(target, name) || ASKED_OF_ALL.includes(name))
        return Reflect.get(target, name, receiver);
      const meant = nearest(name, names);
      const declared = names.length === 0 ? 'none is declared' : `declared are ${names.join(', ')}`;
      throw new TanistError(
        'TANIST_UNDECLARED_OPTION',
        `the option ${shown(name)} was not declared: ${meant === null ? declared : `did you mean ${meant}?`}`,
      );
    },
  });
};
