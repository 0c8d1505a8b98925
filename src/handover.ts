/**
 * Being a successor: the record is read from the private socket, checked against our own settings, or refused.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { type HandoverRecord, parseRecord } from '../machines/handover.js';
import type { Settings } from '../machines/policy.js';
import type { ReloadReason } from '../machines/status.js';
import { VARIABLES } from './protocol/environment.js';
import { formatMessage, SUCCESSION_LINE_BYTES } from './protocol/succession.js';

export interface Handover {
  readonly record: HandoverRecord;
  /** Descriptor of the socket to the predecessor. */
  readonly messages: number;
}

/** Why this process cannot succeed; the predecessor is told these words. */
export class HandoverRefused extends Error {
  override readonly name = 'HandoverRefused';
  readonly reason: ReloadReason;

  constructor(reason: ReloadReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const NEWLINE = 0x0a;

/** Reads exactly one line, byte by byte: what follows it belongs to the link. Blocks; the predecessor wrote it before. */
const readLine = (descriptor: number): string => {
  const byte = Buffer.alloc(1);
  const bytes: number[] = [];
  while (bytes.length < SUCCESSION_LINE_BYTES) {
    if (readSync(descriptor, byte, 0, 1, null) === 0) break;
    if (byte[0] === NEWLINE) return Buffer.from(bytes).toString('utf8');
    bytes.push(byte[0] ?? 0);
  }
  throw new HandoverRefused('incompatible', 'the hand-over record is not one whole line');
};

/** The private socket's descriptor; null in a first generation. */
export const handoverDescriptor = (env: Readonly<Record<string, string | undefined>>): number | null => {
  const text = env[VARIABLES.handoverFd];
  if (text === undefined || !/^[0-9]{1,4}$/.test(text)) return null;
  try {
    return fstatSync(Number(text)).isSocket() ? Number(text) : null;
  } catch {
    // The variable came along without the descriptor: this is nobody's successor.
    return null;
  }
};

/** @throws {HandoverRefused} `incompatible`. */
export const readHandover = (messages: number): Handover => {
  const parsed = parseRecord(readLine(messages));
  if (!parsed.ok) throw new HandoverRefused('incompatible', parsed.problem);
  return { record: parsed.record, messages };
};

const addressOf = (spec: Settings['listen'][number]): string => {
  if (spec.kind === 'unix') return `unix:${spec.path}`;
  return spec.host.includes(':') ? `[${spec.host}]:${spec.port}` : `${spec.host}:${spec.port}`;
};

/** What a reload cannot change, in words; null when all is the same. */
const difference = (record: HandoverRecord, settings: Settings): string | null => {
  for (const key of ['name', 'pidFile', 'handoff'] as const) {
    if (record[key] !== settings[key])
      return `${key} is ${JSON.stringify(settings[key])} here and ${JSON.stringify(record[key])} in the running daemon`;
  }
  const asked = settings.listen.map((spec) => `${spec.name}=${addressOf(spec)}`).join(' ');
  const inherited = record.listeners.map((listener, index) => {
    const spec = settings.listen[index];
    // Port 0 was any port: whatever it became is what was asked for.
    const anyPort = spec?.kind === 'tcp' && spec.port === 0;
    return `${listener.name}=${anyPort ? addressOf(spec) : listener.address}`;
  });
  return asked === inherited.join(' ')
    ? null
    : `the listeners are "${asked}" here and "${inherited.join(' ')}" in the running daemon`;
};

/** @throws {HandoverRefused} `incompatible`, naming the difference. */
export const checkHandover = ({ record }: Handover, settings: Settings): void => {
  const what = difference(record, settings);
  if (what !== null) throw new HandoverRefused('incompatible', `${what}: a reload cannot change it`);
};

/** Tells the predecessor, at once: this process is about to end. */
export const refuseHandover = (messages: number, reason: ReloadReason, detail: string): void => {
  try {
    writeSync(messages, formatMessage({ say: 'failed', reason, detail }));
  } catch {
    // EPIPE: nobody is left to be told, and the exit status says the rest.
  }
};
