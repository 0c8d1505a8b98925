/**
 * Every way tanist can fail, in one table: the exit status it leads to and what to do about it.
 *
 * The statuses are those of contract: 1 failed while running, 2 used wrongly, 3 not running,
 * 4 reload refused, 5 already running, 6 respawn limit reached.
 */
const ERRORS = {
  TANIST_USAGE: {
    status: 2,
    hint: 'Run "tanist --help" for the commands and "tanist <command> --help" for their options.',
  },
  TANIST_DEFINITION: { status: 2, hint: 'Correct the call of defineDaemon() in the program.' },
  TANIST_UNDECLARED_OPTION: {
    status: 1,
    hint: 'Declare it in the options of defineDaemon(), or correct its name.',
  },
  TANIST_COMMAND_NOT_FOUND: { status: 2, hint: 'Check the spelling, the working directory and PATH.' },
  TANIST_WORKING_DIRECTORY: { status: 2, hint: 'Make the directory, or name another with --chdir.' },
  TANIST_ENV_FILE: {
    status: 2,
    hint: 'A line is NAME=value, a comment that starts with #, or empty; quote values with special characters.',
  },
  TANIST_CONFIG: { status: 2, hint: 'Correct the file behind --config, or the path.' },
  TANIST_LOG_FILE: {
    status: 2,
    hint: 'Make its directory and let the user of the supervisor write there, or name another with --log-file.',
  },
  TANIST_JOURNAL_FILE: {
    status: 2,
    hint: 'Make its directory and let the user of the supervisor write there, or name another with --journal.',
  },
  TANIST_JOURNAL_UNREADABLE: {
    status: 2,
    hint: 'A journal is what "tanist run --journal FILE" has written: JSON lines, each with a seq and an event.',
  },
  TANIST_JOURNAL_DIFFERS: {
    status: 1,
    hint: 'Either the recording was changed, or this tanist decides otherwise than the one that wrote it.',
  },
  TANIST_UNKNOWN_TO_JOURNAL: {
    status: 1,
    hint: 'Ask "tanist why" without a subject for what it knows; an older journal may be in a file of another name.',
  },
  TANIST_NO_JOURNAL: {
    status: 1,
    hint: 'Start it with --journal FILE to have one, or name a file with --journal.',
  },
  TANIST_AMBIGUOUS_TARGET: { status: 2, hint: 'Name one with --name or --pid-file.' },
  TANIST_NOT_RUNNING: {
    status: 3,
    hint: 'Start it with "tanist run", or check --name, --pid-file, --control and --run-dir.',
  },
  TANIST_RELOAD_REFUSED: {
    status: 4,
    hint: 'The old generation goes on serving. The log of the new one says why it failed.',
  },
  TANIST_LOCK_HELD: {
    status: 5,
    hint: 'Use "tanist reload" to replace it, "tanist stop" to end it, or another --name to run beside it.',
  },
  TANIST_RESPAWN_LIMIT: {
    status: 6,
    hint: 'The workers die faster than --respawn-limit allows: look at their own output above.',
  },
  TANIST_NO_LOG_FILE: {
    status: 1,
    hint: 'Start it with --log-file PATH to have a file; under systemd use "journalctl -u UNIT".',
  },
  TANIST_FOREGROUND: {
    status: 1,
    hint: 'Restart it there (such as with "systemctl restart"), or say what to run here: "tanist restart [options] <command>".',
  },
  TANIST_SCALE_REFUSED: {
    status: 1,
    hint: 'Nothing was changed: see "tanist status" for what goes on, and ask again when it is over.',
  },
  TANIST_SCALE_INCOMPLETE: {
    status: 1,
    hint: 'The number stays what you asked for, and the rest goes on: see "tanist status" and the log.',
  },
  TANIST_TIMEOUT: { status: 1, hint: 'What was asked goes on: see "tanist status".' },
  TANIST_LOCK_FAILED: {
    status: 1,
    hint: 'Check the directory of the pid file: it must exist, be writable and be on a local disk.',
  },
  TANIST_PID_FILE: {
    status: 1,
    hint: 'The pid file must be a regular file or absent, yours, and writable by nobody else: remove what is there, or name another with --pid-file.',
  },
  TANIST_FS_EXT_MISSING: {
    status: 1,
    hint: 'Install a compiler (Debian: apt-get install python3 make g++), then run "npm rebuild fs-ext".',
  },
  TANIST_LISTEN_IN_USE: { status: 1, hint: 'Stop what uses the address, or listen elsewhere.' },
  TANIST_LISTEN_FAILED: {
    status: 1,
    hint: 'Check that the address belongs to this machine and that you may bind it.',
  },
  TANIST_LISTEN_INHERITED: {
    status: 1,
    hint: 'Whoever starts tanist must leave listening sockets open for it, as a systemd socket unit or "systemd-socket-activate" does.',
  },
  TANIST_IDENTITY: {
    status: 1,
    hint: 'Nothing runs. Start it as root with all its capabilities, and name a user and a group that exist.',
  },
  TANIST_USER_ACCESS: {
    status: 1,
    hint: 'Nothing runs. Let the user of --user have it: every generation is started as that user.',
  },
  TANIST_CONTROL_FAILED: {
    status: 1,
    hint: 'Check the directory of the control socket and what is there. --control PATH puts it elsewhere, and is then what the other commands need.',
  },
  TANIST_RUN_DIR: { status: 1, hint: 'Name a directory you own with --run-dir or TANIST_RUN_DIR.' },
  TANIST_PREDECESSOR_WORKERS: {
    status: 1,
    hint: 'Workers of an earlier supervisor still run: end them, then start again.',
  },
  TANIST_SERVICE_LOST: {
    status: 1,
    hint: 'The last lines of its log say more. Workers that know the protocol leave when they see that it is gone.',
  },
  TANIST_STOP_OVERDUE: {
    status: 1,
    hint: 'The supervisor in charge hung and was killed. Is --drain-timeout long enough?',
  },
  TANIST_ANCHORED: {
    status: 1,
    hint: 'This process is only the anchor of the service: ask the generation in charge over its control socket.',
  },
  TANIST_STOPPING: { status: 1, hint: 'A stop was already requested: start it again when it has ended.' },
  TANIST_VERDICT_LOST: {
    status: 1,
    hint: 'The supervisor that took the request is gone: see "tanist status" for what runs now.',
  },
  TANIST_CONTROL_PROTOCOL: {
    status: 1,
    hint: 'The control socket gave an answer this tanist does not understand: are the versions the same?',
  },
  TANIST_SPAWN_FAILED: { status: 1, hint: 'Check that the program exists and may be executed.' },
  TANIST_WORKER_FAILED: {
    status: 1,
    hint: 'Look at what the worker wrote; start it without --daemonize to see it at once.',
  },
  TANIST_START_ABORTED: { status: 1, hint: 'Nothing is left running: start it again.' },
  TANIST_START_FAILED: { status: 1, hint: 'The log file says how far it came.' },
  TANIST_INTERNAL: { status: 1, hint: 'This is a defect of tanist: please report it with the lines above.' },
} as const satisfies Record<string, { status: number; hint: string }>;

