/**
 * Server-sent events, as text comes in chunks.
 */

export interface StreamMessage {
  /** `message` where it has no name. */
  readonly name: string;
  readonly data: string;
}

/** No honest message is longer: a snapshot of a thousand slots needs less than a megabyte. */
const MESSAGE_CHARS = 16 * 1_048_576;

const messageOf = (block: string): StreamMessage | null => {
  let [name, data]: [string, string | null] = ['message', null];
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return data === null ? null : { name, data };
};

/** Makes messages of chunks. Throws when one does not end. */
export const messageSplitter = (): ((chunk: string) => readonly StreamMessage[]) => {
  let rest = '';
  return (chunk) => {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MESSAGE_CHARS) throw new Error('a message does not end');
    return blocks.flatMap((block) => messageOf(block) ?? []);
  };
};
