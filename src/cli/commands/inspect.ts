/**
 * `tanist inspect`: a page on which a daemon, or a recording, can be watched.
 */
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { askStatus } from '../../client/control-client.js';
import { findTarget, type Target, type TargetQuery } from '../../client/target.js';
import { askRunning, withDeadline } from '../../client/waiting.js';
import { asTanistError } from '../../errors.js';
import { importInspector } from '../../imports.js';
import type { Inspector, InspectorOptions } from '../../inspector/index.js';
import { isLoopback, openToOthers } from '../../words/page-words.js';
import { reportError } from '../../words/report.js';
import { printable, type Terminal } from '../../words/terminal.js';
import { awaitEnd, type EndOfDaemon } from '../end-of-daemon.js';

export interface InspectArguments {
  readonly source: { readonly target: TargetQuery } | { readonly journals: readonly string[] };
  readonly host: string;
  readonly port: number;
  /** Whether the page has buttons that act on the daemon. */
  readonly controls: boolean;
  /** Whether the page ends with the daemon. */
  readonly untilEnd: boolean;
  readonly json: boolean;
}

/** The daemon answers at once, or something is wrong that is told here and not on an empty page. */
const ANSWER_LIMIT_MS = 10_000;

/** The page of the daemon before this one may still be about to end, at the same address. */
const ADDRESS_LIMIT_MS = 3_000;
const ADDRESS_RETRY_MS = 100;
/** A lock is free a moment before its process has written its last events. */
const LAST_WORDS_MS = 300;

/** @returns 0 when it is asked to end, or the daemon has ended with which it ends. */
export const inspect = async (
  args: InspectArguments,
  terminal: Terminal,
  over: AbortSignal,
): Promise<number> => {
  try {
    const { target, ...subject } = await subjectOf(args);
    const end = args.untilEnd && target !== null ? awaitEnd(target) : null;
    const inspector = await served({ ...args, ...subject }, end);
    announce(args, subject.name, inspector.url, terminal);
    await Promise.race([aborted(over), ...(end === null ? [] : [end.over])]);
    end?.close();
    if (!over.aborted) await pause(LAST_WORDS_MS, undefined, { signal: over }).catch(() => undefined);
    await inspector.close();
    return 0;
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const subjectOf = async ({
  source,
}: InspectArguments): Promise<Pick<InspectorOptions, 'source' | 'name'> & { target: Target | null }> => {
  if ('journals' in source)
    return { source, name: source.journals.map((file) => basename(file)).join(', '), target: null };
  const target = await findTarget(source.target);
  await withDeadline(ANSWER_LIMIT_MS, 'answer', (signal) =>
    askRunning(target, signal, () => askStatus(target.controlPath, signal)),
  );
  return { source: { controlPath: target.controlPath }, name: target.name, target };
};

const served = async (options: InspectorOptions, end: EndOfDaemon | null): Promise<Inspector> => {
  const { serveInspector } = await importInspector();
  const untilMs = performance.now() + (end === null ? 0 : ADDRESS_LIMIT_MS);
  const onLink = (state: string): void => end?.answers(state === 'connected');
  for (;;) {
    try {
      return await serveInspector({ ...options, onLink });
    } catch (thrown) {
      const { cause } = asTanistError(thrown);
      const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      if (!isTaken || performance.now() > untilMs) throw thrown;
      await pause(ADDRESS_RETRY_MS);
    }
  }
};

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
};

const announce = ({ host, json }: InspectArguments, name: string, url: string, terminal: Terminal): void => {
  terminal.out(json ? `${JSON.stringify({ name, url, pid: process.pid })}\n` : `${url}\n`);
  if (!isLoopback(host)) terminal.err(`warning: ${openToOthers(host)}\n`);
  if (!json && terminal.isTty)
    terminal.err(`shows ${printable(name)}; whoever has the address sees it. Ctrl-C ends it.\n`);
};
