/**
 * Workers that do as they are told (test/fixtures/steps.*), what they say, and daemons started in odd ways.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { Daemon, fixture, isRunning, root, tanistScript, until, World } from './harness.js';

/** A world that ends with the test. */
export const newWorld = (): World => {
  const world = new World();
  onTestFinished(() => world.dispose());
  return world;
};

/** A worker in Perl that does these steps. */
export const perl = (...steps: readonly string[]): string[] => ['--', 'perl', fixture('steps.pl'), ...steps];

/** Says takeover and lives until the channel ends. */
export const GOOD = ['say takeover', 'rest'] as const;
/** The same, answering requests at the first listener once it may. */
export const SERVING = ['say takeover', 'hear', 'serve'] as const;

/** The worker in JavaScript that uses tanist/worker. */
export const library = (): string[] => ['--', fixture('library.mjs')];

export interface Word {
  readonly pid: number;
  readonly text: string;
}

/** Everything the workers of a daemon have written, in order. */
export const words = (daemon: Daemon): Word[] =>
  daemon
    .stdout()
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [, pid, text] = /^(\d+) (.*)$/.exec(line) ?? [];
      return pid === undefined || text === undefined ? [] : [{ pid: Number(pid), text }];
    });

/** Waits until a worker writes the text, and returns its pid. */
export const said = async (daemon: Daemon, text: string | RegExp, times = 1): Promise<number> => {
  const matches = (word: Word) => (typeof text === 'string' ? word.text === text : text.test(word.text));
  const found = await until(
    `a worker that says ${text} in\n${daemon.stdout()}`,
    () => words(daemon).filter(matches)[times - 1],
  );
  return found.pid;
};

export interface Report {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Masks in hexadecimal, as in /proc/self/status. */
  readonly signals: { readonly SigIgn: string; readonly SigBlk: string; readonly SigCgt: string };
  readonly fds: Readonly<
    Record<string, { link: string; listening?: number; family?: 'unix' | 'inet'; blocking?: number }>
  >;
}

/** What the step `report` wrote, the latest or that of one worker. */
export const reported = async (daemon: Daemon, pid?: number): Promise<Report> => {
  const word = await until('the report of a worker', () =>
    words(daemon).findLast(
      (candidate) => candidate.text.startsWith('report ') && (pid === undefined || candidate.pid === pid),
    ),
  );
  return JSON.parse(word.text.slice('report '.length)) as Report;
};

/** A connection that was answered is closed within it. */
const SETTLED_MS = 50;

let oddDaemons = 0;

/** `tanist run …` with a program in front of it, or with other standard streams. */
export const runOddly = (
  world: World,
  args: readonly string[],
  options: {
    launcher?: readonly string[];
    stderr?: number | 'pipe';
    cwd?: string;
    env?: NodeJS.ProcessEnv;
  },
): Daemon => {
  oddDaemons += 1;
  const [log, output] = [world.path(`odd-log-${oddDaemons}`), world.path(`odd-out-${oddDaemons}`)];
  const [err, out] = [openSync(log, 'w'), openSync(output, 'w')];
  const [file = '', ...words] = [...(options.launcher ?? []), process.execPath, tanistScript, 'run', ...args];
  const child = spawn(file, words, {
    cwd: options.cwd ?? root,
    env: { ...world.env, ...options.env },
    stdio: ['ignore', out, options.stderr ?? err],
    detached: true,
  });
  closeSync(out);
  closeSync(err);
  return new Daemon(world, child, { stderr: log, output, log });
};

/** Any program beside the daemon, ended with the test; its pid is known at once. */
export const bystander = (
  world: World,
  file: string,
  args: readonly string[],
  stdio: StdioOptions = 'ignore',
): ChildProcess & { pid: number } => {
  const child = spawn(file, [...args], { env: world.env, stdio });
  if (child.pid === undefined) throw new Error(`${file} was not started`);
  return child as ChildProcess & { pid: number };
};

/** Makes a file that a worker waits for. */
export const give = (path: string): void => writeFileSync(path, '');

/** Number of descriptors a process has open once nobody talks to its control socket any more. */
export const idleDescriptors = async (pid: number): Promise<number> => {
  const count = () => readdirSync(`/proc/${pid}/fd`).length;
  let before = count();
  return until('a number of descriptors that stays', async () => {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const now = count();
    const stays = now === before;
    before = now;
    return stays ? now : null;
  });
};

/** Resident memory in megabytes. */
export const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;

/** Waits until a process is gone. */
export const gone = (pid: number): Promise<boolean> => until(`the end of ${pid}`, () => !isRunning(pid));

/** Sets the soft limit of open descriptors of a process, and returns what it was. */
export const limitDescriptors = (pid: number, count: number): number => {
  const query = ['--pid', String(pid), '--nofile', '--raw', '--noheadings', '--output', 'SOFT'];
  const before = Number(execFileSync('prlimit', query, { encoding: 'utf8' }));
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
  return before;
};

/** Sets how large a file a process may write, in bytes or `unlimited`, and returns what it was. */
export const limitFileSize = (pid: number, bytes: number | string): string => {
  const query = ['--pid', String(pid), '--fsize', '--raw', '--noheadings', '--output', 'SOFT'];
  const before = execFileSync('prlimit', query, { encoding: 'utf8' }).trim();
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
  return before;
};

/** A raw connection to a control socket: what it was answered, and whether it has ended. */
export class Client {
  readonly socket: net.Socket;
  answer = '';
  ended = false;

  constructor(path: string, text: string | Uint8Array) {
    this.socket = net.connect({ path });
    this.socket.on('data', (chunk) => {
      this.answer += chunk.toString('latin1');
    });
    // A reset is an end, too.
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.ended = true;
    });
    this.socket.write(text);
  }

  end(): Promise<boolean> {
    return until('the end of a connection', () => this.ended);
  }
}
