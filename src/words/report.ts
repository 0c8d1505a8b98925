/**
 * Errors as people and programs read them.
 */
import { asTanistError, type TanistError } from '../errors.js';
import type { Terminal } from './terminal.js';

/**
 * Tells an error and returns the exit status it leads to.
 *
 * With `json` one object goes to standard output, where the answer would have been; else text to standard error.
 */
export const reportError = (thrown: unknown, json: boolean, terminal: Terminal): number => {
  const error = asTanistError(thrown);
  if (json) terminal.out(`${JSON.stringify(error)}\n`);
  else terminal.err(errorText(error));
  return error.exitStatus;
};

/** `error CODE: message`, the single mistakes a line each, and what to do. */
export const errorText = (error: TanistError): string => {
  const problems = error.problems.filter(({ message }) => !error.message.includes(message));
  const lines = [
    `error ${error.code}: ${error.message}`,
    ...problems.map(({ message }) => `  ${message}`),
    ...(error.code === 'TANIST_INTERNAL' ? stackLines(error) : []),
    `hint: ${error.hint}`,
  ];
  return `${lines.join('\n')}\n`;
};

/** Only a defect of ours needs its place in the code. */
const stackLines = (error: TanistError): readonly string[] => {
  const { stack } = error.cause instanceof Error ? error.cause : error;
  return (stack ?? '').split('\n').slice(1);
};
