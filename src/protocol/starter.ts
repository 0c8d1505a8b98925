/**
 * The words of a daemon to the command that waits for its start: one JSON object on a line.
 */

export type StarterMessage =
  | { readonly say: 'ready' }
  /** It ends, and why: as every error of tanist reads. */
  | { readonly say: 'failed'; readonly code: string; readonly message: string; readonly hint?: string };

export const READY: StarterMessage = { say: 'ready' };

export const starterLine = (message: StarterMessage): string => `${JSON.stringify(message)}\n`;

const isText = (value: unknown): value is string => typeof value === 'string';

/** Null for a line that is no message. */
export const parseStarterLine = (line: string): StarterMessage | null => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('say' in value)) return null;
  if (value.say === 'ready') return READY;
  const { code, message, hint } = value as { code?: unknown; message?: unknown; hint?: unknown };
  if (value.say !== 'failed' || !isText(code) || !isText(message)) return null;
  return { say: 'failed', code, message, ...(isText(hint) ? { hint } : {}) };
};
