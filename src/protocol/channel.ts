/** The longest line on the channel, newline included. A longer one closes it. */
export const CHANNEL_LINE_BYTES = 4096;

/** Answers that a worker may leave unread before its channel is closed. */
export const CHANNEL_BACKLOG_BYTES = 65_536;

/** What a worker says, without the newline. The first three are exactly the reference implementation's. */
export type WorkerLine =
  /** Are you there? Answered with `pong`. */
  | { readonly word: 'ping' }
  /** I have initialised. Answered with `ok` when it may serve. */
  | { readonly word: 'takeover' }
  /** Kill me. */
  | { readonly word: 'shutdown' }
  /** What I am doing, for people; empty when it says so no more. */
  | { readonly word: 'status'; readonly text: string }
  /** Not of this protocol: worth a warning, never an error. */
  | { readonly word: 'unknown'; readonly text: string };

/** What a supervisor answers, without the newline. */
export const PONG = 'pong';
export const OK = 'ok';

const STATUS = 'status';

/** Reads one line of a worker. Words are compared exactly: a trailing space makes another word. */
export const parseWorkerLine = (text: string): WorkerLine => {
  switch (text) {
    case 'ping':
    case 'takeover':
    case 'shutdown':
      return { word: text };
    case STATUS:
      return { word: STATUS, text: '' };
  }
  if (text.startsWith(`${STATUS} `)) return { word: STATUS, text: text.slice(STATUS.length + 1) };
  return { word: 'unknown', text };
};

/**
 * The line that tells a status, without the newline: line breaks become spaces, and what is too long for a
 * line is cut between two characters.
 */
export const statusLine = (text: string): string => {
  const room = new Uint8Array(CHANNEL_LINE_BYTES - STATUS.length - ' \n'.length);
  // Every UTF-16 unit takes at least one byte: the rest could not fit, and need not be looked at.
  const flat = text.slice(0, room.length).replaceAll(/[\r\n]+/g, ' ');
  const { read } = new TextEncoder().encodeInto(flat, room);
  return `${STATUS} ${flat.slice(0, read)}`;
};
