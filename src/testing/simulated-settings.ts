/**
 * Settings of daemons in the simulated world: small numbers, and limits that no two share.
 */
import { proofTimeoutMs, type Settings } from '../../machines/policy.js';
import { Choices } from './choices.js';

/** Settings as the seed chooses them, but for those that are given. */
export const drawSettings = (choices: Choices, changes: Partial<Settings>): Settings => {
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[choices.below('settings', values.length)] ?? values[0];
  const drawn: Settings = {
    name: 'daemon',
    pidFile: '/run/daemon.pid',
    control: '/run/daemon.sock',
    handoff: pick(['overlap', 'exclusive']),
    hotReload: true,
    workers: pick([1, 2, 3]),
    standby: pick([0, 0, 1, 2]),
    ready: pick([
      { mode: 'takeover' },
      { mode: 'takeover' },
      { mode: 'http', path: '/' },
      { mode: 'alive', forMs: 80 },
    ]),
    listen: pick([[{ name: 'web', kind: 'tcp', host: '127.0.0.1', port: 8080 }], []]),
    probationMs: pick([0, 0, 400]),
    health: null,
    startTimeoutMs: 3_000,
    reloadTimeoutMs: 4_000,
    takeoverTimeoutMs: 1_000,
    drainTimeoutMs: 2_000,
    respawnDelayMs: 1_000,
    respawn: pick(['adaptive', 'fixed']),
    respawnLimit: null,
    pingTimeoutMs: 1_000,
    watchdogMs: null,
    maxMemoryBytes: pick([null, 100_000_000]),
    stopSignal: 'SIGTERM',
    anchor: pick([false, true]),
    account: pick([null, null, { user: 'nobody', uid: 65_534, gid: 65_534 }]),
    ...changes,
  };
  // Without the protocol nobody could hold them back, and it is refused; nor would they answer.
  if (drawn.ready.mode === 'alive') return { ...drawn, standby: 0 };
  if (drawn.probationMs === 0 || changes.health !== undefined) return drawn;
  return { ...drawn, health: pick([null, { mode: 'http', path: '/' }]) };
};

/**
 * Complete settings for a simulated daemon.
 *
 * Those that are not given: overlap, one worker that says `takeover`, one TCP listener, pid file and control socket,
 * adaptive respawning; start timeout 3 s, reload timeout 4 s, drain timeout 2 s, takeover timeout 1 s, respawn delay
 * 1 s; no standby, probation, health check, watchdog, limit of memory, anchor or other user.
 */
export const simulatedSettings = (changes: Partial<Settings> = {}): Settings =>
  drawSettings(new Choices(0, new Map()), changes);

/** Every wait of the protocol, one after the other, several times over. */
export const restMs = (settings: Settings): number =>
  10 *
  (settings.startTimeoutMs +
    settings.reloadTimeoutMs +
    settings.takeoverTimeoutMs +
    settings.drainTimeoutMs +
    settings.respawnDelayMs +
    settings.probationMs +
    proofTimeoutMs(settings));
