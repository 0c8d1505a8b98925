/**
 * The log: one JSON line a fact, written at once, so that the last line before a crash is there.
 *
 * In a generation that is in charge it is written at the end of the turn of the event loop, after what the fact has
 * led to: a standby need not wait for words about a death. One that is not in charge may be killed for what it tells
 * the other generation, and says first why.
 *
 * It is an observer of the machine. Nothing in it can stop the supervisor: lines that cannot be written are
 * counted, and the count is told when writing works again.
 */
import { writeSync } from 'node:fs';
import pino from 'pino';
import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import type { SupervisorEvent } from '../machines/events.js';
import { topState } from '../machines/status.js';
import type { SupervisorContext } from '../machines/supervisor.js';
import { type Line, slotLine, supervisorLine } from './log-lines.js';
import type { LogLevel } from './settings/supervisor-options.js';

export interface LogOptions {
  readonly level: LogLevel;
  /** Makes a line pretty; null for JSON. */
  readonly format: ((line: string) => string) | null;
  /** Writes some bytes and returns how many; throws when nothing can be written. Default: standard error. */
  readonly write?: (bytes: Uint8Array) => number;
}

export interface Log {
  /** A line of the supervisor's own, outside the machine. */
  readonly line: (
    level: 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    event: string,
    msg: string,
    fields?: object,
  ) => void;
  /** For `createActor(machine, { inspect })`. Never throws; the line comes at once, or at the end of this turn. */
  readonly observe: (inspection: InspectionEvent) => void;
  /** Writes the lines of this turn now: for a process that ends within it. */
  readonly flush: () => void;
}

/** A full pipe is tried again for so long before a line counts as lost. */
const RETRY_MS = 100;
const RETRY_EVERY_MS = 5;
const STDERR = 2;

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/** A destination for pino that never throws and never waits long. Exported for its test. */
export const createSink = (write: (bytes: Uint8Array) => number, onRecovered: (lost: number) => void) => {
  let lost = 0;
  let torn = false;
  const writeAll = (bytes: Uint8Array): boolean => {
    let offset = 0;
    let waitedMs = 0;
    while (offset < bytes.length) {
      try {
        offset += write(bytes.subarray(offset));
      } catch (error) {
        // A worker that made the shared pipe non-blocking, and a reader that is slow for a moment.
        if (isFull(error) && waitedMs < RETRY_MS) {
          pause(RETRY_EVERY_MS);
          waitedMs += RETRY_EVERY_MS;
          continue;
        }
        // ENOSPC, EPIPE, EIO: nothing can be said anywhere; it is counted, and the service goes on.
        torn = offset > 0;
        return false;
      }
    }
    torn = false;
    return true;
  };
  return {
    write(text: string): void {
      const bytes = Buffer.from(torn ? `\n${text}` : text);
      if (!writeAll(bytes)) {
        lost += 1;
        return;
      }
      if (lost === 0) return;
      const count = lost;
      lost = 0;
      onRecovered(count);
    },
  };
};

/** What pino and the envelope say already, and what is only ours to know. */
const PRIVATE_FIELDS = new Set([
  'type',
  'atMs',
  'ids',
  'leftovers',
  'workers',
  'startTime',
  'descriptor',
  'channel',
]);

const fieldsOf = (event: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(event)
      .filter(([key]) => !PRIVATE_FIELDS.has(key))
      .map(([key, value]) => [
        key,
        key.endsWith('Ms') && typeof value === 'number' ? Math.round(value) : tidy(value),
      ]),
  );

/** Listeners are told by name and address. */
const tidy = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((item) => (typeof item === 'object' && item !== null ? fieldsOf(item) : item))
    : value;

/** What log lines say beside their words, made when there is time. */
type Fields = () => object;

/** A line that is to be written in this turn of the event loop. */
interface Waiting extends Line {
  /** When the fact came. */
  readonly atMs: number;
  readonly event: string;
  readonly fields: Fields;
}

/** Of what the supervisor or one of its slots has just been told. */
const told = (
  event: { readonly type: string },
  id: string,
  { context }: AnyMachineSnapshot,
): { readonly line: Line | null; readonly fields: Fields } => {
  const { generation } = context;
  if (id === 'supervisor') {
    const line = supervisorLine(event as SupervisorEvent, context as SupervisorContext);
    return { line, fields: () => ({ generation, ...fieldsOf(event) }) };
  }
  const { slot, process: child } = context;
  return { line: slotLine(event), fields: () => ({ pid: child?.pid, slot, generation, ...fieldsOf(event) }) };
};

export const createLog = ({ level, format, write }: LogOptions): Log => {
  const sink = createSink(write ?? ((bytes) => writeSync(STDERR, bytes)), (lost) =>
    log.line('warn', 'log.resumed', `${lost} lines of the log could not be written`, { lost }),
  );
  /** When that came which is being written; null for now. */
  let cameAtMs: number | null = null;
  const logger = pino(
    {
      level,
      base: { supervisorPid: process.pid },
      timestamp: () => `,"time":"${new Date(cameAtMs ?? Date.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === null ? sink : { write: (text: string) => sink.write(format(text)) },
  );
  const writeLine: Log['line'] = (lineLevel, event, msg, fields = {}) =>
    logger[lineLevel]({ event, ...fields }, msg);
  let waiting: Waiting[] = [];
  // An observer that throws would end the machine: the log is not worth the service.
  const harmless = (observes: () => void): void => {
    try {
      observes();
    } catch (error) {
      writeLine('error', 'log.failed', `a line could not be written: ${String(error)}`);
    }
  };
  const flush = (): void => {
    const due = waiting;
    waiting = [];
    for (const { atMs, level: lineLevel, event, msg, fields } of due) {
      cameAtMs = atMs;
      harmless(() => writeLine(lineLevel, event, msg, fields()));
      cameAtMs = null;
    }
  };
  let inCharge = false;
  const soon = (line: Line, event: string, fields: Fields): void => {
    if (!logger.isLevelEnabled(line.level)) return;
    waiting.push({ ...line, atMs: Date.now(), event, fields });
    if (!inCharge) flush();
    else if (waiting.length === 1) Promise.resolve().then(flush);
  };
  let state = '';
  const observe = (inspection: InspectionEvent): void => {
    const actorRef = inspection.actorRef as AnyActorRef;
    const { id } = actorRef;
    if (inspection.type === '@xstate.event') {
      const { event } = inspection;
      const snapshot = actorRef.getSnapshot?.();
      if (snapshot?.context === undefined) return;
      const { line, fields } = told(event, id, snapshot);
      if (line !== null) soon(line, event.type, fields);
      return;
    }
    if (inspection.type !== '@xstate.snapshot' || id !== 'supervisor' || !('value' in inspection.snapshot))
      return;
    const { context } = inspection.snapshot as AnyMachineSnapshot;
    inCharge = context.inCharge;
    const [from, to] = [state, topState(inspection.snapshot.value)];
    state = to;
    if (from === to || from === '') return;
    const line: Line = { level: 'info', msg: `${from} → ${to}` };
    soon(line, 'state.changed', () => ({ from, to, generation: context.generation }));
  };
  const log: Log = {
    line: (...words) => {
      flush();
      writeLine(...words);
    },
    observe: (inspection) => harmless(() => observe(inspection)),
    flush,
  };
  return log;
};
