/**
 * What comes out of a control socket, checked before it is believed: another version may sit behind it.
 */
import type { ReloadVerdict, ScaleVerdict, Status } from '../../machines/status.js';
import { isErrorCode, TanistError } from '../errors.js';
import { shown } from '../settings/mistake.js';
import { printable } from '../words/terminal.js';

type Json = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

export const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new TanistError('TANIST_CONTROL_PROTOCOL', `the answer is not JSON: ${shown(body)}`, { cause });
  }
};

/** The error an answer carries; one without a known code is not understood. */
export const errorAnswer = (status: number, body: string): TanistError => {
  const json = parseJson(body);
  const error = isObject(json) ? json.error : undefined;
  if (!isObject(error) || typeof error.code !== 'string' || typeof error.message !== 'string') {
    return new TanistError(
      'TANIST_CONTROL_PROTOCOL',
      `the answer has status ${status} and is ${shown(json)}`,
    );
  }
  const message = printable(error.message);
  if (!/^TANIST_[A-Z_]+$/.test(error.code) || !isErrorCode(error.code)) {
    return new TanistError('TANIST_CONTROL_PROTOCOL', `${printable(error.code)}: ${message}`);
  }
  return new TanistError(
    error.code,
    message,
    typeof error.hint === 'string' ? { hint: printable(error.hint) } : {},
  );
};

export const verdictFrom = (json: unknown): ReloadVerdict => {
  if (isObject(json) && fits(json, VERDICT)) return json as unknown as ReloadVerdict;
  throw notUnderstood('verdict', json);
};

export const scaleVerdictFrom = (json: unknown): ScaleVerdict => {
  if (isObject(json) && fits(json, SCALE_VERDICT)) return json as unknown as ScaleVerdict;
  throw notUnderstood('verdict', json);
};

export const statusFrom = (json: unknown): Status => {
  if (isObject(json) && fits(json, STATUS)) return json as unknown as Status;
  throw notUnderstood('status', json);
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** What an older version does not tell. */
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && fits(value, shape);

/** Fields may be added, and a word that is new is only shown: what is used must have its type. */
const fits = (json: Json, shape: Readonly<Record<string, Check>>): boolean =>
  Object.entries(shape).every(([key, check]) => check(json[key]));

const SCALE_VERDICT: Readonly<Record<string, Check>> = {
  outcome: text,
  workers: number,
  from: number,
  reason: orNull(text),
  detail: orNull(text),
  durationMs: number,
};

const VERDICT = {
  outcome: (value) => value === 'promoted' || value === 'refused' || value === 'rolled-back',
  reason: orNull(text),
  detail: orNull(text),
  generation: number,
  pid: orAbsent(orNull(number)),
  durationMs: number,
  at: text,
  ids: listOf(text),
} satisfies Record<string, Check>;

const WORKER = {
  slot: number,
  pid: orNull(number),
  state: text,
  generation: number,
  startedAt: orNull(text),
  respawns: number,
  lastExit: orNull(object({ code: orNull(number), signal: orNull(text), at: text })),
  status: orNull(text),
} satisfies Record<string, Check>;

const STATUS = {
  name: text,
  version: text,
  state: text,
  generation: number,
  pid: number,
  startedAt: text,
  handoff: text,
  logFile: orAbsent(orNull(text)),
  pidFile: orAbsent(orNull(text)),
  journal: orAbsent(orNull(text)),
  origin: orAbsent(
    orNull(object({ command: text, args: listOf(text), directory: text, commandLine: orNull(listOf(text)) })),
  ),
  listeners: listOf(object({ name: text, address: text })),
  workers: listOf(object(WORKER)),
  standby: listOf(object(WORKER)),
  reload: orNull(object({ phase: text, startedAt: text, successorPid: orNull(number) })),
  lastReload: orNull(object(VERDICT)),
} satisfies Record<string, Check>;

const notUnderstood = (what: string, json: unknown): TanistError =>
  new TanistError('TANIST_CONTROL_PROTOCOL', `the answer is not a ${what}: ${shown(json)}`);
