/**
 * The channel before anybody reads it: the program may know the protocol, and the channel is its own then.
 */
import { constants, readFileSync, writeSync } from 'node:fs';
import { statusLine } from '../protocol/channel.js';

export class RawChannel {
  readonly #fd: number;
  #said = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  status(text: string): void {
    if (this.isUsedByProgram()) return;
    this.#said = this.#write(text);
  }

  clearStatus(): void {
    if (this.#said) this.#write('');
    this.#said = false;
  }

  /**
   * Whether the program has opened the channel: Node makes a socket that it opens non-blocking, and the supervisor
   * gives it blocking. Where the system does not tell, it is taken for unused.
   */
  isUsedByProgram(): boolean {
    try {
      const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${this.#fd}`, 'latin1'))?.[1];
      return flags !== undefined && (Number.parseInt(flags, 8) & constants.O_NONBLOCK) !== 0;
    } catch {
      // No such descriptor any more: the program has closed what it had opened. Or a system without /proc.
      return process.platform === 'linux';
    }
  }

  #write(text: string): boolean {
    try {
      writeSync(this.#fd, `${statusLine(text)}\n`);
      return true;
    } catch {
      // The supervisor is gone, or reads nothing: a text for people is not worth an error in the program.
      return false;
    }
  }
}
