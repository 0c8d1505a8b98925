/**
 * What a program says of itself to be a daemon, and what it gets: types alone.
 */
import type { SupervisorOptions } from '../settings/supervisor-options.js';
import type { Worker } from '../worker/worker.js';

/** What every option is declared with. */
export interface Declaration<Type extends string, Default> {
  /** What values it has, see `OptionDeclaration`. */
  readonly type: Type;
  /** One sentence for the help. */
  readonly documentation: string;
  /** What the option is when it is not given; without it the value is then undefined. */
  readonly default?: Default;
}

/**
 * One option of the program's own.
 *
 * - `switch`: takes no value; false until it is given.
 * - `string`: any text.
 * - `integer`: a whole number that a JavaScript number holds exactly.
 * - `float`: a finite number.
 * - `duration`: written `250ms`, `1.5s`, `2m` or `1h`, at most 24 h; its value is in milliseconds. So is a default
 *   that is a number.
 */
export type OptionDeclaration =
  | Declaration<'switch', false>
  | Declaration<'string', string>
  | Declaration<'integer', number>
  | Declaration<'float', number>
  | Declaration<'duration', string | number>;

/** By name. `maxRate` and `max-rate` are both given as `--max-rate`. */
export type OptionDeclarations = Readonly<Record<string, OptionDeclaration>>;

/** What type the value of each kind of option has; durations are milliseconds. */
export interface Values {
  /** Whether it was given. */
  readonly switch: boolean;
  /** As it was given. */
  readonly string: string;
  /** A safe integer. */
  readonly integer: number;
  /** Finite. */
  readonly float: number;
  /** Milliseconds, a whole number. */
  readonly duration: number;
}

/** The type of one option's value: never undefined for a switch, nor where there is a default. */
export type OptionValue<One extends OptionDeclaration> = One extends { readonly type: 'switch' }
  ? boolean
  : One extends { readonly default: string | number }
    ? Values[One['type']]
    : Values[One['type']] | undefined;

/**
 * The values of the declared options, by their names as declared.
 *
 * @throws {TanistError} `TANIST_UNDECLARED_OPTION` when a name is read that was not declared.
 */
export type OptionValues<Declared extends OptionDeclarations> = {
  readonly [Name in keyof Declared]: OptionValue<Declared[Name]>;
};

/** Settings of the supervisor that a program may bring along. The command line wins over them. */
export type DaemonSettings = Omit<SupervisorOptions, 'command' | 'args' | 'name' | 'noHotReload' | 'adopt'>;

/** A program that is supervisor or worker, decided by how it was started. */
export interface DaemonDefinition<Declared extends OptionDeclarations = OptionDeclarations>
  extends DaemonSettings {
  /** Names the pid file, the log and the status, unless `--name` does: 1 to 64 bytes, no slash. */
  readonly name: string;
  /** What the program is for, as the help says it. */
  readonly documentation: string;
  /** Options of the program's own, beside those of tanist. */
  readonly options?: Declared;
  /**
   * Whether a new copy of the program may be started beside this one and take over. Default false, as in the
   * reference: it means that two copies may initialise at the same time. Without it reloads are refused
   * (`not-reloadable`).
   */
  readonly canDoHotReload?: boolean;
  /**
   * How often a worker that may serve asks whether its supervisor is there; false: never by itself.
   *
   * Milliseconds, 1 to 86_400_000. Default: a fifth of the ping time-out, at most 1_000. A watchdog must be longer.
   */
  readonly pingEveryMs?: number | false;
  /**
   * The worker: initialise, `await worker.readyToTakeOver()` (or `worker.serve(…)`), work until `worker.signal`
   * aborts, then finish what is in hand and return.
   *
   * Returning ends the worker with status 0, and the supervisor starts another. A rejection, and an exception that
   * nobody catches, is logged with its stack; then `supervisedShutdown` runs, and the status is 1.
   *
   * One that has looked at `worker.signal` gets the time until shortly before the drain time-out to return. One
   * that has not cannot know, and is not waited for.
   */
  supervisedProcess(worker: Worker, options: OptionValues<Declared>): unknown;
  /**
   * Cleans up, once, when the worker is asked to leave, when its supervisor is gone, and after a failure; not when
   * `supervisedProcess` has returned by itself. It has what is left of the drain time-out. One that fails is
   * logged, and makes the status 1.
   */
  supervisedShutdown?(worker: Worker, options: OptionValues<Declared>): unknown;
}

/** A program that is ready to be run in its role. */
export interface Daemon {
  /** As it was defined. */
  readonly name: string;
  /**
   * Runs the program in its role, once.
   *
   * As supervisor it resolves when nothing is left, with the exit status: 0 after a stop or the help, 2 when it was
   * used wrongly, else why it could not start or gave up, which is told on standard error. As worker it does not
   * come back: the process ends with the worker. Never rejects.
   *
   * @param argv the words after the program's name: `process.argv.slice(2)`. A reload and the workers start the
   *   program with its original arguments, so what is given here must follow from those alone.
   */
  run(argv: readonly string[]): Promise<number>;
}
