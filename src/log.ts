/**
 * The log: one JSON line a fact, written at once, so that the last line before a crash is there.
 *
 * It is an observer of the machine. Nothing in it can stop the supervisor: lines that cannot be written are
 * counted, and the count is told when writing works again.
 */
import { writeSync } from 'node:fs';
import pino from 'pino';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { SupervisorEvent } from '../machines/events.js';
import { topState } from '../machines/status.js';
import type { SupervisorContext } from '../machines/supervisor.js';
import { slotLine, supervisorLine } from './log-lines.js';
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
  /** For `createActor(machine, { inspect })`. Never throws. */
  readonly observe: (inspection: InspectionEvent) => void;
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

export const createLog = ({ level, format, write }: LogOptions): Log => {
  const sink = createSink(write ?? ((bytes) => writeSync(STDERR, bytes)), (lost) =>
    log.line('warn', 'log.resumed', `${lost} lines of the log could not be written`, { lost }),
  );
  const logger = pino(
    {
      level,
      base: { supervisorPid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === null ? sink : { write: (text: string) => sink.write(format(text)) },
  );
  let state = '';
  const observe = (inspection: InspectionEvent): void => {
    const actorRef = inspection.actorRef as AnyActorRef;
    const snapshot = actorRef.getSnapshot?.();
    if (inspection.type === '@xstate.snapshot') {
      if (actorRef.id !== 'supervisor' || !('value' in inspection.snapshot)) return;
      const next = topState(inspection.snapshot.value);
      if (next === state) return;
      const before = state;
      state = next;
      const { generation } = (inspection.snapshot as unknown as { context: SupervisorContext }).context;
      if (before !== '')
        log.line('info', 'state.changed', `${before} → ${next}`, { from: before, to: next, generation });
      return;
    }
    if (inspection.type !== '@xstate.event' || snapshot?.context === undefined) return;
    const event = inspection.event as { type: string };
    if (actorRef.id === 'supervisor') {
      const context = snapshot.context as SupervisorContext;
      const words = supervisorLine(event as SupervisorEvent, context);
      if (words !== null)
        log.line(words.level, event.type, words.msg, {
          generation: context.generation,
          ...fieldsOf(event),
        });
      return;
    }
    const words = slotLine(event);
    if (words === null) return;
    const { slot, generation, process: child } = snapshot.context;
    log.line(words.level, event.type, words.msg, {
      pid: child?.pid,
      slot,
      generation,
      ...fieldsOf(event),
    });
  };
  const log: Log = {
    line: (lineLevel, event, msg, fields = {}) => logger[lineLevel]({ event, ...fields }, msg),
    observe: (inspection) => {
      try {
        observe(inspection);
      } catch (error) {
        // An observer that throws would end the machine: the log is not worth the service.
        log.line('error', 'log.failed', `a line could not be written: ${String(error)}`);
      }
    },
  };
  return log;
};
