import type { Duplex } from 'node:stream';
import { CHANNEL_LINE_BYTES, OK, PONG, statusLine } from '../protocol/channel.js';
import { LineSplitter } from '../protocol/lines.js';
import { WorkerError } from './worker-error.js';

interface Asker {
  readonly resolve: () => void;
  readonly reject: (error: WorkerError) => void;
}

/** The socket of the channel, or what stands for it. */
export interface ChannelStream extends Duplex {
  ref(): unknown;
  unref(): unknown;
}

/**
 * The worker's end of the channel.
 *
 * Keeps the process alive only while an answer is awaited: a worker lives by its own work. End of file, any
 * error and a missing `pong` mean the same: the supervisor is gone, and everyone who waits is told.
 */
export class SupervisorChannel {
  readonly #socket: ChannelStream;
  readonly #lines = new LineSplitter(CHANNEL_LINE_BYTES);
  readonly #pingTimeoutMs: number;
  readonly #onGone: (error: WorkerError) => void;
  /** Who waits for an answer, in the order in which they asked: so are the answers. */
  readonly #askers = { [OK]: [] as Asker[], [PONG]: [] as Asker[] };
  #takeover: Promise<void> | undefined;
  #unsaidStatus: string | undefined;
  #gone: WorkerError | undefined;

  /** @param onGone called once, before those who wait are told. */
  constructor(socket: ChannelStream, pingTimeoutMs: number, onGone: (error: WorkerError) => void) {
    this.#pingTimeoutMs = pingTimeoutMs;
    this.#onGone = onGone;
    this.#socket = socket;
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('end', () => this.#end('The supervisor has closed the channel.'));
    // EPIPE and ECONNRESET: the end of file, seen by a write first.
    this.#socket.on('error', (error) => this.#end('The channel to the supervisor is broken.', error));
    this.#socket.on('drain', () => this.#sayStatus());
    this.#socket.unref();
  }

  /** The end of the channel; undefined while there is none. */
  get gone(): WorkerError | undefined {
    return this.#gone;
  }

  /** Says `takeover`, once however often it is called; resolves at `ok`. */
  takeover(): Promise<void> {
    this.#takeover ??= this.#ask('takeover', OK);
    return this.#takeover;
  }

  async ping(): Promise<void> {
    let answered = false;
    const late = setTimeout(() => {
      // The process may have been busy or suspended: what has arrived meanwhile is read before this is judged.
      setImmediate(() => {
        if (!answered) this.#end(`The supervisor has not answered a ping for ${this.#pingTimeoutMs} ms.`);
      });
    }, this.#pingTimeoutMs);
    try {
      await this.#ask('ping', PONG);
    } finally {
      answered = true;
      clearTimeout(late);
    }
  }

  /**
   * Says `ping` unless one waits for its `pong` already. Judges nobody: a supervisor that is late stays one, and
   * this process is not kept alive by it.
   */
  beat(): void {
    if (this.#gone !== undefined || this.#askers[PONG].length > 0) return;
    this.#askers[PONG].push({ resolve: () => undefined, reject: () => undefined });
    this.#say('ping');
  }

  /** Says it when the supervisor reads; of several that have to wait, only the last is said. */
  status(text: string): void {
    this.#unsaidStatus = statusLine(text);
    if (!this.#socket.writableNeedDrain) this.#sayStatus();
  }

  shutdown(): void {
    this.#say('shutdown');
  }

  #say(line: string): void {
    if (this.#gone === undefined) this.#socket.write(`${line}\n`);
  }

  #sayStatus(): void {
    if (this.#unsaidStatus !== undefined) this.#say(this.#unsaidStatus);
    this.#unsaidStatus = undefined;
  }

  #ask(line: string, answer: typeof OK | typeof PONG): Promise<void> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#askers[answer].push({ resolve, reject });
      this.#socket.ref();
      this.#say(line);
    });
  }

  #read(chunk: Uint8Array): void {
    for (const fact of this.#lines.push(chunk)) {
      if (fact.kind === 'oversized') this.#end('The supervisor says what cannot be understood.');
      // Words of a later protocol are not for this version.
      else if (fact.kind === 'line' && (fact.text === OK || fact.text === PONG)) this.#answered(fact.text);
    }
  }

  #answered(answer: typeof OK | typeof PONG): void {
    this.#askers[answer].shift()?.resolve();
    if (this.#askers[OK].length + this.#askers[PONG].length === 0) this.#socket.unref();
  }

  #end(message: string, cause?: unknown): void {
    if (this.#gone !== undefined) return;
    const gone = new WorkerError('TANIST_SUPERVISOR_GONE', message, cause);
    this.#gone = gone;
    this.#socket.destroy();
    this.#onGone(gone);
    for (const asker of [...this.#askers[OK].splice(0), ...this.#askers[PONG].splice(0)]) asker.reject(gone);
  }
}
