/**
 * A definition is checked as a whole, before anything is done with it: all mistakes are told at once.
 */
import { checkSettings } from '../config.js';
import { TanistError } from '../errors.js';
import { durationReader } from '../settings/duration.js';
import { SETTING_KEYS } from '../settings/fields.js';
import { type Mistake, shown, usageError, wrongValue } from '../settings/mistake.js';
import { readName } from '../settings/run-directory.js';
import { nearest } from '../settings/suggestion.js';
import { isBuiltIn } from './command-line.js';
import type { DaemonDefinition, OptionDeclaration, OptionDeclarations } from './definition.js';
import { flagOfName, OPTION_TYPES, readDefault } from './option-values.js';

/** The keys of a definition that are no settings of a supervisor. */
const OWN_KEYS = [
  'name',
  'documentation',
  'options',
  'canDoHotReload',
  'pingEveryMs',
  'supervisedProcess',
  'supervisedShutdown',
] as const;

/** Settings that the definition itself decides, and in which words. */
const DECIDED: Readonly<Record<string, string>> = {
  command: 'a daemon is its own command',
  args: 'a daemon is started with its original arguments',
  noHotReload: 'say canDoHotReload: false',
  adopt: 'a daemon says itself when it is ready',
};

const NAME = /^[a-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$/;

/** Settings are judged as they are, not by the machine the program happens to be on. */
const ANYWHERE = {
  env: { TANIST_RUN_DIR: '/' },
  cwd: '/',
  uid: 0,
  platform: process.platform,
  accounts: null,
};

const isRecord = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw);

/** @throws {TanistError} `TANIST_DEFINITION` with every mistake. */
export const checkDefinition = (definition: DaemonDefinition): void => {
  const mistakes = isRecord(definition)
    ? [...ownMistakes(definition), ...optionMistakes(definition.options), ...settingMistakes(definition)]
    : [wrongValue('definition', definition, 'an object')];
  if (mistakes.length === 0) return;
  const { message, problems } = usageError(mistakes);
  throw new TanistError('TANIST_DEFINITION', `defineDaemon: ${message}`, { problems });
};

const ownMistakes = (definition: Readonly<Record<string, unknown>>): Mistake[] => {
  const mistakes: Mistake[] = [];
  const expect = (key: string, isRight: boolean, expected: string) => {
    if (!isRight) mistakes.push(wrongValue(key, definition[key], expected));
  };
  const { name, documentation, canDoHotReload, pingEveryMs } = definition;
  const readableName = readName(name, false);
  expect('name', 'value' in readableName, 'expected' in readableName ? readableName.expected : '');
  expect('documentation', typeof documentation === 'string' && documentation.trim() !== '', 'a text');
  expect('supervisedProcess', typeof definition.supervisedProcess === 'function', 'a function');
  const { supervisedShutdown } = definition;
  expect(
    'supervisedShutdown',
    supervisedShutdown === undefined || typeof supervisedShutdown === 'function',
    'a function',
  );
  expect(
    'canDoHotReload',
    canDoHotReload === undefined || typeof canDoHotReload === 'boolean',
    'true or false',
  );
  const pause = durationReader(1)(pingEveryMs, false);
  const isPause = pingEveryMs === undefined || pingEveryMs === false || 'value' in pause;
  expect('pingEveryMs', isPause, `${'expected' in pause ? pause.expected : ''}, or false`);
  return mistakes;
};

const optionMistakes = (options: unknown): Mistake[] => {
  if (options === undefined) return [];
  if (!isRecord(options)) return [wrongValue('options', options, 'an object of declarations by name')];
  const names = Object.keys(options);
  return names.flatMap((name, index) => {
    const place = `options.${name}`;
    const twin = names.slice(0, index).find((other) => flagOfName(other) === flagOfName(name));
    if (!NAME.test(name)) {
      const expected =
        'a name of letters and digits that starts with a small letter, such as maxRate or max-rate';
      return [{ option: place, message: `option ${shown(name)}: expected ${expected}` }];
    }
    const flag = flagOfName(name);
    if (isBuiltIn(flag)) {
      return [{ option: place, message: `${place}: ${flag} is an option of tanist: expected another name` }];
    }
    if (twin !== undefined) {
      return [{ option: place, message: `${place}: ${flag} is the option ${twin} already` }];
    }
    return declarationMistakes(place, flag, options[name]);
  });
};

const declarationMistakes = (place: string, flag: string, declaration: unknown): Mistake[] => {
  if (!isRecord(declaration))
    return [wrongValue(place, declaration, 'an object with type and documentation')];
  const mistakes: Mistake[] = [];
  const { type, documentation } = declaration;
  if (typeof documentation !== 'string' || documentation.trim() === '')
    mistakes.push(wrongValue(`${place}.documentation`, documentation, 'a text'));
  for (const key of Object.keys(declaration)) {
    if (!['type', 'documentation', 'default'].includes(key))
      mistakes.push({
        option: `${place}.${key}`,
        message: `${place}.${key}: expected type, documentation and default alone`,
      });
  }
  if (typeof type !== 'string' || !Object.hasOwn(OPTION_TYPES, type)) {
    mistakes.push(wrongValue(`${place}.type`, type, 'switch, string, integer, float or duration'));
    return mistakes;
  }
  // The parser takes a word that begins so for the opposite of another one, which has no value.
  if (flag.startsWith('--no-') && type !== 'switch')
    mistakes.push(wrongValue(`${place}.type`, type, `switch: ${flag} turns something off`));
  const reading = readDefault(declaration as unknown as OptionDeclaration);
  if ('expected' in reading)
    mistakes.push(wrongValue(`${place}.default`, declaration.default, reading.expected));
  return mistakes;
};

const settingMistakes = (definition: Readonly<Record<string, unknown>>): Mistake[] => {
  const settings: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [key, value] of Object.entries(definition)) {
    if ((OWN_KEYS as readonly string[]).includes(key) || value === undefined) continue;
    const meant = SETTING_KEYS.includes(key) ? null : nearest(key, OWN_KEYS);
    if (DECIDED[key] !== undefined) mistakes.push({ option: key, message: `${key}: ${DECIDED[key]}` });
    else if (meant !== null)
      mistakes.push({ option: key, message: `unknown key ${key}: did you mean ${meant}?` });
    else settings[key] = value;
  }
  const checked = checkSettings({ command: 'daemon', ...settings }, ANYWHERE);
  return [...mistakes, ...('mistakes' in checked ? checked.mistakes : [])];
};

/** The settings that a definition brings along. */
export const settingsIn = (
  definition: DaemonDefinition<OptionDeclarations>,
): Readonly<Record<string, unknown>> => {
  const given = Object.entries(definition).filter(
    ([key, value]) =>
      value !== undefined && (key === 'name' || !(OWN_KEYS as readonly string[]).includes(key)),
  );
  return { ...Object.fromEntries(given), noHotReload: definition.canDoHotReload !== true, adopt: false };
};
