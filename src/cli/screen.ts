/**
 * A terminal that is redrawn in place, and when whoever watches it wants no more.
 */
import type { Terminal } from '../words/terminal.js';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Calls back when the terminal has another size. Returns how to stop that. */
  readonly onResize: (callback: () => void) => () => void;
  /** Aborted when it is to end: a signal came, or nobody reads any more. */
  readonly over: AbortSignal;
}

/** What asks a command that goes on by itself to end. */
const FAREWELLS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LEAST_ROWS = 4;

/** The screen of this process, from now to its end: signals no longer end it at once. */
export const screenOf = (stream: NodeJS.WriteStream, defaultColumns: number): Screen => {
  const controller = new AbortController();
  for (const signal of FAREWELLS) process.once(signal, () => controller.abort());
  // A reader that has gone: there is nobody left to watch.
  stream.once('error', () => controller.abort());
  return {
    get columns() {
      return stream.columns ?? defaultColumns;
    },
    get rows() {
      return Math.max(stream.rows ?? 24, LEAST_ROWS);
    },
    onResize: (callback) => {
      stream.on('resize', callback);
      return () => stream.off('resize', callback);
    },
    over: controller.signal,
  };
};

// ECMA-48 and xterm's private modes; a terminal that does not know 2026 (synchronized output) ignores it.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const [BEGIN, END] = ['\x1b[?2026h\x1b[H', '\x1b[J\x1b[?2026l'];
const END_OF_LINE = '\x1b[K';

/**
 * A picture that replaces itself: on the terminal's other page, so that what was there comes back at the end.
 *
 * Each line overwrites the one before it and erases only its rest: nothing is blank in between, so nothing flickers.
 */
export const openPicture = (terminal: Terminal, screen: Screen) => {
  let last = '';
  terminal.out(ENTER);
  return {
    draw: (text: string): void => {
      last = text;
      terminal.out(`${BEGIN}${fitted(text, screen.rows).join(`${END_OF_LINE}\r\n`)}${END_OF_LINE}${END}`);
    },
    /** Gives the terminal back as it was, with the last picture below. */
    close: (): void => terminal.out(`${LEAVE}${last}`),
  };
};

/** As many lines as there is room for; the last one says how many are missing. */
const fitted = (text: string, rows: number): string[] => {
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length <= rows) return lines;
  return [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`];
};
