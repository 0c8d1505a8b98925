/**
 * Settings with their units and defaults, and the arithmetic of respawning: data and pure functions.
 */

/** Sockets that whoever starts the supervisor has opened: one descriptor, or all of socket activation. */
export type InheritedSpec =
  | {
      /** Of the listener; always `systemd` for those of systemd, whose units name them. */
      readonly name: string;
      readonly kind: 'fd';
      /** From 3 on. */
      readonly descriptor: number;
    }
  | {
      /** Of the listener; always `systemd` for those of systemd, whose units name them. */
      readonly name: string;
      readonly kind: 'systemd';
    };

/** One listening address, as asked for. Port 0 means any free port. */
export type ListenSpec =
  | {
      /** By which workers find it (`LISTEN_FDNAMES`). */
      readonly name: string;
      readonly kind: 'tcp';
      /** A literal IPv4 or IPv6 address, without brackets. */
      readonly host: string;
      /** 0 to 65,535; 0 is any free port. */
      readonly port: number;
    }
  | {
      /** By which workers find it (`LISTEN_FDNAMES`). */
      readonly name: string;
      readonly kind: 'unix';
      /** The absolute path of the socket. */
      readonly path: string;
    }
  | InheritedSpec;

/** How a worker is known to be ready to serve. */
export type Readiness =
  /** It says `takeover` on its channel. */
  | { readonly mode: 'takeover' }
  /** It says `takeover`, and then answers 2xx or 3xx to `GET path` on its private probe socket. */
  | {
      readonly mode: 'http';
      /** Begins with a slash. */
      readonly path: string;
    }
  /** It has lived for `forMs` milliseconds: for programs without the protocol. */
  | {
      readonly mode: 'alive';
      /** Milliseconds, 1 to 86,400,000. */
      readonly forMs: number;
    };

/** Answers 2xx or 3xx to `GET path` on its private probe socket: asked again and again during a probation. */
export interface HealthCheck {
  readonly mode: 'http';
  /** Begins with a slash. */
  readonly path: string;
}

/** More than `count` respawns within `withinMs`, all slots together, end the supervisor with status 6. */
export interface RespawnLimit {
  /** 1 or more. */
  readonly count: number;
  /** Milliseconds, 1 to 86,400,000. */
  readonly withinMs: number;
}

/**
 * How generations follow each other: `overlap`, both serve for a moment; `exclusive`, the new one's workers
 * serve only when the old one's have exited.
 */
export type Handoff = 'overlap' | 'exclusive';

/** Whom supervisor and workers run as, from the time the listeners are bound. */
export interface Account {
  /** The user's name; null for a number that has none. */
  readonly user: string | null;
  /** Of the user. */
  readonly uid: number;
  /** Of its primary group, or of the one that was asked for. */
  readonly gid: number;
}

/** What a supervisor is told to do: plain JSON, all durations in milliseconds, every path absolute. */
export interface Settings {
  /** Names pid file, control socket and status. */
  readonly name: string;
  /** The lock and the pid; null for neither: nothing keeps a second start out then. */
  readonly pidFile: string | null;
  /** The control socket; null for none: requests come by signals alone, and verdicts are only logged. */
  readonly control: string | null;
  /** What the supervisor opens and owns; may be empty. */
  readonly listen: readonly ListenSpec[];
  /** Number of slots, 1 or more. */
  readonly workers: number;
  /** Number of booted workers beside them that wait for a slot; needs a readiness that waits for `ok`. */
  readonly standby: number;
  /** How generations follow each other. */
  readonly handoff: Handoff;
  /** Whether a reload may be asked for; false for programs of which no two copies may start up together. */
  readonly hotReload: boolean;
  /** How a worker is known to be ready. */
  readonly ready: Readiness;
  /** A worker must be ready within it, or is killed. */
  readonly startTimeoutMs: number;
  /** A successor must ask for the takeover within it, or the reload is refused. */
  readonly reloadTimeoutMs: number;
  /** The other generation must answer within it, and a killed process be gone. */
  readonly takeoverTimeoutMs: number;
  /** From the stop signal to SIGKILL. */
  readonly drainTimeoutMs: number;
  /** After its workers may serve a successor must do without a failure for so long, before it is in charge. */
  readonly probationMs: number;
  /** What its workers are asked meanwhile; null for nothing. */
  readonly health: HealthCheck | null;
  /** Also what counts as a long life, see `respawnAfter`. */
  readonly respawnDelayMs: number;
  /** Whether the wait before a respawn grows from 100 ms on (`adaptive`), or is always the delay. */
  readonly respawn: 'adaptive' | 'fixed';
  /** null for none. */
  readonly respawnLimit: RespawnLimit | null;
  /** Told to workers: a later `pong` means that the supervisor is gone. */
  readonly pingTimeoutMs: number;
  /** A worker that has pinged once and then says nothing for so long is killed; null for never. */
  readonly watchdogMs: number | null;
  /** A worker that uses more resident memory is replaced; bytes, null for no limit. */
  readonly maxMemoryBytes: number | null;
  /** What asks a worker to leave, e.g. `SIGTERM`. */
  readonly stopSignal: string;
  /** The first process stays after its first hand-over, for its pid. */
  readonly anchor: boolean;
  /** null: whoever starts it. */
  readonly account: Account | null;
}

