/**
 * Readers of single settings: what is given in, what the program uses out.
 */
import { availableParallelism, constants } from 'node:os';
import { type HealthCheck, MOST_WORKERS, type Readiness, type RespawnLimit } from '../../machines/policy.js';
import { durationReader } from './duration.js';
import { readLoopbackAddress } from './listen-spec.js';
import type { Reader, Reading } from './mistake.js';
import { readFilePath } from './run-directory.js';
import { nearest } from './suggestion.js';

/** The times of so many respawns are kept. */
export const MOST_RESPAWNS = 10_000;

export const choiceReader =
  <const T extends string>(...choices: readonly T[]): Reader<T> =>
  (raw) => {
    const value = choices.find((choice) => choice === raw);
    return value === undefined ? { expected: listed(choices) } : { value };
  };

const listed = (choices: readonly string[]): string =>
  `${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`;

export const readSwitch: Reader<boolean> = (raw, written) => {
  if (written) return { value: true };
  return typeof raw === 'boolean' ? { value: raw } : { expected: 'true or false' };
};

/** The words of a toggle on a command line, where each of its two flags has none. */
export const OFF = 'off';
export const CONTRADICTION = 'on and off';

/** A switch with a second flag that turns it off. */
export const readToggle: Reader<boolean> = (raw, written) => {
  if (written && raw === CONTRADICTION) return { expected: 'either that or its opposite, not both' };
  if (written) return { value: raw !== OFF };
  return typeof raw === 'boolean' ? { value: raw } : { expected: 'true or false' };
};

/** `auto` is the number of processors this process may use. */
export const readWorkers: Reader<number> = (raw, written) => {
  if (raw === 'auto') return { value: availableParallelism() };
  const count = wholeNumber(raw, written);
  return count !== null && count >= 1 && count <= MOST_WORKERS
    ? { value: count }
    : { expected: `a whole number from 1 to ${MOST_WORKERS}, or auto` };
};

export const readStandby: Reader<number> = (raw, written) => {
  const count = wholeNumber(raw, written);
  return count !== null && count >= 0 && count <= MOST_WORKERS
    ? { value: count }
    : { expected: `a whole number from 0 to ${MOST_WORKERS}` };
};

const wholeNumber = (raw: unknown, written: boolean): number | null => {
  if (written) return typeof raw === 'string' && /^\d{1,9}$/.test(raw) ? Number(raw) : null;
  return typeof raw === 'number' && Number.isInteger(raw) ? raw : null;
};

export interface PageAddress {
  /** A literal address. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

const ANY_PORT: PageAddress = { host: '127.0.0.1', port: 0 };

const READINESS_FORMS = 'takeover, http=/path or alive=1s';

export const readReadiness: Reader<Readiness> = (raw, written) => {
  if (typeof raw === 'string') return readinessFromText(raw);
  if (written || !isRecord(raw)) return { expected: READINESS_FORMS };
  if (raw.mode === 'takeover') return { value: { mode: 'takeover' } };
  if (raw.mode === 'http') return httpReadiness(raw.path);
  if (raw.mode === 'alive') return aliveReadiness(raw.forMs, false);
  return { expected: READINESS_FORMS };
};

const readinessFromText = (text: string): Reading<Readiness> => {
  if (text === 'takeover') return { value: { mode: 'takeover' } };
  const [, mode, argument] = /^(http|alive)=(.*)$/s.exec(text) ?? [];
  if (mode === 'http') return httpReadiness(argument);
  if (mode === 'alive') return aliveReadiness(argument, true);
  return { expected: READINESS_FORMS };
};

export const readHealth: Reader<HealthCheck> = (raw, written) => {
  if (typeof raw === 'string' && raw.startsWith('http=')) return httpReadiness(raw.slice('http='.length));
  if (!written && isRecord(raw) && raw.mode === 'http') return httpReadiness(raw.path);
  return { expected: 'http= and a path, such as http=/health' };
};

/** Where the page of the inspector is served; null for nowhere. On a command line the address may be left out. */
export const readPage: Reader<PageAddress | null> = (raw, written) => {
  const expected = 'an address such as 127.0.0.1:0, [::1]:8080 or 8080';
  if (raw === (written ? '' : true)) return { value: ANY_PORT };
  if (!written && raw === false) return { value: null };
  return typeof raw === 'string' ? readLoopbackAddress(raw) : { expected: `true, false or ${expected}` };
};

/** The path goes into a request line as it is: only what may stand there. */
const httpReadiness = (path: unknown): Reading<HealthCheck> =>
  typeof path === 'string' && /^\/[\x21-\x7e]*$/.test(path)
    ? { value: { mode: 'http', path } }
    : { expected: 'a path for http, such as http=/ready (special characters %-encoded)' };

const aliveReadiness = (duration: unknown, written: boolean): Reading<Readiness> => {
  const forMs = durationReader(1)(duration, written);
  return 'expected' in forMs
    ? { expected: `for alive ${forMs.expected}` }
    : { value: { mode: 'alive', forMs: forMs.value } };
};

/** `N/D`: more than N respawns within D. */
export const readRespawnLimit: Reader<RespawnLimit | null> = (raw, written) => {
  if (typeof raw === 'string') {
    const [, count, duration] = /^([^/]*)\/(.*)$/s.exec(raw) ?? [];
    return limit(wholeNumber(count, true), durationReader(1)(duration, true));
  }
  if (!written && raw === null) return { value: null };
  if (written || !isRecord(raw)) return limit(null, { expected: '' });
  return limit(wholeNumber(raw.count, false), durationReader(1)(raw.withinMs, false));
};

const limit = (count: number | null, within: Reading<number>): Reading<RespawnLimit> =>
  count !== null && count >= 0 && count <= MOST_RESPAWNS && 'value' in within
    ? { value: { count, withinMs: within.value } }
    : {
        expected: `a count and a duration, such as 5/1m: at most ${MOST_RESPAWNS} respawns within 1ms to 24h`,
      };

/** These stop or resume a process, or say something about its children; none asks it to leave. */
export const NOT_A_FAREWELL: readonly string[] = [
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGCONT',
  'SIGCHLD',
];

export const readSignal: Reader<string> = (raw) => {
  const known = Object.keys(constants.signals);
  if (typeof raw !== 'string' || !known.includes(raw)) {
    const meant = typeof raw === 'string' ? meantSignal(raw, known) : null;
    return {
      expected: `a signal such as SIGTERM or SIGINT${meant === null ? '' : ` (did you mean ${meant}?)`}`,
    };
  }
  return NOT_A_FAREWELL.includes(raw)
    ? { expected: 'a signal that asks a process to leave, such as SIGTERM' }
    : { value: raw };
};

const meantSignal = (text: string, known: readonly string[]): string | null => {
  const upper = text.toUpperCase();
  return known.find((name) => name === `SIG${upper}`) ?? nearest(upper, known);
};

/** Octal, as chmod and umask have it; a number would be taken for octal by some and for decimal by others. */
export const readUmask: Reader<string> = (raw) =>
  typeof raw === 'string' && /^0?[0-7]{1,3}$/.test(raw)
    ? { value: raw }
    : { expected: 'an octal mask from 000 to 777, such as 022 (in a program or file a string: "022")' };

/** One path or several. */
export const readFilePaths: Reader<readonly string[]> = (raw, written) => {
  const paths: string[] = [];
  for (const item of Array.isArray(raw) ? raw : [raw]) {
    const path = readFilePath(item, written);
    if ('expected' in path) return { expected: `${path.expected}, or a list of them` };
    paths.push(path.value);
  }
  return { value: paths };
};

const isRecord = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw);
