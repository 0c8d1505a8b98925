/**
 * The successor's end of the private socket, before the link is there: the record comes in, a refusal goes out.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import type { ReloadReason } from '../../machines/status.js';
import { type Handover, HandoverRefused, parseHandover } from '../handover.js';
import { VARIABLES } from '../protocol/environment.js';
import { formatMessage, SUCCESSION_LINE_BYTES } from '../protocol/succession.js';
import { putBack, takeBack } from './read-ahead.js';

const NEWLINE = 0x0a;
/** A record has 1 to 2 KB. */
const CHUNK_BYTES = 65_536;

/** Reads one line; what follows it belongs to the link. Blocks; the predecessor wrote it before. */
const readLine = (descriptor: number): string => {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < SUCCESSION_LINE_BYTES; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const read = chunk.subarray(0, readSync(descriptor, chunk, 0, CHUNK_BYTES, null));
    if (read.length === 0) break;
    const end = read.indexOf(NEWLINE);
    chunks.push(end < 0 ? read : read.subarray(0, end));
    length += read.length;
    if (end < 0) continue;
    putBack(descriptor, read.subarray(end + 1));
    return Buffer.concat(chunks).toString('utf8');
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

/** Tells the predecessor, at once: this process is about to end, and nobody reads on. */
export const refuseHandover = (messages: number, reason: ReloadReason, detail: string): void => {
  takeBack(messages);
  try {
    writeSync(messages, formatMessage({ say: 'failed', reason, detail }));
  } catch {
    // EPIPE: nobody is left to be told, and the exit status says the rest.
  }
};
