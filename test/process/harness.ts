/**
 * Real daemons under test: started in a directory of their own, watched through their log, ended for certain.
 *
 * Tests wait for facts (a log line, a status, an exit), each at most `FACT_TIMEOUT_MS`, and never for time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Status } from '../../machines/status.js';
import { checkJournals, JOURNAL } from './journals.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const tanistScript = join(root, 'dist/bin/tanist.js');
export const fixture = (name: string): string => join(root, 'test/fixtures', name);

/** No fact of these tests takes long; a loaded machine may be ten times slower than an idle one. */
export const FACT_TIMEOUT_MS = 20_000;
const POLL_MS = 15;
/**
 * What takes a processor to look at, a supervisor's status and the list of all processes, is looked at so often: three
 * tests that wait at once would take a third of the machine from those they wait for. A status is asked for as well
 * when something has been logged.
 */
const LOOK_MS = 60;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly msg: string;
  readonly pid?: number;
  readonly slot?: number;
  readonly generation?: number;
  readonly supervisorPid: number;
  readonly [key: string]: unknown;
}

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Waits until `look` returns something else than null, undefined or false. `what` is asked when it is in vain. */
export const until = async <T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  pollMs = POLL_MS,
): Promise<NonNullable<T>> => {
  const deadline = performance.now() + FACT_TIMEOUT_MS;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as NonNullable<T>;
    if (performance.now() > deadline) {
      const awaited = typeof what === 'string' ? what : what();
      throw new Error(`waited ${FACT_TIMEOUT_MS} ms in vain for ${awaited}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
};

/** True while a process exists and is no zombie. */
export const isRunning = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
};

/** Pids of all processes whose environment has the line; this is how a test finds what it started. */
const processesMarked = (mark: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TANIST_TEST=${mark}`);
      } catch {
        // Gone, or not ours.
        return false;
      }
    });

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own. Rejects when it is refused or reset. */
export const get = (address: string, path = '/'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const target = address.startsWith('unix:')
      ? { socketPath: address.slice('unix:'.length) }
      : {
          host: address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, ''),
          port: Number(address.slice(address.lastIndexOf(':') + 1)),
        };
    const request = http.get({ ...target, path, agent: false, timeout: FACT_TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** One test's world: a run directory, the daemons in it, and every process they start. */
export class World {
  readonly directory = mkdtempSync(join(tmpdir(), 'tanist-test-'));
  readonly #mark = this.directory;
  /** Beside it, so that a test sees what its daemon leaves, and nothing else. */
  readonly #recordings = mkdtempSync(join(tmpdir(), 'tanist-recorded-'));
  readonly #children: ChildProcess[] = [];

  get env(): NodeJS.ProcessEnv {
    const { TANIST_HANDOVER_FD, TANIST_CHANNEL_FD, ...inherited } = process.env;
    return {
      ...inherited,
      TANIST_RUN_DIR: this.directory,
      TANIST_JOURNAL: this.journalFile,
      TANIST_TEST: this.#mark,
    };
  }

  /** What its daemons record. */
  get journalFile(): string {
    return join(this.#recordings, JOURNAL);
  }

  constructor() {
    // A daemon of another user records as well.
    chmodSync(this.#recordings, 0o1777);
  }

  /** Where the files of the daemon are. */
  get home(): string {
    return this.directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /**
   * Starts `tanist run …`; its standard error, the log, goes to a file, its workers' standard output to another.
   *
   * `log` is where the log is instead, with --log-file or --daemonize; `command` is what is started instead of run.
   */
  run(
    args: readonly string[],
    options: {
      cwd?: string;
      env?: Readonly<Record<string, string>>;
      script?: string;
      node?: string;
      log?: string;
      command?: 'run' | 'restart';
    } = {},
  ): Daemon {
    const stderr = this.path(`log-${this.#children.length}`);
    const output = this.path(`out-${this.#children.length}`);
    const [out, err] = [openSync(output, 'w'), openSync(stderr, 'w')];
    const words = [options.script ?? tanistScript, options.command ?? 'run', ...args];
    const child = spawn(options.node ?? process.execPath, words, {
      cwd: options.cwd ?? root,
      env: { ...this.env, ...(options.cwd === undefined ? {} : { PWD: options.cwd }), ...options.env },
      stdio: ['ignore', out, err],
      detached: true,
    });
    closeSync(out);
    closeSync(err);
    this.#children.push(child);
    return new Daemon(this, child, { stderr, output, log: options.log ?? stderr });
  }

  /** Runs a command of tanist to its end. */
  tanist(...args: readonly string[]): Promise<CommandResult> {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [tanistScript, ...args], {
        env: this.env,
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#children.push(child);
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.on('close', (status) =>
        resolve({ status, stdout, stderr, durationMs: performance.now() - startedAt }),
      );
    });
  }

  /** Every live process this world has started, workers and generations included. */
  processes(): number[] {
    return processesMarked(this.#mark).filter(isRunning);
  }

  /** Waits until these are the only processes: one that has left its life pipe may still be on its way out. */
  async only(...pids: readonly number[]): Promise<void> {
    const wanted = pids.toSorted().join();
    await until(
      () => `processes ${wanted} alone, beside ${this.processes().join()}`,
      () => this.processes().sort().join() === wanted,
      LOOK_MS,
    );
  }

  /** Waits until nothing of this world runs any more. */
  async empty(): Promise<void> {
    await this.only();
  }

  /** Ends whatever is left, and replays what was recorded (G10). Call it in afterEach. */
  async dispose(): Promise<void> {
    for (let pids = this.processes(); pids.length > 0; pids = this.processes()) {
      for (const pid of pids) {
        try {
          // The mark in its environment says that this test started it.
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone since it was listed.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    try {
      checkJournals(this.#recordings);
    } finally {
      rmSync(this.#recordings, { recursive: true, force: true });
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}

/** One `tanist run` and the generations that follow it: they share the log. */
export class Daemon {
  readonly world: World;
  readonly child: ChildProcess;
  readonly #files: { readonly stderr: string; readonly output: string; readonly log: string };
  #exit: { readonly code: number | null; readonly signal: string | null } | null = null;

  constructor(world: World, child: ChildProcess, files: { stderr: string; output: string; log: string }) {
    this.world = world;
    this.child = child;
    this.#files = files;
    child.on('exit', (code, signal) => {
      this.#exit = { code, signal };
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the daemon was not started');
    return this.child.pid;
  }

  /** What was written to standard error, as text: the log, and what workers say there. */
  stderr(): string {
    return readFileSync(this.#files.stderr, 'utf8');
  }

  /** Where the log is. */
  get logFile(): string {
    return this.#files.log;
  }

  /** The log, wherever it is, as text. */
  log(): string {
    return existsSync(this.#files.log) ? readFileSync(this.#files.log, 'utf8') : '';
  }

  #loggedBytes(): number {
    return statSync(this.#files.log, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** The end of the log, for the message of a wait that was in vain. */
  #said(): string {
    return `; the log ends with\n${this.log().slice(-4000)}`;
  }

  /** What the workers wrote to standard output. */
  stdout(): string {
    return existsSync(this.#files.output) ? readFileSync(this.#files.output, 'utf8') : '';
  }

  /** The log lines of all generations. */
  lines(): LogLine[] {
    return this.log()
      .split('\n')
      .flatMap((line) => {
        try {
          const value: unknown = JSON.parse(line);
          return typeof value === 'object' && value !== null && 'event' in value ? [value as LogLine] : [];
        } catch {
          // A worker's own words, or a line that is being written.
          return [];
        }
      });
  }

  /** Waits for a log line. */
  line(event: string, test: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    return until(
      () => `the log line ${event}${this.#said()}`,
      () => this.lines().find((line) => line.event === event && test(line)),
    );
  }

  /** Waits for so many log lines of one event and returns them. */
  async manyLines(
    count: number,
    event: string,
    test: (line: LogLine) => boolean = () => true,
  ): Promise<LogLine[]> {
    return until(
      () => `${count} log lines ${event}${this.#said()}`,
      () => {
        const found = this.lines().filter((line) => line.event === event && test(line));
        return found.length >= count ? found : null;
      },
    );
  }

  /** Waits until `tanist status --json` satisfies the test. */
  status(what: string, test: (status: Status) => boolean): Promise<Status> {
    let [askedAt, logged] = [Number.NEGATIVE_INFINITY, -1];
    return until(
      () => `a status with ${what}${this.#said()}`,
      async () => {
        const size = this.#loggedBytes();
        if (size === logged && performance.now() - askedAt < LOOK_MS) return null;
        [askedAt, logged] = [performance.now(), size];
        const status = await this.statusNow();
        return status !== null && test(status) ? status : null;
      },
    );
  }

  /** The status of this directory's only daemon, asked on its control socket; null when nobody answers. */
  async statusNow(): Promise<Status | null> {
    try {
      const socket = readdirSync(this.world.home).find((name) => name.endsWith('.sock'));
      if (socket === undefined) return null;
      const answer = await get(`unix:${join(this.world.home, socket)}`, '/status');
      return JSON.parse(answer.body) as Status;
    } catch {
      // Nobody listens there now, or there is no directory yet.
      return null;
    }
  }

  /** Waits until every slot is ready, and returns that status. */
  running(generation = 1): Promise<Status> {
    return this.status(
      `generation ${generation} running`,
      (status) => status.state === 'running' && status.generation === generation,
    );
  }

  /** Waits until the generation runs and nothing of the one before it is left. */
  settled(generation: number): Promise<Status> {
    return this.status(
      `generation ${generation} alone`,
      (status) => status.state === 'running' && status.generation === generation && status.reload === null,
    );
  }

  /** Waits for the end of the first process. */
  exit(): Promise<{ code: number | null; signal: string | null }> {
    return until('the exit of the daemon', () => this.#exit);
  }
}
