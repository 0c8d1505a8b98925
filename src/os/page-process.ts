/**
 * The page of `tanist run --inspect`: a process of its own, which ends with the daemon by itself.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Account } from '../../machines/policy.js';

/** Where the page is served, and what it may do. */
export interface PageSettings {
  /** A literal address. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Whether it has buttons that act on the daemon. */
  readonly controls: boolean;
}

export interface PageRequest extends PageSettings {
  readonly controlPath: string;
  /** Whom it runs as; null for whoever starts it. */
  readonly account: Account | null;
}

export interface Page {
  readonly pid: number;
  /** With its token. */
  readonly url: string;
}

/** From its start to its address: the machine may be busy with the workers' start. */
const START_LIMIT_MS = 30_000;
/** An address or an error: more is neither. */
const ANSWER_CHARS = 65_536;

/** Beside the bundled command line; from the compiled module, and from the source. */
const PLACES = ['./tanist.js', '../../bin/tanist.js', '../../dist/bin/tanist.js'];

/** @throws {Error} when the package is not complete. */
const tanistPath = (): string => {
  const found = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (found === undefined) throw new Error('the package lacks tanist.js');
  return found;
};

const wordsOf = ({ controlPath, host, port, controls }: PageRequest): readonly string[] => [
  ...['inspect', '--control', controlPath, '--until-end', '--json'],
  ...['--address', `${host.includes(':') ? `[${host}]` : host}:${port}`],
  ...(controls ? ['--inspect-control'] : []),
];

/** The one line it says: where it is, or what is wrong. */
const readAnswer = (line: string): string => {
  const { url, error } = JSON.parse(line) as { url?: unknown; error?: { message?: unknown } };
  if (typeof url === 'string') return url;
  throw new Error(typeof error?.message === 'string' ? error.message : 'it did not say where it is');
};

/**
 * Starts the page of a daemon that answers at its control socket.
 *
 * It gets nothing but /dev/null and a pipe for its answer, which is closed then, and is in a session of its own: what
 * ends a terminal's processes does not end it. Nobody has to end it, and nothing is waited for.
 *
 * @throws {Error} what is wrong; nothing of it runs then.
 */
export const startPage = (request: PageRequest): Promise<Page> =>
  new Promise((resolve, reject) => {
    const { account } = request;
    const child = spawn(process.execPath, [tanistPath(), ...wordsOf(request)], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
    });
    let said = '';
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.stdout.destroy();
      child.unref();
      end();
    };
    const fail = (problem: unknown): void =>
      settle(() => {
        child.kill('SIGKILL');
        // What it is killed for is told; a child that could not be started says no more.
        child.on('error', () => undefined);
        reject(problem instanceof Error ? problem : new Error(String(problem)));
      });
    const timer = setTimeout(() => fail('it did not say where it is in time'), START_LIMIT_MS);
    child.once('error', fail);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.length > ANSWER_CHARS) return fail('it says too much');
      if (!said.includes('\n')) return undefined;
      try {
        const url = readAnswer(said.slice(0, said.indexOf('\n')));
        return settle(() => resolve({ pid: child.pid ?? 0, url }));
      } catch (problem) {
        return fail(problem);
      }
    });
    child.stdout.once('end', () => fail('it ended at once'));
  });
