/**
 * What a supervisor costs that has nothing to do.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { type Effort, type Figure, reported } from './figure.js';
import { type Memory, memoryOf } from './memory.js';
import { end } from './plain.js';

const LIMIT_MB = 12;
const WAKEUPS_LIMIT = 1;
/** V8 collects what the start left behind, once, when nothing has happened for 8 seconds. */
const SETTLE_MS = 12_000;
const MS_PER_SECOND = 1_000;

/** How often the process's threads went to sleep of their own accord: each time something woke them. */
const wakeupsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'))
    .map((status) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]))
    .reduce((sum, count) => sum + count, 0);

const memoryText = ({ privateDirtyMb, residentMb }: Memory): string =>
  `${privateDirtyMb.toFixed(1)} MB, RSS ${residentMb.toFixed(1)} MB`;

export const measureIdle = async (world: World, { idleMs }: Effort): Promise<readonly Figure[]> => {
  const service = new MeasuredDaemon(world, 'idle', ['--listen', '127.0.0.1:0', '--workers', '2']);
  await service.start();
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 2 ** 30)'], {
    env: world.env,
    stdio: 'ignore',
  });
  const pids = [service.daemon.pid, bare.pid ?? 0] as const;
  await pause(SETTLE_MS);
  const before = pids.map(wakeupsOf);
  await pause(idleMs);
  const wakeups = pids.map((pid, index) => wakeupsOf(pid) - (before[index] ?? 0));
  const [supervisor, floor] = [memoryOf(pids[0]), memoryOf(pids[1])];
  await end(bare);
  await service.reload();
  await pause(SETTLE_MS);
  const { pid } = await service.daemon.running(2);
  const successor = memoryOf(pid);
  await service.stop();
  const [perSecond, floorPerSecond] = wakeups.map((count) => (count * MS_PER_SECOND) / idleMs);
  return [
    {
      what: `supervisor idle, Node ${process.versions.node}: private dirty`,
      target: `≤ ${LIMIT_MB} MB`,
      measured: memoryText(supervisor),
      floor: `node -e setInterval: ${memoryText(floor)}`,
      missed: supervisor.privateDirtyMb > LIMIT_MB,
    },
    reported('  the same in a successor', memoryText(successor)),
    {
      what: 'wake-ups per second, idle, all threads',
      target: `≤ ${WAKEUPS_LIMIT}`,
      measured: (perSecond ?? Number.NaN).toFixed(1),
      floor: `node -e setInterval: ${(floorPerSecond ?? Number.NaN).toFixed(1)}`,
      missed: !((perSecond ?? Number.NaN) <= WAKEUPS_LIMIT),
    },
  ];
};
