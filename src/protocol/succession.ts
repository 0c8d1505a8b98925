/**
 * The words between two generations: one JSON object a line on their private socket.
 *
 * The predecessor's first line is the hand-over record. What the other side sends that is not a known message
 * is ignored: a newer tanist may say more.
 */

/** Longest line, newline included: room for the pids of thousands of workers. */
export const SUCCESSION_LINE_BYTES = 1_048_576;

export interface Message {
  readonly say: string;
  readonly [key: string]: unknown;
}

export const formatMessage = (message: object): string => `${JSON.stringify(message)}\n`;

/** Null for a line that is no message. */
export const parseMessage = (line: string): Message | null => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const isMessage =
    typeof value === 'object' && value !== null && 'say' in value && typeof value.say === 'string';
  return isMessage ? (value as Message) : null;
};

/** A process as a message names it; null for anything else. */
export const parseIdentity = (value: unknown): { pid: number; startTime: string | null } | null => {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value))
    return null;
  const { pid, startTime } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return null;
  return { pid, startTime: typeof startTime === 'string' ? startTime : null };
};

export const parseIdentities = (value: unknown): readonly { pid: number; startTime: string | null }[] =>
  Array.isArray(value)
    ? value.flatMap((item) => {
        const identity = parseIdentity(item);
        return identity === null ? [] : [identity];
      })
    : [];
