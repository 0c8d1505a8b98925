/**
 * `--daemonize`: the command starts the daemon and returns when every worker is ready, or says why one is not.
 */
import { fstatSync, readFileSync } from 'node:fs';
import { daemonizeTimeoutMs } from '../machines/policy.js';
import { type CommandLineSettings, type ResolvedSettings, resolveSettings } from './config.js';
import { isErrorCode, TanistError } from './errors.js';
import { withConfigFile } from './os/config-file.js';
import { onEndingSignal, startDetached } from './os/detached.js';
import { handoverDescriptor } from './os/handover-socket.js';
import { ensureDirectories, openLogFileFor } from './os/own-files.js';
import { processContext } from './os/process-context.js';
import { relaunchOf, resolveProgram } from './os/resolve-program.js';
import { starterDescriptor } from './os/starter-socket.js';
import type { Relaunch } from './program.js';
import type { StarterMessage } from './protocol/starter.js';
import { formatDuration } from './settings/duration.js';

export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly resolved: ResolvedSettings;
}

/** So much of what workers wrote is repeated when one has failed. */
const LAST_LINES = 10;
const LAST_LINES_BYTES = 4_096;

/**
 * Starts the daemon, if one is asked for and this process is to start it.
 *
 * @returns null where this process is to supervise: in the foreground, as the daemon itself or as a successor.
 * @throws {TanistError} why it could not be started; nothing of it runs then.
 */
export const daemonize = async (words: CommandLineSettings): Promise<Daemon | null> => {
  if (starterDescriptor() !== null || handoverDescriptor(process.env) !== null) return null;
  const context = processContext();
  const { cwd } = context;
  const resolved = resolveSettings(await withConfigFile(words, cwd), context);
  if (!resolved.daemonize || resolved.logFile === null) return null;
  // What can be seen to be wrong is told before anything is there.
  resolveProgram(resolved.program, { startDirectory: cwd, ...resolved.surroundings }, process.env);
  ensureDirectories(resolved);
  const pid = await start(resolved, resolved.logFile, relaunchOf(cwd, process.env));
  return { name: resolved.settings.name, pid, logFile: resolved.logFile, resolved };
};

const start = ({ settings }: ResolvedSettings, path: string, relaunch: Relaunch): Promise<number> => {
  const logFile = openLogFileFor(path, settings.account);
  const output = logFile.descriptor();
  const fromByte = fstatSync(output).size;
  const limitMs = daemonizeTimeoutMs(settings);
  return new Promise((resolve, reject) => {
    let asked = 0;
    let late = false;
    const settle = (end: () => void) => {
      clearTimeout(timer);
      end();
    };
    const child = startDetached({
      relaunch,
      output,
      inherited: settings.listen.flatMap((spec) => (spec.kind === 'fd' ? [spec.descriptor] : [])),
      onReady: () => settle(() => resolve(child.pid)),
      onFailure: (message) =>
        settle(() =>
          reject(new TanistError('TANIST_SPAWN_FAILED', `the daemon cannot be started: ${message}`)),
        ),
      onEnd: ({ code, signal, failure }) => {
        const end = signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
        const why = late ? `, since it did not become ready within ${formatDuration(limitMs)}` : '';
        settle(() =>
          reject(
            asked > 0
              ? aborted(child.pid)
              : failure === null
                ? silent(`the daemon (pid ${child.pid}) ${end} before every worker was ready${why}`, path)
                : said(failure, wordsSince(path, fromByte)),
          ),
        );
      },
    });
    const timer = setTimeout(() => {
      late = true;
      child.signal('SIGKILL');
    }, limitMs);
    onEndingSignal(() => {
      asked += 1;
      child.signal(asked > 1 ? 'SIGKILL' : 'SIGTERM');
    });
  });
};

const aborted = (pid: number): TanistError =>
  new TanistError(
    'TANIST_START_ABORTED',
    `interrupted: the daemon (pid ${pid}) was stopped before it was ready`,
  );

const silent = (message: string, path: string): TanistError =>
  new TanistError('TANIST_START_FAILED', message, { hint: `See how far it came in ${path}.` });

/** What the daemon said, and with a worker that failed what was written meanwhile. */
const said = (
  { code, message, hint }: Extract<StarterMessage, { say: 'failed' }>,
  written: readonly string[],
): TanistError => {
  const known = isErrorCode(code) ? code : 'TANIST_INTERNAL';
  const more =
    known === 'TANIST_WORKER_FAILED' && written.length > 0 ? ['what was written:', ...written] : [];
  return new TanistError(known, [message, ...more].join('\n  '), hint === undefined ? {} : { hint });
};

/** The last lines of the log file that are not ours: what workers wrote. */
const wordsSince = (path: string, fromByte: number): readonly string[] => {
  let text: string;
  try {
    text = readFileSync(path).subarray(fromByte).toString('utf8');
  } catch {
    // It was moved away meanwhile: the reason alone has to do.
    return [];
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{"level":'));
  const last = lines.slice(-LAST_LINES);
  while (Buffer.byteLength(last.join('\n')) > LAST_LINES_BYTES && last.length > 1) last.shift();
  // Colours and cursor movements of others stay out of the terminal.
  return last.map((line) => line.slice(0, LAST_LINES_BYTES).replace(/\p{Cc}/gu, ''));
};
