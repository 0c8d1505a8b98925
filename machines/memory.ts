/**
 * How much memory a worker may use: arithmetic and words.
 */
import type { Settings } from './policy.js';

type Limit = Pick<Settings, 'maxMemoryBytes'>;

/** @param memoryBytes null where nobody knows: that is not too much. */
export const isTooMuch = ({ maxMemoryBytes }: Limit, memoryBytes: number | null): boolean =>
  maxMemoryBytes !== null && memoryBytes !== null && memoryBytes > maxMemoryBytes;

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1_048_576;

/** `312.5 MB, more than 300 MB`: in the unit that the limit seems to have been given in. */
export const excessText = (memoryBytes: number, limitBytes: number): string => {
  const [size, unit] = limitBytes % MEBIBYTE === 0 ? [MEBIBYTE, 'MiB'] : [MEGABYTE, 'MB'];
  // Rounded up, so that it is never told to be the limit itself.
  return `${Math.ceil((memoryBytes / size) * 10) / 10} ${unit}, more than ${limitBytes / size} ${unit}`;
};
