/**
 * What an embedder may tell a supervisor, and what a command line tells it: the same settings, written differently.
 */
import type { Handoff, HealthCheck, Readiness, RespawnLimit } from '../../machines/policy.js';
import type { Mistake } from './mistake.js';

/** From the most talkative to the quietest; `silent` says nothing at all. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The options of `createSupervisor()`. Durations are whole milliseconds, at most 86_400_000 (24 h). */
export interface SupervisorOptions {
  /** The program of the workers: a path, or a name to look up in `PATH`. */
  readonly command: string;
  /** Its arguments, given to it unchanged. Default none. */
  readonly args?: readonly string[];
  /** Names the pid file, the log and the status: 1 to 64 bytes, no slash. Default: the command's base name without its ending. */
  readonly name?: string;
  /** Where the pid file is, if `pidFile` does not say it. Default: `TANIST_RUN_DIR` and the usual places after it. */
  readonly runDir?: string;
  /** The file with lock and pid; the control socket is beside it. Default `<runDir>/<name>.pid`. */
  readonly pidFile?: string;
  /**
   * Neither pid file nor lock: nothing keeps a second start out, and there is no control socket unless `control` names
   * one. Reloads are asked for by SIGUSR2 then, and their verdicts logged. Not together with `pidFile`. Default false.
   */
  readonly noPidFile?: boolean;
  /**
   * The control socket, in a directory that exists; what is there is replaced only if it is a socket that refuses
   * connections. Relative to the start directory. At most 91 bytes on Linux, 87 elsewhere. Default: beside the pid file.
   */
  readonly control?: string;
  /**
   * `[name=]8080`, `[name=]127.0.0.1:8080`, `[name=][::1]:8080`, `[name=]unix:/path`; `[name=]fd:3`, a listening
   * socket this process has inherited, and `systemd`, those of socket activation. Default none.
   */
  readonly listen?: string | readonly string[];
  /** Slots, 1 to 1024; `auto` is the number of available processors. Default 1. */
  readonly workers?: number | 'auto';
  /**
   * Booted workers beside the slots, which do not serve: one takes the slot of a worker that exits at once, and
   * another is booted in its place. 0 to 1024, default 0. Needs `ready` `takeover` or `http`, so that they can be
   * held back. A standby has `TANIST_SLOT` 0.
   */
  readonly standby?: number;
  /** Whether two generations may serve at the same time. Default `overlap` with listeners, else `exclusive`. */
  readonly handoff?: Handoff;
  /**
   * Reloads are refused (`not-reloadable`), for a program of which no two copies may start up together. Default false.
   */
  readonly noHotReload?: boolean;
  /** How a worker is known to be ready. Default `takeover`. */
  readonly ready?: string | Readiness;
  /** A worker must become ready within it. 1 ms or more, default 60_000. */
  readonly startTimeoutMs?: number;
  /** A successor must ask for takeover within it. 1 ms or more, default `startTimeoutMs` + 5_000. */
  readonly reloadTimeoutMs?: number;
  /** The predecessor must answer within it. 1 ms or more, default 5_000. */
  readonly takeoverTimeoutMs?: number;
  /** From the stop signal to SIGKILL. 0 kills at once, default 30_000. */
  readonly drainTimeoutMs?: number;
  /**
   * How long a new generation is on probation: its workers serve, and an exit of one of them, a missed watchdog or a
   * failing `health` check brings the old generation back (`rolled-back`). Only then it is in charge, and the reload
   * is answered. With `overlap` both generations serve meanwhile. 0 or more, default 0: none.
   */
  readonly probationMs?: number;
  /**
   * `http=/path`: during the probation every worker of the new generation is asked `GET /path` on its private probe
   * socket, at once and then every second. It must answer 2xx or 3xx within a second; three failures in a row of any
   * one worker end the probation with `health-failed`, and it does not end well before the last check of every worker
   * has passed. Needs `probationMs`, and workers that answer there: not with `ready` `alive`. Default none.
   */
  readonly health?: string | HealthCheck;
  /** See `respawn`. 0 or more, default 5_000. */
  readonly respawnDelayMs?: number;
  /** `fixed` always waits `respawnDelayMs`, `adaptive` only after young deaths. Default `adaptive`. */
  readonly respawn?: 'adaptive' | 'fixed';
  /** More respawns than that end the supervisor with status 6. Also as `5/1m`. Default none. */
  readonly respawnLimit?: string | RespawnLimit | null;
  /** Told to workers: a later pong means that the supervisor is gone. 1 ms or more, default 5_000. */
  readonly pingTimeoutMs?: number;
  /**
   * Makes an unchanged program of Node's a worker: its `listen()` on an address of `listen` uses the listener, says
   * that it is ready and waits until it may serve, and the program is drained when it has no handler of its own for
   * the stop signal. A program that uses `tanist/worker` is left alone. Default: true where `command` is a script or
   * `node`; for other commands it is refused.
   */
  readonly adopt?: boolean;
  /**
   * A worker that has pinged once and then says nothing for so long is killed with its process group, and
   * respawned. 1 ms or more, default never. Workers that use `tanist/worker` ping by themselves once they may serve.
   */
  readonly watchdogMs?: number;
  /**
   * A worker that uses more resident memory is replaced: a second one gets ready first, then the first one is drained.
   * Bytes, or a size such as `'300MB'` or `'512MiB'`; 1 MB or more. Measured once a second, where there is `/proc`.
   * If the second one does not get ready, the first one serves on, and it is tried again after `respawnDelayMs`.
   * Default no limit.
   */
  readonly maxMemory?: number | string;
  /** What asks a worker to leave. Default `SIGTERM`. */
  readonly stopSignal?: string;
  /**
   * Whom supervisor and workers run as, by name or number, once lock and listeners are open: root may start it, and
   * nobody else. Supplementary groups are those of that user, HOME, USER and LOGNAME of the workers too, and the
   * files are in a directory of that user's, `<runDir>/<user>`. Every generation is that user. In the process of
   * `createSupervisor()` all of the program becomes it. Default: whoever starts it.
   */
  readonly user?: string | number;
  /** The group, by name or number; root alone. Default: the primary group of `user`. */
  readonly group?: string | number;
  /**
   * Files of variables for the workers, `NAME=value` a line; later files win over earlier ones, and all over the
   * inherited environment. Read anew by every generation. Relative to the start directory. Default none.
   */
  readonly envFile?: string | readonly string[];
  /**
   * The directory the workers run in; a relative `command` is looked up from there. Relative to the start directory,
   * resolved anew by every generation: a link to a release is followed at a reload. Default the start directory.
   */
  readonly chdir?: string;
  /** The workers' file mode creation mask, octal in a string: `'022'`. Default that of the supervisor. */
  readonly umask?: string;
  /**
   * After its first reload the first process stays as an anchor: it owns nothing, passes signals on to the
   * generation in charge and ends as the service does, so that whoever started it keeps its pid and its exit status.
   * If the anchor dies, the service stops. Default false here: a program around a supervisor may own more than the
   * supervisor knows, and would keep it beside the next generation's. On a command line it is the default.
   */
  readonly anchor?: boolean;
  /** Default `info`. */
  readonly logLevel?: LogLevel;
  /**
   * The log is appended to this file, and not written to standard error; JSON lines, mode 0640. Every generation
   * opens it anew, and a file that was moved away or removed is opened again with the next line. Relative to the
   * start directory. Default none.
   */
  readonly logFile?: string;
  /**
   * Every event of the machines is appended to this file, with what it led to: JSON lines, mode 0600, to be read by
   * `tanist replay` and `tanist why`. Every generation opens it anew. It has no value of any environment variable.
   * Relative to the start directory. Default `TANIST_JOURNAL`, or none.
   */
  readonly journal?: string;
  /**
   * A journal above it is renamed to `FILE.1`, where the one before is gone, and begins anew. Not during a reload, so
   * that it may be larger for a while. Bytes, or a size such as `'64MiB'`; 1 MB or more, default 16 MiB.
   */
  readonly journalLimit?: number | string;
  /**
   * Detach from the terminal and wait until every worker is ready: for `defineDaemon()` and files of settings.
   * `createSupervisor()` refuses it. Default false.
   */
  readonly daemonize?: boolean;
  /** The same as `logLevel: 'error'`. Default false. */
  readonly noWarn?: boolean;
}

/** What a command line said: the words after each option, by its flag, and the command. */
export interface CommandLineSettings {
  readonly commandLine: ReadonlyMap<string, readonly string[]>;
  /** Absent when the command is missing. */
  readonly command?: string;
  readonly args: readonly string[];
  /** What is in the file behind `--config`, once it has been read. */
  readonly configFile?: { readonly path: string; readonly values: Readonly<Record<string, unknown>> };
  /** Mistakes in the words themselves, still to be told: those in the file are told together with them. */
  readonly mistakes?: readonly Mistake[];
  /** What holds where the line says nothing: the options a program brings along, by key. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** A program that is its own command: its path as it was named, and the words it was given. */
  readonly own?: { readonly script: string; readonly words: readonly string[] };
}
