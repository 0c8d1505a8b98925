/**
 * How long the path of a Unix socket may be.
 */

/** Room for the suffix of the temporary name a socket is bound under before it is renamed: `.<pid>.tmp`. */
const TEMPORARY_SUFFIX_BYTES = 16;

/** The size of `sun_path` without its final zero: 104 on macOS and the BSDs, 108 on Linux. */
const systemLimit = (platform: string): number => (platform === 'linux' ? 107 : 103);

/**
 * What is wrong with a socket's path, or null.
 *
 * It must be refused before it is bound: the system cuts a path that is too long, and says nothing.
 */
export const overlong = (path: string, platform: string): string | null => {
  const room = systemLimit(platform) - TEMPORARY_SUFFIX_BYTES;
  const length = Buffer.byteLength(path);
  if (length <= room) return null;
  return `a socket path of at most ${room} bytes, not ${length} (the system allows ${systemLimit(platform)}, and ${TEMPORARY_SUFFIX_BYTES} are needed for its temporary name)`;
};