/** Defaults, in milliseconds. Those taken over from the reference implementation say so. */
export const DEFAULTS = {
  /** The reference's `alarm 60` bounds start and reload together; here each has its own. */
  startTimeoutMs: 60_000,
  /** Added to the start time-out for the reload time-out: the time a supervisor itself may take. */
  reloadGraceMs: 5_000,
  /** The reference's two alarms of 5 s around the lock. */
  takeoverTimeoutMs: 5_000,
  /** Kubernetes' terminationGracePeriodSeconds, so that one fits into the other. */
  drainTimeoutMs: 30_000,
  /** None. */
  probationMs: 0,
  /** From the beginning of one health check of a worker to the next. */
  healthIntervalMs: 1_000,
  /** A worker that has not answered within it has failed the check. No longer than the interval: one at a time. */
  healthTimeoutMs: 1_000,
  /** So many failed checks of one worker in a row are a failure of its generation. */
  healthFailures: 3,
  /** The reference's delay before respawn. */
  respawnDelayMs: 5_000,
  /** Told to workers: a later `pong` means that the supervisor is gone. */
  pingTimeoutMs: 5_000,
  /** Pid or control path could not be written by who is in charge: tried again after so long. */
  publishRetryMs: 1_000,
  /** Added to the limits of a daemonized start: to load, to take the lock, to be killed. */
  daemonizeGraceMs: 10_000,
  /** A worker that is silent for so long is mentioned once in the log. */
  silenceNoticeMs: 5_000,
  /**
   * Between two readings of a worker's memory. Each takes about 25 µs (measured), so that there is no need to wait
   * longer, and what leaks 100 MB a second is found 100 MB after its limit.
   */
  memoryIntervalMs: 1_000,
  /** What explains why a worker has to be killed is collected for so long at most. */
  evidenceTimeoutMs: 1_000,
  /** Folders of evidence that are kept. */
  evidenceKept: 10,
  /** Between the starts of two workers of a successor: most of what one needs of a processor to boot (Node 20). */
  turnMs: 45,
  /** All of them have their turn within this time, however many they are. */
  allTurnsMs: 300,
  /** Wait after the first young death; it doubles with each further one. */
  backoffBaseMs: 100,
  /**
   * Least wait between a promotion and the boot of the next standby. The one that was promoted has answered by then
   * (within 16 ms of the death, two cores), and shares the processors with no boot.
   */
  standbyRestMs: 100,
} as const;

/** A typing error must not start eighty thousand processes. */
export const MOST_WORKERS = 1_024;

/** Longer timers fire at once (Node: 2^31 - 1 ms), so every duration is capped well below. */
export const MAX_DURATION_MS = 86_400_000;

/** The end of one worker, as far as respawning is concerned. */
export interface Death {
  /** How long the worker had been ready when it exited; null when it never was. */
  readonly readyForMs: number | null;
  /** Consecutive young deaths in this slot before this one. */
  readonly youngDeaths: number;
}

/** When a slot is filled again. */
export interface RespawnDecision {
  /** Wait before the slot is filled again. */
  readonly delayMs: number;
  /** Consecutive young deaths, this one included. */
  readonly youngDeaths: number;
}

/**
 * When to fill a slot again.
 *
 * `fixed` always waits `respawnDelayMs`. `adaptive` replaces a worker that was ready for `respawnDelayMs` or
 * longer at once, and waits 100 ms, 200 ms, 400 ms … at most `respawnDelayMs` after each young death.
 */
