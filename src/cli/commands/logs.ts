/**
 * `tanist logs`: what a daemon with a log file has written, and with --follow what it goes on to write.
 */
import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { TargetQuery } from '../../client/target.js';
import { findLogs, findTargets, notRunning, onlyOne, type Target } from '../../client/target.js';
import { glance } from '../../client/waiting.js';
import { TanistError } from '../../errors.js';
import { importModule } from '../../imports.js';
import { printable, type Terminal } from '../../words/terminal.js';
import { openTail, type Tail, type Turn } from '../log-tail.js';

export interface LogsArguments {
  readonly target: TargetQuery;
  /** Lines as they are in the file, also on a terminal. */
  readonly json: boolean;
  readonly follow: boolean;
  /** How many of the lines that are there. */
  readonly lines: number;
}

/** Between two looks at the file. Nothing is lost between them: the file that was moved away is read to its end. */
const LOOK_EVERY_MS = 200;

/**
 * @param over aborted when following is to end.
 * @throws {TanistError} `TANIST_NOT_RUNNING`, `TANIST_NO_LOG_FILE`, `TANIST_AMBIGUOUS_TARGET`.
 */
export const logs = async (args: LogsArguments, terminal: Terminal, over: AbortSignal): Promise<number> => {
  const target = await logged(args.target);
  const path = await logFileOf(target);
  const format = await formatFor(args.json, terminal);
  const tail = await opened(path, args, over);
  if (tail === null) return 0;
  try {
    for (;;) {
      const { lines, turn } = tail.look();
      if (turn !== 'none') terminal.err(`${NOTICES[turn]}: ${path}\n`);
      if (lines.length > 0) terminal.out(lines.map(format).join(''));
      if (!args.follow || over.aborted) return 0;
      await pause(LOOK_EVERY_MS, undefined, { signal: over });
    }
  } catch (thrown) {
    // What was cut short by the end is no error.
    if (!over.aborted) throw thrown;
    return 0;
  } finally {
    tail.close();
  }
};

const NOTICES: Readonly<Record<Exclude<Turn, 'none'>, string>> = {
  replaced: 'the log goes on in a new file',
  truncated: 'the log was cut off, and begins anew',
};

const opened = async (path: string, args: LogsArguments, over: AbortSignal): Promise<Tail | null> => {
  while (args.follow && !over.aborted && !existsSync(path)) {
    // Just moved away: the next line of the daemon makes it anew.
    await pause(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
  }
  if (over.aborted) return null;
  try {
    return openTail(path, args.lines);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new TanistError('TANIST_NO_LOG_FILE', `the log file ${path} cannot be read (${code})`, {
      cause,
      hint: 'It may have been moved away, and is made anew with the next line; or read it as the user it belongs to.',
    });
  }
};

/** The one that is meant; where that does not run, the only one that has left a log. */
const logged = async (query: TargetQuery): Promise<Target> => {
  const targets = await findTargets(query);
  const runs =
    query.kind === 'only'
      ? targets.length > 0
      : targets.some(({ pidFile }) => pidFile !== null && existsSync(pidFile));
  const left = runs ? [] : await findLogs(query);
  return onlyOne(left.length === 0 ? targets : left, query);
};

const logFileOf = async (target: Target): Promise<string> => {
  const reply = await glance(target, new AbortController().signal);
  if (reply.kind === 'answer' && reply.value.logFile) return reply.value.logFile;
  if (reply.kind === 'answer') {
    const { name, pid } = reply.value;
    throw new TanistError(
      'TANIST_NO_LOG_FILE',
      `${printable(name)} has no log file: its log goes to the standard error it was started with${await standardError(pid)}`,
    );
  }
  if (target.pidFile === null) {
    if (reply.kind === 'absent') throw notRunning(target);
    throw new TanistError('TANIST_CONTROL_FAILED', `${target.name} does not say where its log is`);
  }
  const usual = `${target.pidFile.replace(/\.pid$/, '')}.log`;
  if (existsSync(usual)) return usual;
  if (reply.kind === 'silent') {
    throw new TanistError(
      'TANIST_CONTROL_FAILED',
      `${target.name} does not say where its log is, and there is none at ${usual}`,
    );
  }
  throw new TanistError(
    'TANIST_NOT_RUNNING',
    `${notRunning(target).message}, and there is no log at ${usual}`,
  );
};

/** Where a process writes its errors, as ` (place)`; empty where the system does not tell. */
const standardError = async (pid: number): Promise<string> => {
  const place = await readlink(`/proc/${pid}/fd/2`).catch(() => null);
  return place === null ? '' : ` (${printable(place)})`;
};

/** Pretty for a person; unchanged for a program. */
const formatFor = async (json: boolean, terminal: Terminal): Promise<(line: string) => string> => {
  if (json || !terminal.isTty) return (line) => `${line}\n`;
  const { prettyFactory } = (await importModule('pino-pretty')) as typeof import('pino-pretty');
  const pretty = prettyFactory({ colorize: true, hideObject: true, translateTime: 'SYS:HH:MM:ss.l' });
  return (line) => pretty(line) ?? `${line}\n`;
};
