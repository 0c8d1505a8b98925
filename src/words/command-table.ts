/**
 * The one table of commands: parser, help and tests read it.
 */
import { type CommandSpec, HELP, INSPECT_CONTROL, type OptionSpec, RUN_DIR } from './options.js';
import { RUN } from './run-options.js';

const TARGET: readonly OptionSpec[] = [
  {
    flag: '--name',
    value: 'NAME',
    group: 'Target',
    doc: 'The supervisor of this name in the run directory.',
    fallback: 'the only one there',
  },
  { flag: '--pid-file', value: 'PATH', group: 'Target', doc: 'The supervisor with this pid file.' },
  {
    flag: '--control',
    value: 'PATH',
    group: 'Target',
    doc: 'The supervisor with this control socket, which was started with the same option.',
  },
  { ...RUN_DIR, group: 'Target', doc: 'Where to look for it.' },
];

const target = (timeout: string): readonly OptionSpec[] => [
  ...TARGET,
  { flag: '--json', group: 'Answer', doc: 'Print one JSON object, also for errors.' },
  {
    flag: '--timeout',
    value: 'D',
    group: 'Answer',
    doc: 'Stop waiting after it, with status 1; what was asked goes on.',
    fallback: timeout,
  },
];

const NONE = "none, the supervisor's own limits bound the wait";

const ADDRESS: OptionSpec = {
  flag: '--address',
  value: 'ADDRESS',
  group: 'Page',
  doc: 'Where the page is served: 127.0.0.1:8080, [::1]:8080, or a port of 127.0.0.1. Port 0 is any free one. Other machines can reach any address that is not a loopback address.',
  fallback: '127.0.0.1:0',
};

const INSPECTOR: readonly OptionSpec[] = [
  ADDRESS,
  INSPECT_CONTROL,
  {
    flag: '--until-end',
    group: 'Page',
    doc: 'End with the daemon, instead of waiting until it is started again.',
  },
];

/** Commands in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    doc: 'Supervise a command in the foreground. Started while the same runs already, ask it to reload instead.',
    operands: '[--] <command> [args…]',
    options: RUN,
  },
  {
    name: 'reload',
    doc: 'Start a new generation and wait for the verdict.',
    options: [...target(NONE), HELP],
  },
  {
    name: 'scale',
    doc: 'Change the number of workers to N, and return when they are ready and the others are gone. The number survives reloads; a new start goes back to --workers.',
    operands: 'N',
    options: [...target('the longer of --start-timeout and --drain-timeout'), HELP],
  },
  { name: 'stop', doc: 'Drain and stop; return when everything is gone.', options: [...target(NONE), HELP] },
  {
    name: 'status',
    doc: 'Say what runs now.',
    options: [
      ...target('10s'),
      {
        flag: '--watch',
        group: 'Answer',
        doc: 'Go on saying it, through reloads and restarts, until Ctrl-C: a live table on a terminal, elsewhere whenever something has changed.',
      },
      HELP,
    ],
  },
  {
    name: 'restart',
    doc: 'Stop what runs and run this in its place, for what a reload cannot change: all is checked before anything is stopped. Without a command: start a daemon again as it was started, with --daemonize.',
    operands: '[--] [<command> [args…]]',
    options: RUN,
  },
  {
    name: 'logs',
    doc: 'Show the end of the log of a daemon that has a log file.',
    options: [
      ...TARGET,
      {
        flag: '--lines',
        short: '-n',
        value: 'N',
        group: 'Answer',
        doc: 'How many of the last lines.',
        fallback: '10',
      },
      {
        flag: '--follow',
        short: '-f',
        group: 'Answer',
        doc: 'Go on with what is written, also when the file is moved away, until Ctrl-C.',
      },
      { flag: '--json', group: 'Answer', doc: 'The lines as they are in the file, also on a terminal.' },
      HELP,
    ],
  },
  {
    name: 'replay',
    doc: 'Run a journal through the machines as they are shipped, and say where it differs: status 0 the same, 1 different, 2 not a journal. Of a journal that was rotated, name FILE.1 and FILE.',
    operands: 'FILE…',
    options: [
      {
        flag: '--until',
        value: 'SEQ',
        group: 'Answer',
        doc: 'Stop behind the event with this number, and print every state and the status at that moment.',
        fallback: 'the end',
      },
      {
        flag: '--inspect',
        group: 'Answer',
        doc: 'Instead, serve a page on which the recording can be watched, until Ctrl-C: the same as "tanist inspect --journal FILE".',
      },
      { flag: '--json', group: 'Answer', doc: 'Print one JSON object, also for errors.' },
      HELP,
    ],
  },
  {
    name: 'why',
    doc: 'Say from the journal why a worker or a supervisor was started or ended, or a reload refused. SUBJECT is a slot, a pid (pid:42 where a slot has that number), or last-reload; without it, every slot and the last reload.',
    operands: '[SUBJECT]',
    options: [
      ...TARGET,
      {
        flag: '--journal',
        value: 'FILE',
        group: 'Target',
        doc: 'Read this journal, and FILE.1 before it if there is one.',
        fallback: 'that of the supervisor, which has to run',
      },
      { flag: '--json', group: 'Answer', doc: 'Print one JSON object, also for errors.' },
      HELP,
    ],
  },
  {
    name: 'inspect',
    doc: 'Serve a page on which a daemon can be watched, through its reloads, until Ctrl-C; its address is printed. It is a process of its own, and the daemon need not know of it.',
    options: [
      ...TARGET,
      {
        flag: '--journal',
        value: 'FILE',
        group: 'Target',
        doc: 'Show this recording instead of a daemon. May be given several times, the oldest file first.',
      },
      ...INSPECTOR,
      { flag: '--json', group: 'Answer', doc: 'Print the address as a JSON object, also errors.' },
      HELP,
    ],
  },
];

export const commandSpec = (name: string): CommandSpec | undefined =>
  COMMANDS.find((command) => command.name === name);
