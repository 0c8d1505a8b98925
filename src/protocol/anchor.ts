/**
 * The words between the anchor and the generation in charge: one JSON object a line, as between two generations.
 */

/** Longest line, newline included: the reason of a failure is cut to fit. */
export const ANCHOR_LINE_BYTES = 16_384;

/** Characters of a failure's message; each takes at most six bytes of JSON. */
const MESSAGE_CHARS = 2_000;

/** The reason of a failure, short enough for a line. */
export const cutMessage = (message: string): string => message.slice(0, MESSAGE_CHARS);

/** A failure as a message names it; null for anything else. */
export const parseFailure = (value: unknown): { code: string; message: string } | null => {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return null;
  const { code, message } = value;
  return typeof code === 'string' && typeof message === 'string' ? { code, message } : null;
};

/** A count as a message names it; 0 for anything else. */
export const parseCount = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
