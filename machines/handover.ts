/**
 * The record one generation gives the next: built by the predecessor, parsed and never trusted by the successor.
 *
 * It is one line of JSON on the private socket. A successor that cannot read it refuses (`incompatible`), and
 * the predecessor goes on.
 */
import { BOUNDS_MS, type Counters } from './counters.js';
import type { BoundListener, Identity } from './events.js';
import type { Account, Handoff } from './policy.js';

/** Grows when a field changes its meaning or goes; a field that is added leaves it alone. */
export const HANDOVER_VERSION = 1;

/** Descriptors as the successor sees them; all from 3 on, none twice. */
export interface HandoverDescriptors {
  /** null without a pid file. */
  readonly lock: number | null;
  /** The stream with the token: whoever gets its one byte decides. */
  readonly token: number;
  /** Both ends of the successor's own life pipe. */
  readonly lifeWrite: number;
  /** Reading end of the successor's own life pipe. */
  readonly lifeRead: number;
  /** Reading end of the predecessor's life pipe. */
  readonly peerRead: number;
  /** The lock shared by the workers of an exclusive daemon; null in overlap mode and without a pid file. */
  readonly fence: number | null;
  /** The far end of the socket pair to the first process; absent where nobody stays as an anchor. */
  readonly anchor?: number;
}

/** Everything a successor has to know of the daemon it is to take over. */
export interface HandoverRecord {
  /** Another one is refused. */
  readonly version: typeof HANDOVER_VERSION;
  /** Package version of the predecessor, for the log. */
  readonly tanist: string;
  /** Of the daemon. */
  readonly name: string;
  /** The absolute path; null without pid file and lock. */
  readonly pidFile: string | null;
  /** The control socket; null for none, absent for the one beside the pid file. */
  readonly control?: string | null;
  /** Both generations must mean the same; another one is refused (`incompatible`). */
  readonly handoff: Handoff;
  /** The successor's number. */
  readonly generation: number;
  /** Who hands over. */
  readonly predecessor: Identity;
  /** The predecessor's workers at the start of the reload; changes follow as messages. */
  readonly workers: readonly Identity[];
  /** Processes of generations before, which lost their supervisor and may still drain; absent for none. */
  readonly leftovers?: readonly Identity[];
  /** When the reload was asked for, milliseconds since 1970, and by which requests. */
  readonly requestedAtMs: number;
  /** The ids of those requests; one without id has none. */
  readonly ids: readonly string[];
  /** How many slots there are, where that was changed live; absent: as the settings say. */
  readonly slots?: number;
  /** SIGHUP stops: standard input was a terminal at the very first start. */
  readonly hangupStops: boolean;
  /** The first process, if it stays as the anchor already. */
  readonly anchor?: Identity;
  /** Whom the daemon runs as; absent where nobody asked for another user. */
  readonly account?: Account;
  /** What was counted before; absent: nothing. */
  readonly counters?: Counters;
  /** What the successor inherits, by number. */
  readonly descriptors: HandoverDescriptors;
  /** Listening sockets, with their descriptors in the successor. */
  readonly listeners: readonly BoundListener[];
}

/** A record that can be used, or what is wrong with it. */
export type ParsedRecord =
  | {
      /** Whether it can be used. */
      readonly ok: true;
      /** The record, every field of it checked. */
      readonly record: HandoverRecord;
    }
  | {
      /** Whether it can be used. */
      readonly ok: false;
      /** What is wrong, in one sentence that names the field. */
      readonly problem: string;
    };

type Check = (value: unknown) => string | null;
type Shape = Readonly<Record<string, Check>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const expecting =
  (what: string, test: (value: unknown) => boolean): Check =>
  (value) =>
    test(value) ? null : `expected ${what}`;

const text = expecting('a string', (value) => typeof value === 'string' && value.length > 0);
const bool = expecting('true or false', (value) => typeof value === 'boolean');
const natural = (least: number): Check =>
  expecting(
    `a whole number from ${least} on`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least,
  );
