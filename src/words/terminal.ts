/**
 * Where a command writes: given to it, so that only the entry point touches the process.
 */
import { stripVTControlCharacters } from 'node:util';

export interface Terminal {
  /** Writes to standard output, exactly the text. */
  readonly out: (text: string) => void;
  /** Writes to standard error, exactly the text. */
  readonly err: (text: string) => void;
  /** Characters in a line; 80 where there is no terminal. */
  readonly columns: number;
  /** Whether a person reads standard output. */
  readonly isTty: boolean;
}

/**
 * Text that came from elsewhere, on one line, without anything that could move the cursor, colour or reorder it.
 *
 * Escape sequences go as a whole; then what is left of control and format characters.
 */
export const printable = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();
