/**
 * What was read of a descriptor before its stream is opened: that tells it first.
 */
const ahead = new Map<number, Uint8Array>();

/** Keeps bytes for whoever opens the descriptor. */
export const putBack = (descriptor: number, bytes: Uint8Array): void => {
  if (bytes.length > 0) ahead.set(descriptor, bytes);
};

/** Returns what was put back, once; null for nothing. */
export const takeBack = (descriptor: number): Uint8Array | null => {
  const bytes = ahead.get(descriptor) ?? null;
  ahead.delete(descriptor);
  return bytes;
};
