/**
 * What a program that has a supervisor of its own may bring along, beside the settings: things that no command line
 * and no file can say.
 */
import type { InspectionEvent, Observer } from 'xstate';
import type { Effects, OwnEffects } from './actors/provide.js';
import { type Mistake, shown, usageError, wrongValue } from './settings/mistake.js';
import { nearest } from './settings/suggestion.js';

/** The second argument of `createSupervisor()`. */
export interface Embedding {
  /**
   * Sees everything that XState tells of the machines: what `createActor(machine, { inspect })` takes, such as the
   * `inspect` of an inspector of `@statelyai/inspect`. Called within the machine's turn: be quick. What it throws is
   * logged once (`inspect.failed`) and changes nothing. Default nobody.
   */
  readonly inspect?: Observer<InspectionEvent> | ((inspection: InspectionEvent) => void);
  /**
   * Effects of one's own in place of ours, by the names of `tanist/machines`: each is a callback actor with the input,
   * the orders and the facts that its contract names. Called once, before anything is started; of what it leaves out
   * ours are taken. What such an effect throws while it runs ends the supervisor in order (`TANIST_INTERNAL`), as a
   * defect of ours would. Default all of ours.
   */
  readonly provide?: OwnEffects;
  /**
   * Whether SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGTTIN and SIGTTOU are requests to the supervisor. False for a
   * process that is not the supervisor's to end: its signals do what they do without tanist, and `stop()`, `reload()`
   * and the control socket are what is left. Default true.
   */
  readonly takeSignals?: boolean;
  /**
   * Whether an exception or a rejection in this process that nobody catches ends the supervisor in order, instead of
   * the process at once. False leaves both to the program: where it ends by one, the workers see that their supervisor
   * is gone, and leave. Default true.
   */
  readonly takeExceptions?: boolean;
  /** Makes a line of the log pretty: it gets one JSON object with its newline. Null, the default, leaves it JSON. */
  readonly format?: ((line: string) => string) | null;
}

type Reader = (value: unknown) => boolean;

const isFunction: Reader = (value) => typeof value === 'function';
const isBoolean: Reader = (value) => typeof value === 'boolean';
const isObserver: Reader = (value) =>
  isFunction(value) ||
  (typeof value === 'object' && value !== null && 'next' in value && isFunction(value.next));

const KEYS: Readonly<Record<keyof Embedding, readonly [test: Reader, expected: string]>> = {
  inspect: [isObserver, 'a function, or an observer with a function next'],
  provide: [isFunction, 'a function that returns effects'],
  takeSignals: [isBoolean, 'true or false'],
  takeExceptions: [isBoolean, 'true or false'],
  format: [(value) => value === null || isFunction(value), 'a function, or null'],
};

/** What belongs there, and not among the settings. */
export const EMBEDDING_KEYS: readonly string[] = Object.keys(KEYS);

const unknownKey = (key: string, known: readonly string[], place = ''): Mistake => {
  const meant = nearest(key, known);
  const option = `${place}${key}`;
  const hint = meant === null ? '' : `: did you mean ${meant}?`;
  return { option, message: `${option}: expected one of ${known.join(', ')}${hint}` };
};

/** @throws {TanistError} `TANIST_USAGE` with every mistake. */
export const checkEmbedding = (embedding: Embedding): void => {
  if (typeof embedding !== 'object' || embedding === null) {
    const message = `the second argument is ${shown(embedding)}: expected an object, such as { inspect }`;
    throw usageError([{ option: 'embedding', message }]);
  }
  const mistakes = Object.entries(embedding).flatMap(([key, value]: [string, unknown]) => {
    if (!Object.hasOwn(KEYS, key)) return [unknownKey(key, EMBEDDING_KEYS)];
    const [test, expected] = KEYS[key as keyof Embedding];
    return value === undefined || test(value) ? [] : [wrongValue(key, value, expected)];
  });
  if (mistakes.length > 0) throw usageError(mistakes);
};

const isLogic: Reader = (value) =>
  typeof value === 'object' && value !== null && 'transition' in value && isFunction(value.transition);

/**
 * The same, with a look at what it makes: a machine that lacks an effect would wait for it in silence.
 *
 * @throws {TanistError} `TANIST_USAGE` with every mistake.
 */
export const checkedEffects =
  (provide: OwnEffects = () => ({})): OwnEffects =>
  (parts) => {
    const given: unknown = provide(parts);
    if (typeof given !== 'object' || given === null)
      throw usageError([wrongValue('provide', given, 'an object of effects, such as { fork }')]);
    const known = Object.keys(parts.effects);
    const own = Object.entries(given).filter(([, logic]) => logic !== undefined);
    const mistakes = own.flatMap(([name, logic]) => {
      if (!known.includes(name)) return [unknownKey(name, known, 'provide ')];
      return isLogic(logic)
        ? []
        : [wrongValue(`provide ${name}`, logic, 'an actor, such as fromCallback() makes one')];
    });
    if (mistakes.length > 0) throw usageError(mistakes);
    return Object.fromEntries(own) as Partial<Effects>;
  };

/** An inspector that can do no harm. @param fail hears its first exception. */
export const harmless = (
  inspect: Embedding['inspect'],
  fail: (error: unknown) => void,
): ((inspection: InspectionEvent) => void) => {
  if (inspect === undefined) return () => undefined;
  let hasFailed = false;
  return (inspection) => {
    try {
      if (typeof inspect === 'function') inspect(inspection);
      else inspect.next?.(inspection);
    } catch (error) {
      // An observer that throws would end the machine.
      if (!hasFailed) fail(error);
      hasFailed = true;
    }
  };
};
