/**
 * Which connections a process has, by /proc.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const socketInodes = (pid: number): ReadonlySet<string> =>
  new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
      } catch {
        // Closed since it was listed.
        return [];
      }
    }),
  );

const portIn = (address: string | undefined): number => Number.parseInt(address?.split(':')[1] ?? '', 16);

/**
 * The ports of the clients whose connections to `localPort` a process holds; null where nobody tells.
 *
 * proc(5): the local address is field 1, the remote one field 2, the inode field 9 of /proc/net/tcp.
 */
export const portsOf = (pid: number, localPort: number): readonly number[] | null => {
  if (!existsSync('/proc/net/tcp')) return null;
  const inodes = socketInodes(pid);
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => portIn(fields[1]) === localPort && inodes.has(fields[9] ?? ''))
    .map((fields) => portIn(fields[2]));
};

/**
 * Whether no thread of a process runs any more after a SIGSTOP: one that is in the middle of accept(2) finishes that
 * first. proc(5): the state is field 3 of stat. True where nobody tells.
 */
export const isStopped = (pid: number): boolean =>
  !existsSync('/proc/self/task') ||
  readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    return /[TtZX]/.test(stat[stat.lastIndexOf(')') + 2] ?? '');
  });
