/**
 * Where a daemon says what its command line was answered with: a program that is started has its own streams.
 */
import type { Terminal } from '../words/terminal.js';

const DEFAULT_COLUMNS = 80;

/** Nobody is left to be told of a reader that has gone, or of a full disk. */
const write = (stream: NodeJS.WriteStream, text: string): void => {
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  stream.write(text);
};

/** The width of the terminal; where there is none, what the environment says, as for other programs. */
const columns = (): number => {
  const said = Number(process.env.COLUMNS);
  return process.stdout.columns ?? (Number.isInteger(said) && said > 0 ? said : DEFAULT_COLUMNS);
};

export const terminal = (): Terminal => ({
  out: (text) => write(process.stdout, text),
  err: (text) => write(process.stderr, text),
  columns: columns(),
  isTty: process.stdout.isTTY === true,
});
