/**
 * What descriptors refer to: each knows how many hold it, and what happens when nobody does any more.
 */

/** An open file description of the simulated kernel. */
export abstract class Description {
  #holders = 0;

  get isOpen(): boolean {
    return this.#holders > 0;
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.lastClosed();
  }

  protected abstract lastClosed(): void;
}

/** /dev/null, and whatever only has to be there. */
export class NullDescription extends Description {
  protected lastClosed(): void {
    // Nothing is behind it.
  }
}

/** Whoever reads an end is told when there is something new: bytes, or their end. */
export type Wake = () => void;

/** One end of two connected stream sockets. */
export class StreamEnd extends Description {
  readonly #inbox: Uint8Array[] = [];
  readonly #readers = new Set<Wake>();
  #peer: StreamEnd | null = null;
  #closed = false;

  static pair(): readonly [StreamEnd, StreamEnd] {
    const one = new StreamEnd();
    const other = new StreamEnd();
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  /** The reading end of a closed stream that holds one byte. */
  static token(): StreamEnd {
    const [one, other] = StreamEnd.pair();
    other.#inbox.push(new Uint8Array(1));
    one.#closed = true;
    return other;
  }

  isPeerOf(other: StreamEnd): boolean {
    return this.#peer === other;
  }

  get hasEnded(): boolean {
    return this.#inbox.length === 0 && this.#peer !== null && this.#peer.#closed;
  }

  get hasBytes(): boolean {
    return this.#inbox.length > 0;
  }

  /** Bytes the other side has yet to read; null where it has gone (EPIPE). */
  write(bytes: Uint8Array): number | null {
    const peer = this.#peer;
    if (peer === null || peer.#closed) return null;
    peer.#inbox.push(bytes);
    for (const wake of peer.#readers) wake();
    return peer.#inbox.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Everything that waits, as one chunk. */
  read(): Uint8Array {
    const [only] = this.#inbox;
    const waiting = this.#inbox.splice(0);
    if (waiting.length === 1 && only !== undefined) return only;
    const all = new Uint8Array(waiting.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of waiting) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Puts bytes back that were read too many. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#inbox.unshift(bytes);
  }

  /** Calls `wake` now if there is something to read, and whenever there is more. */
  watch(wake: Wake): () => void {
    this.#readers.add(wake);
    if (this.hasBytes || this.hasEnded) wake();
    return () => this.#readers.delete(wake);
  }

  protected lastClosed(): void {
    this.#closed = true;
    if (this.#peer === null) return;
    for (const wake of this.#peer.#readers) wake();
  }
}

/** A file: its content, and who has locked it. */
export interface Inode {
  readonly id: number;
  content: string;
  readonly exclusive: Set<FileDescription>;
  readonly shared: Set<FileDescription>;
}

/** An open file. A lock belongs to it, not to a process: it lives as long as anybody holds it. */
export class FileDescription extends Description {
  readonly inode: Inode;

  constructor(inode: Inode) {
    super();
    this.inode = inode;
  }

  lock(mode: 'exclusive' | 'shared'): boolean {
    const { exclusive, shared } = this.inode;
    const isForeign = (holders: Set<FileDescription>) => [...holders].some((holder) => holder !== this);
    if (isForeign(exclusive) || (mode === 'exclusive' && isForeign(shared))) return false;
    this.lastClosed();
    (mode === 'exclusive' ? exclusive : shared).add(this);
    return true;
  }

  protected lastClosed(): void {
    this.inode.exclusive.delete(this);
    this.inode.shared.delete(this);
  }
}

/** A listening socket; its address is free again when nobody holds it. */
export class ListeningDescription extends Description {
  readonly #onFree: () => void;

  constructor(onFree: () => void) {
    super();
    this.#onFree = onFree;
  }

  protected lastClosed(): void {
    this.#onFree();
  }
}
