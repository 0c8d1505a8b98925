/** What a stream of bytes turned out to hold. */
export type LineFact =
  /** A whole line, without its newline. A carriage return before the newline belongs to the line. */
  | { readonly kind: 'line'; readonly text: string }
  /** A whole line that is not UTF-8; the excerpt shows its beginning, with U+FFFD for what cannot be read. */
  | { readonly kind: 'invalid'; readonly reason: 'not-utf-8'; readonly excerpt: string }
  /** A line longer than the limit. Reported once; nothing is read after it. */
  | { readonly kind: 'oversized' };

const NEWLINE = 0x0a;
const EXCERPT_BYTES = 80;

/**
 * Cuts a stream of bytes into lines, however it comes in chunks.
 *
 * Keeps at most one unfinished line, so a peer that never ends one costs `maxLineBytes` and no more; every
 * byte is looked at once. What follows the last newline is not a line and is never reported.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The unfinished line, in the first `#length` bytes. Most peers never leave one: room is made for the first. */
  #pending = new Uint8Array(0);
  #length = 0;
  #closed = false;

  /** @param maxLineBytes the longest line, newline included; 1 or more. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** True once a line was too long: whatever is pushed from then on is ignored. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes the next bytes, which may be reused by the caller afterwards, and returns what they completed. */
  push(chunk: Uint8Array): readonly LineFact[] {
    const facts: LineFact[] = [];
    let start = 0;
    while (!this.#closed && start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline;
      // A line that still lacks its newline needs one byte more, whatever it goes on with.
      if (this.#length + (end - start) + 1 > this.#maxLineBytes) facts.push(this.#close());
      else if (newline < 0) this.#keep(chunk.subarray(start));
      else facts.push(this.#decode(this.#complete(chunk.subarray(start, end))));
      start = end + 1;
    }
    return facts;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#pending.length === 0) this.#pending = new Uint8Array(this.#maxLineBytes);
    this.#pending.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #complete(bytes: Uint8Array): Uint8Array {
    if (this.#length === 0) return bytes;
    this.#keep(bytes);
    const line = this.#pending.subarray(0, this.#length);
    this.#length = 0;
    return line;
  }

  #decode(line: Uint8Array): LineFact {
    try {
      return { kind: 'line', text: this.#strict.decode(line) };
    } catch {
      // The fatal decoder throws for one reason only.
      const excerpt = this.#lenient.decode(line.subarray(0, EXCERPT_BYTES));
      return { kind: 'invalid', reason: 'not-utf-8', excerpt };
    }
  }

  #close(): LineFact {
    this.#closed = true;
    this.#pending = new Uint8Array(0);
    this.#length = 0;
    return { kind: 'oversized' };
  }
}
