/**
 * The options of a start, in the order of its help.
 */
import { DEFAULTS } from '../../machines/policy.js';
import { formatDuration } from '../settings/duration.js';
import { LOG_LEVELS } from '../settings/supervisor-options.js';
import { HELP, INSPECT_CONTROL, type OptionSpec, RUN_DIR } from './options.js';

const IDENTITY: readonly OptionSpec[] = [
  {
    flag: '--name',
    value: 'NAME',
    group: 'Identity',
    doc: 'Names the pid file, the log and the status.',
    fallback: 'base name of the command without its ending',
  },
  RUN_DIR,
  {
    flag: '--pid-file',
    value: 'PATH',
    group: 'Identity',
    doc: 'The file with lock and pid; the control socket is beside it.',
    fallback: '<run dir>/<name>.pid',
  },
  {
    flag: '--config',
    value: 'FILE',
    group: 'Identity',
    doc: 'Options from a file, read anew at each reload: JSON, or a JavaScript module that exports them. Keys are the options in camel case, durations numbers with the suffix Ms (startTimeoutMs); the command line wins.',
  },
  {
    flag: '--no-pid-file',
    group: 'Identity',
    doc: 'Neither pid file nor lock: nothing keeps a second start out, and without --control SIGUSR2 alone asks for a reload, and its verdict is only logged.',
  },
  {
    flag: '--control',
    value: 'PATH',
    group: 'Identity',
    doc: 'The control socket, in a directory that exists. The other commands find it by the same option.',
    fallback: 'beside the pid file; none with --no-pid-file',
  },
];

const WORKERS: readonly OptionSpec[] = [
  {
    flag: '--listen',
    value: 'SPEC',
    group: 'Workers',
    doc: 'An address the supervisor owns and never closes: [name=]8080 (all IPv4 addresses), [name=]127.0.0.1:8080, [name=][::1]:8080 or [name=]unix:/path; or one that tanist inherits: [name=]fd:3, or systemd for all of socket activation. May be given several times; port 0 is any free port.',
  },
  {
    flag: '--workers',
    value: 'N',
    group: 'Workers',
    doc: 'How many workers; auto: as many as there are processors.',
    fallback: '1',
  },
  {
    flag: '--ready',
    value: 'MODE',
    group: 'Workers',
    doc: 'How a worker is known to be ready. takeover: it says so on its channel. http=/path: it has said so and answers 2xx or 3xx on its probe socket. alive=1s: it has lived that long.',
    fallback: 'takeover',
  },
  {
    flag: '--adopt',
    group: 'Workers',
    doc: 'Make an unchanged program of Node a worker: when it calls listen() on an address of --listen it gets the listener, is ready, and waits until it may serve; without a handler of its own for the stop signal it is drained. A program that uses tanist/worker is left alone.',
    fallback: 'for a script, and for node',
  },
  { flag: '--no-adopt', group: 'Workers', doc: 'Start the program as it is.' },
  {
    flag: '--stop-signal',
    value: 'SIGNAL',
    group: 'Workers',
    doc: 'What asks a worker to leave.',
    fallback: 'SIGTERM',
  },
  {
    flag: '--standby',
    value: 'N',
    group: 'Workers',
    doc: 'Booted workers beside them, which do not serve: one takes the slot of a worker that exits at once, and another is booted. Needs --ready takeover or http.',
    fallback: '0',
  },
  {
    flag: '--user',
    value: 'USER',
    group: 'Workers',
    doc: 'Whom supervisor and workers run as, by name or number, once the addresses of --listen are bound; supplementary groups, HOME, USER and LOGNAME are those of that user, and the files are in <run dir>/USER. Only root may ask for it.',
    fallback: 'whoever starts it',
  },
  {
    flag: '--group',
    value: 'GROUP',
    group: 'Workers',
    doc: 'Their group, by name or number. Only root may ask for it.',
    fallback: "the user's primary group",
  },
  {
    flag: '--env-file',
    value: 'FILE',
    group: 'Workers',
    doc: 'Variables for the workers, NAME=value a line, read anew at each reload. May be given several times: later files win, and all win over the environment.',
  },
  {
    flag: '--chdir',
    value: 'DIR',
    group: 'Workers',
    doc: 'The directory the workers run in, resolved anew at each reload; a relative command is looked up from there.',
    fallback: 'where tanist was started',
  },
  {
    flag: '--umask',
    value: 'MASK',
    group: 'Workers',
    doc: "The workers' file mode creation mask in octal, such as 022.",
    fallback: 'that of tanist',
  },
];

