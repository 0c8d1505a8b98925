/**
 * How much memory a worker may use: arithmetic and words.
 */
import type { Settings } from './policy.js';

/**
 * Whether a worker uses more memory than it may; never without a limit.
 *
 * @param memoryBytes resident bytes; null where nobody knows: that is not too much.
 */
export const isTooMuch = (
  { maxMemoryBytes }: Pick<Settings, 'maxMemoryBytes'>,
  memoryBytes: number | null,
): boolean => maxMemoryBytes !== null && memoryBytes !== null && memoryBytes > maxMemoryBytes;

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1_048_576;

/** `312.5 MB, more than 300 MB`: in the unit that the limit seems to have been given in. */
export const excessText = (memoryBytes: number, limitBytes: number): string => {
  const [size, unit] = limitBytes % MEBIBYTE === 0 ? [MEBIBYTE, 'MiB'] : [MEGABYTE, 'MB'];
  // Rounded up, so that it is never told to be the limit itself.
  return `${Math.ceil((memoryBytes / size) * 10) / 10} ${unit}, more than ${limitBytes / size} ${unit}`;
};
