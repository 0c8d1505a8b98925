/**
 * Which commands are programs of Node's.
 */
import { basename } from 'node:path';

const SCRIPT = /\.[cm]?js$/;
const TYPED_SCRIPT = /\.[cm]?ts$/;

/** Run with this Node, where it can. */
export const isTypedScript = (command: string): boolean => TYPED_SCRIPT.test(command);

/** Run with this Node. */
export const isScript = (command: string): boolean => SCRIPT.test(command) || isTypedScript(command);

/** Can be given options of Node's: a script, or `node` itself. What starts Node in turn, such as npm, cannot. */
export const takesNodeOptions = (command: string): boolean =>
  isScript(command) || ['node', 'nodejs'].includes(basename(command));
