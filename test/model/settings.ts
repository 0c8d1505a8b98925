/**
 * Settings of the walks and the unit tests: round numbers that no two limits share.
 */
import type { Settings } from '../../machines/policy.js';

export const settingsWith = (changes: Partial<Settings> = {}): Settings => ({
  name: 'daemon',
  pidFile: '/run/daemon.pid',
  control: '/run/daemon.sock',
  listen: [],
  workers: 1,
  standby: 0,
  handoff: 'overlap',
  hotReload: true,
  ready: { mode: 'takeover' },
  startTimeoutMs: 60_000,
  reloadTimeoutMs: 65_000,
  takeoverTimeoutMs: 5_000,
  drainTimeoutMs: 30_000,
  probationMs: 0,
  health: null,
  respawnDelayMs: 4_000,
  respawn: 'adaptive',
  respawnLimit: null,
  pingTimeoutMs: 6_000,
  watchdogMs: null,
  maxMemoryBytes: null,
  stopSignal: 'SIGTERM',
  anchor: false,
  account: null,
  ...changes,
});