const time = expecting(
  'a time',
  (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
);
// Node takes no descriptor above a 32-bit signed integer; 0 to 2 are the standard streams.
const descriptor = expecting(
  'a descriptor from 3 on',
  (value) => Number.isSafeInteger(value) && (value as number) >= 3 && (value as number) < 2 ** 31,
);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);
const oneOf = (...values: readonly unknown[]): Check =>
  expecting(values.map((value) => JSON.stringify(value)).join(' or '), (value) => values.includes(value));

const shape =
  (fields: Shape): Check =>
  (value) => {
    if (!isObject(value)) return 'expected an object';
    for (const [key, check] of Object.entries(fields)) {
      const problem = check(value[key]);
      if (problem !== null) return `${key}: ${problem}`;
    }
    return null;
  };

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return 'expected a list';
    for (const [index, item] of value.entries()) {
      const problem = check(item);
      if (problem !== null) return `${index}: ${problem}`;
    }
    return null;
  };

const count = natural(0);
const histogram = shape({
  counts: expecting(
    `a list of ${BOUNDS_MS.length + 1} counts`,
    (value) =>
      Array.isArray(value) &&
      value.length === BOUNDS_MS.length + 1 &&
      value.every((one) => count(one) === null),
  ),
  sumMs: time,
});
const counters = shape({
  reloads: shape({ promoted: count, refused: count, 'rolled-back': count }),
  respawns: count,
  reloadMs: histogram,
  drainMs: histogram,
});

const identity = shape({ pid: natural(1), startTime: orNull(text) });

const recordShape = shape({
  tanist: text,
  name: text,
  pidFile: orNull(text),
  control: orAbsent(orNull(text)),
  handoff: oneOf('overlap', 'exclusive'),
  generation: natural(2),
  predecessor: identity,
  workers: listOf(identity),
  leftovers: orAbsent(listOf(identity)),
  requestedAtMs: time,
  ids: listOf(text),
  slots: orAbsent(natural(1)),
  hangupStops: bool,
  anchor: orAbsent(identity),
  account: orAbsent(shape({ user: orNull(text), uid: natural(0), gid: natural(0) })),
  counters: orAbsent(counters),
  descriptors: shape({
    lock: orNull(descriptor),
    token: descriptor,
    lifeWrite: descriptor,
    lifeRead: descriptor,
    peerRead: descriptor,
    fence: orNull(descriptor),
    anchor: orAbsent(descriptor),
  }),
  listeners: listOf(
    shape({ name: text, address: text, descriptor, file: orAbsent(text), origin: orAbsent(text) }),
  ),
});

const descriptorsOf = (record: HandoverRecord): number[] => {
  const { lock, fence, anchor, ...others } = record.descriptors;
  const own = Object.values(others);
  return [
    ...own,
    ...(lock === null ? [] : [lock]),
    ...(fence === null ? [] : [fence]),
    ...(anchor === undefined ? [] : [anchor]),
    ...record.listeners.map((listener) => listener.descriptor),
  ];
};

/** One line, without its newline. */
export const formatRecord = (record: HandoverRecord): string => JSON.stringify(record);

/** Reads a record; whatever is wrong with it is said in words, nothing is thrown. */
export const parseRecord = (line: string): ParsedRecord => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, problem: 'the hand-over record is not JSON' };
  }
  if (!isObject(value)) return { ok: false, problem: 'the hand-over record is not an object' };
  if (value.version !== HANDOVER_VERSION) {
    return {
      ok: false,
      problem: `the hand-over record has version ${JSON.stringify(value.version)}, this tanist reads ${HANDOVER_VERSION}`,
    };
  }
  const problem = recordShape(value);
  if (problem !== null) return { ok: false, problem: `the hand-over record is not valid: ${problem}` };
  const record = value as unknown as HandoverRecord;
  if ((record.pidFile === null) !== (record.descriptors.lock === null)) {
    return {
      ok: false,
      problem: 'the hand-over record has a lock without a pid file, or a pid file without',
    };
  }
  const descriptors = descriptorsOf(record);
  if (new Set(descriptors).size !== descriptors.length) {
    return { ok: false, problem: 'the hand-over record names one descriptor twice' };
  }
  return { ok: true, record };
};
