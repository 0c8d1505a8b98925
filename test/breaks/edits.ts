import type { Edit } from './breaks.js';

/** The text with the edit made. Throws unless `from` stands in it exactly once. */
export const applied = (text: string, { file, from, to }: Edit): string => {
  const [before, after, ...more] = text.split(from);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(
      `${file}: expected exactly one ${JSON.stringify(from)}, found ${text.split(from).length - 1}`,
    );
  return before + to + after;
};
