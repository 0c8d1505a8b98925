/**
 * What an option and a command are, with those that several commands have: one table, by command in `command-table`,
 * which parser, help and tests read.
 */

export interface OptionSpec {
  readonly flag: `--${string}`;
  readonly short?: `-${string}`;
  /** Stands for the value in the help; an option without it is a switch. */
  readonly value?: string;
  /** The same for a value that may be left out; it is given with an equals sign, since a word may be the command. */
  readonly optionalValue?: string;
  readonly group: string;
  readonly doc: string;
  /** What holds when the option is not given. */
  readonly fallback?: string;
}

export interface CommandSpec {
  readonly name: string;
  /** How it is called; `tanist` and its name when absent. */
  readonly calledAs?: string;
  readonly doc: string;
  /** What follows the options, as the usage line has it. */
  readonly operands?: string;
  readonly options: readonly OptionSpec[];
}

export const HELP: OptionSpec = {
  flag: '--help',
  short: '-h',
  group: 'Help',
  doc: 'Say this, and do nothing else.',
};

export const INSPECT_CONTROL: OptionSpec = {
  flag: '--inspect-control',
  group: 'Page',
  doc: 'Let the page reload and stop the daemon, and kill workers.',
};

export const RUN_DIR: OptionSpec = {
  flag: '--run-dir',
  value: 'DIR',
  group: 'Identity',
  doc: 'Where the pid files and control sockets of all supervisors are.',
  fallback:
    '$TANIST_RUN_DIR, $RUNTIME_DIRECTORY, /run/tanist for root, $XDG_RUNTIME_DIR/tanist or ~/.local/state/tanist',
};

/** What may stand before the command. */
export const PROGRAM_OPTIONS: readonly OptionSpec[] = [
  HELP,
  { flag: '--version', short: '-V', group: 'Help', doc: 'Say which tanist this is.' },
];

/** Exit statuses, as every command's help lists them. */
export const EXIT_STATUSES: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'failed while running; the message has a code and a hint'],
  ['2', 'used wrongly'],
  ['3', 'not running'],
  ['4', 'reload refused or rolled back: the old generation goes on serving'],
  ['5', 'already running'],
  ['6', 'respawn limit reached'],
];

/** Signals to the supervisor, as the help of run lists them. */
export const SIGNALS: readonly (readonly [string, string])[] = [
  ['SIGUSR2, SIGHUP', 'reload (SIGHUP stops a supervisor that was started from a terminal)'],
  ['SIGTTIN, SIGTTOU', 'one worker more, one fewer'],
  ['SIGTERM, SIGINT, SIGQUIT', 'stop; a second one kills at once'],
];
