/**
 * Reads a file whole, into memory that goes back to the system.
 *
 * Where Node allocates, glibc's malloc keeps twice the largest block that was ever freed for itself: 1.3 MB of a
 * supervisor that may be idle for months. A buffer that could grow is not taken from malloc.
 */
import { fstatSync, readSync } from 'node:fs';

/** As ECMAScript 2024 has it, and Node 20. */
type ResizableBuffer = new (length: number, options: { readonly maxByteLength: number }) => ArrayBuffer;

/** @returns what is from here to the end of the file; fewer bytes than `length` where there are fewer. */
export const readBytes = (descriptor: number, length = fstatSync(descriptor).size): Buffer => {
  const memory = new (ArrayBuffer as ResizableBuffer)(length, { maxByteLength: length });
  const bytes = Buffer.from(memory, 0, length);
  let filled = 0;
  for (let size = -1; size !== 0 && filled < length; filled += size)
    size = readSync(descriptor, bytes, filled, length - filled, null);
  return bytes.subarray(0, filled);
};
