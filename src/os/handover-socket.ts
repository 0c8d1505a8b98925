/**
 * The successor's end of the private socket, before the link is there: the record comes in, a refusal goes out.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import type { ReloadReason } from '../../machines/status.js';
import { type Handover, HandoverRefused, parseHandover } from '../handover.js';
import { VARIABLES } from '../protocol/environment.js';
import { formatMessage, SUCCESSION_LINE_BYTES } from '../protocol/succession.js';

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
export const readHandover = (messages: number): Handover => parseHandover(readLine(messages), messages);

/** Tells the predecessor, at once: this process is about to end. */
export const refuseHandover = (messages: number, reason: ReloadReason, detail: string): void => {
  try {
    writeSync(messages, formatMessage({ say: 'failed', reason, detail }));
  } catch {
    // EPIPE: nobody is left to be told, and the exit status says the rest.
  }
};
