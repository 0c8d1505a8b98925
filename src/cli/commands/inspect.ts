/**
 * `tanist inspect`: a page on which a daemon, or a recording, can be watched.
 */
import { basename } from 'node:path';
import type { InspectorOptions } from '../../inspector/index.js';
import { askStatus } from '../control-client.js';
import { reportError } from '../report.js';
import { findTarget, type TargetQuery } from '../target.js';
import { printable, type Terminal } from '../terminal.js';
import { askRunning, withDeadline } from '../waiting.js';

export interface InspectArguments {
  readonly source: { readonly target: TargetQuery } | { readonly journals: readonly string[] };
  readonly host: string;
  readonly port: number;
  /** Whether the page has buttons that act on the daemon. */
  readonly controls: boolean;
  readonly json: boolean;
}

/** The daemon answers at once, or something is wrong that is told here and not on an empty page. */
const ANSWER_LIMIT_MS = 10_000;

/** @returns 0 when it is asked to end. */
export const inspect = async (
  args: InspectArguments,
  terminal: Terminal,
  over: AbortSignal,
): Promise<number> => {
  try {
    const subject = await subjectOf(args);
    const { serveInspector } = await import('../../inspector/index.js');
    const inspector = await serveInspector({ ...subject, ...args, source: subject.source });
    announce(args, subject.name, inspector.url, terminal);
    if (!over.aborted) await new Promise((resolve) => over.addEventListener('abort', resolve));
    await inspector.close();
    return 0;
  } catch (thrown) {
    return reportError(thrown, args.json, terminal);
  }
};

const subjectOf = async ({
  source,
}: InspectArguments): Promise<Pick<InspectorOptions, 'source' | 'name'>> => {
  if ('journals' in source) return { source, name: source.journals.map((file) => basename(file)).join(', ') };
  const target = await findTarget(source.target);
  await withDeadline(ANSWER_LIMIT_MS, 'answer', (signal) =>
    askRunning(target, signal, () => askStatus(target.controlPath, signal)),
  );
  return { source: { controlPath: target.controlPath }, name: target.name };
};

const isLoopback = (host: string): boolean => host === '::1' || /^127\./.test(host);

const announce = ({ host, json }: InspectArguments, name: string, url: string, terminal: Terminal): void => {
  terminal.out(json ? `${JSON.stringify({ name, url, pid: process.pid })}\n` : `${url}\n`);
  if (!isLoopback(host))
    terminal.err(
      `warning: other machines can reach ${host}, and what they send and get can be read on the way\n`,
    );
  if (!json && terminal.isTty)
    terminal.err(`shows ${printable(name)}; whoever has the address sees it. Ctrl-C ends it.\n`);
};