const RELOAD: readonly OptionSpec[] = [
  {
    flag: '--handoff',
    value: 'HOW',
    group: 'Reload',
    doc: 'overlap: always one generation serves, for a moment two. exclusive: never two.',
    fallback: 'overlap with --listen, else exclusive',
  },
  {
    flag: '--no-hot-reload',
    group: 'Reload',
    doc: 'Refuse every reload, for a program of which no two copies may start up together.',
  },
  {
    flag: '--start-timeout',
    value: 'D',
    group: 'Reload',
    doc: 'A worker must become ready within it.',
    fallback: formatDuration(DEFAULTS.startTimeoutMs),
  },
  {
    flag: '--reload-timeout',
    value: 'D',
    group: 'Reload',
    doc: 'A new generation must ask for takeover within it.',
    fallback: `--start-timeout + ${formatDuration(DEFAULTS.reloadGraceMs)}`,
  },
  {
    flag: '--takeover-timeout',
    value: 'D',
    group: 'Reload',
    doc: 'The old generation must answer within it.',
    fallback: formatDuration(DEFAULTS.takeoverTimeoutMs),
  },
  {
    flag: '--drain-timeout',
    value: 'D',
    group: 'Reload',
    doc: 'From the stop signal to SIGKILL.',
    fallback: formatDuration(DEFAULTS.drainTimeoutMs),
  },
  {
    flag: '--probation',
    value: 'D',
    group: 'Reload',
    doc: 'For so long after its workers may serve an exit of one, a missed watchdog or a failing --health of a new generation brings the old one back, which serves on meanwhile (overlap) or starts its workers again (exclusive).',
    fallback: '0s',
  },
  {
    flag: '--health',
    value: 'http=/PATH',
    group: 'Reload',
    doc: 'During the probation each worker is asked GET /PATH on its probe socket every second: three times in a row without 2xx or 3xx, or without an answer within a second, are a failure.',
    fallback: 'none',
  },
  {
    flag: '--anchor',
    group: 'Reload',
    doc: 'Keep the first process after a reload, for whoever waits for it: it owns nothing, passes signals on, and ends with the status of the service. If it dies, the service stops.',
    fallback: 'in the foreground, not with --daemonize',
  },
  {
    flag: '--no-anchor',
    group: 'Reload',
    doc: 'Let the first process end, with status 0, at the first reload.',
  },
];

const RESPAWN: readonly OptionSpec[] = [
  {
    flag: '--respawn',
    value: 'HOW',
    group: 'Respawn',
    doc: 'adaptive: at once after a long life, after growing waits when workers die young. fixed: always after --respawn-delay.',
    fallback: 'adaptive',
  },
  {
    flag: '--respawn-delay',
    value: 'D',
    group: 'Respawn',
    doc: 'The wait of fixed; the longest wait and the length of a long life of adaptive.',
    fallback: formatDuration(DEFAULTS.respawnDelayMs),
  },
  {
    flag: '--respawn-limit',
    value: 'N/D',
    group: 'Respawn',
    doc: 'More than N respawns within D, of all workers together, end everything with status 6.',
    fallback: 'none',
  },
  {
    flag: '--ping-timeout',
    value: 'D',
    group: 'Respawn',
    doc: 'Told to workers: a later pong means that the supervisor is gone.',
    fallback: formatDuration(DEFAULTS.pingTimeoutMs),
  },
  {
    flag: '--watchdog',
    value: 'D',
    group: 'Respawn',
    doc: 'A worker that has pinged once and then says nothing for so long is killed and respawned.',
    fallback: 'off',
  },
  {
    flag: '--max-memory',
    value: 'SIZE',
    group: 'Respawn',
    doc: 'A worker that uses more resident memory (300MB, 512MiB) is replaced: a second one gets ready beside it, then it is drained.',
    fallback: 'no limit',
  },
];

const LOG: readonly OptionSpec[] = [
  {
    flag: '--log-level',
    value: 'LEVEL',
    group: 'Log',
    doc: `The least important line to write: ${LOG_LEVELS.join(', ')}.`,
    fallback: 'info',
  },
  { flag: '--no-warn', group: 'Log', doc: 'The same as --log-level error.' },
  {
    flag: '--log-file',
    value: 'PATH',
    group: 'Log',
    doc: 'The log is appended to this file. It may be moved away or removed at any time: the next line opens it again.',
    fallback: 'standard error; with --daemonize <run dir>/<name>.log',
  },
  {
    flag: '--journal',
    value: 'FILE',
    group: 'Log',
    doc: 'Every event and what it led to is appended to this file, for "tanist replay" and "tanist why".',
    fallback: '$TANIST_JOURNAL, or none',
  },
  {
    flag: '--journal-limit',
    value: 'SIZE',
    group: 'Log',
    doc: 'A journal above it is renamed to FILE.1, where the one before is gone, and begins anew.',
    fallback: '16MiB',
  },
  {
    flag: '--daemonize',
    group: 'Log',
    doc: 'Detach from the terminal and return when every worker is ready, or say why one is not. What workers print goes to the log file.',
  },
];

const PAGE: readonly OptionSpec[] = [
  {
    flag: '--inspect',
    optionalValue: 'ADDRESS',
    group: 'Page',
    doc: 'Serve a page on which the daemon can be watched, through its reloads and until its end; its address is printed. A process of its own serves it, as "tanist inspect" does. It is not the option of Node, which belongs behind the double dash: -- node --inspect server.js.',
    fallback: 'off; 127.0.0.1:0 without ADDRESS',
  },
  INSPECT_CONTROL,
];

/** What a start takes. */
export const RUN: readonly OptionSpec[] = [
  ...IDENTITY,
  ...WORKERS,
  ...RELOAD,
  ...RESPAWN,
  ...LOG,
  ...PAGE,
  HELP,
];