export const respawnAfter = (
  settings: Pick<Settings, 'respawn' | 'respawnDelayMs'>,
  death: Death,
): RespawnDecision => {
  const { respawn, respawnDelayMs } = settings;
  const grownUp = death.readyForMs !== null && death.readyForMs >= respawnDelayMs;
  const youngDeaths = grownUp ? 0 : death.youngDeaths + 1;
  if (respawn === 'fixed') return { delayMs: respawnDelayMs, youngDeaths };
  if (grownUp) return { delayMs: 0, youngDeaths };
  // The exponent is capped: 2^30 steps of 100 ms are beyond every delay that can be set.
  const delayMs = DEFAULTS.backoffBaseMs * 2 ** Math.min(death.youngDeaths, 30);
  return { delayMs: Math.min(delayMs, respawnDelayMs), youngDeaths };
};

/**
 * Respawns that still count towards the limit after one more at `atMs`, oldest first.
 *
 * The list never grows beyond `count` + 1 entries: that many already exceed the limit.
 */
export const countRespawn = (
  limit: RespawnLimit | null,
  respawnsAtMs: readonly number[],
  atMs: number,
): readonly number[] =>
  limit === null
    ? []
    : [...respawnsAtMs.filter((then) => atMs - then < limit.withinMs), atMs].slice(-(limit.count + 1));

/** Whether there were more respawns than the limit allows; never without a limit. */
export const exceedsLimit = (limit: RespawnLimit | null, respawnsAtMs: readonly number[]): boolean =>
  limit !== null && respawnsAtMs.length > limit.count;

/**
 * When a successor's slot has its turn, after the first one: counted from 1, each a little after the one before.
 *
 * The generation that serves shares the processors with those that boot. Apart from each other they delay its
 * answers less; what it costs the reload is bounded.
 */
export const turnAfterMs = (slot: number, slots: number): number =>
  Math.round((slot - 1) * Math.min(DEFAULTS.turnMs, DEFAULTS.allTurnsMs / Math.max(slots - 1, 1)));

/**
 * How long a kill may wait for evidence. Another generation gives a drain the takeover timeout on top of its own
 * limit: half of that is left for the kill.
 */
export const evidenceTimeoutMs = (settings: Pick<Settings, 'takeoverTimeoutMs'>): number =>
  Math.min(DEFAULTS.evidenceTimeoutMs, settings.takeoverTimeoutMs / 2);

/** Every worker of a generation on probation is asked whether it is well. */
export const isChecked = (settings: Pick<Settings, 'health' | 'probationMs'>): boolean =>
  settings.health !== null && settings.probationMs > 0;

/**
 * How long a probation may last beyond its end while the last check of some worker has not passed: until one that
 * has failed once or has not been asked yet has either passed or failed for good.
 */
export const proofTimeoutMs = (settings: Pick<Settings, 'health' | 'probationMs'>): number =>
  isChecked(settings) ? DEFAULTS.healthFailures * DEFAULTS.healthIntervalMs : 0;

/** How long the predecessor waits for `committed` after it granted the takeover. */
export const commitTimeoutMs = (settings: Settings): number =>
  settings.probationMs +
  proofTimeoutMs(settings) +
  settings.takeoverTimeoutMs +
  // Workers without the protocol are started only after the grant: their start is part of the wait.
  (startsAfterGrant(settings) ? settings.startTimeoutMs : 0);

/**
 * How long a daemonized start may take until every worker is ready, or nothing is left of it: what each of its waits
 * may take, and the time of the supervisor itself.
 */
export const daemonizeTimeoutMs = (settings: Settings): number =>
  settings.startTimeoutMs +
  // Workers of an earlier supervisor first; those that were started last, where one fails.
  2 * settings.drainTimeoutMs +
  settings.takeoverTimeoutMs +
  DEFAULTS.daemonizeGraceMs;
/** How long whoever changes the number of workers waits for it: a start or a drain, and what a supervisor takes itself. */
export const scaleTimeoutMs = (settings: Settings): number =>
  Math.max(settings.startTimeoutMs, settings.drainTimeoutMs) + settings.takeoverTimeoutMs;

/**
 * How long an anchor waits for the end of a service that it told to stop: its workers' drain, and for a reload
 * that is under way the takeover timeout once more than for giving everything back.
 */
export const concludeTimeoutMs = (settings: Settings): number =>
  settings.drainTimeoutMs + 2 * settings.takeoverTimeoutMs;

/** In exclusive mode a program without the protocol would serve as soon as it lives: it must not start earlier. */
export const startsAfterGrant = (settings: Pick<Settings, 'handoff' | 'ready'>): boolean =>
  settings.handoff === 'exclusive' && settings.ready.mode === 'alive';