/**
 * What went wrong: every error that leaves tanist carries one of these codes. What to do about it is in `hint`, the exit
 * status that it leads to in `exitStatus`.
 *
 * @useDeclaredType
 */
export type ErrorCode = keyof typeof ERRORS;

/** One mistake among several that are reported together. */
export interface Problem {
  /** The option or setting, as it was written: `--workers`, `workers`. */
  readonly option: string;
  /** What was given, and what is expected. */
  readonly message: string;
}

/** What an error has besides its code and its message. */
export interface TanistErrorOptions {
  /** In place of what the code's table says. */
  readonly hint?: string;
  /** What was thrown before. */
  readonly cause?: unknown;
  /** The single mistakes, when several are reported at once. */
  readonly problems?: readonly Problem[];
}

/** An error as JSON. */
export interface TanistErrorReport {
  /** All there is to say about it. */
  readonly error: {
    /** To be tested for. */
    readonly code: ErrorCode;
    /** What was found. */
    readonly message: string;
    /** What to do about it. */
    readonly hint: string;
    /** The single mistakes; absent for none. */
    readonly problems?: readonly Problem[];
  };
}

/** The one error class: a code to test for, a message that says what was found, a hint that says what to do. */
export class TanistError extends Error {
  /** `TanistError`, in stack traces too. */
  override readonly name = 'TanistError';
  /** To be tested for; messages may change. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence for a person. */
  readonly hint: string;
  /** The exit status a command ends with when this error ends it. */
  readonly exitStatus: number;
  /** The single mistakes, when several are reported at once; else none. */
  readonly problems: readonly Problem[];

  /** Programs rarely make one; they are told what tanist has made. */
  constructor(code: ErrorCode, message: string, options: TanistErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.exitStatus = ERRORS[code].status;
    this.problems = options.problems ?? [];
  }

  /** What `--json` prints and the control socket answers. */
  toJSON(): TanistErrorReport {
    const { code, message, hint, problems } = this;
    return { error: { code, message, hint, ...(problems.length > 0 ? { problems } : {}) } };
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

export const exitStatusOf = (code: ErrorCode): number => ERRORS[code].status;

/** Any thrown value as a TanistError; what is not one already is a defect of ours. */
export const asTanistError = (thrown: unknown): TanistError => {
  if (thrown instanceof TanistError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TanistError('TANIST_INTERNAL', message, { cause: thrown });
};
