/**
 * What the tests of reloads share: a service of which every generation may be another version, and a look at
 * what its workers say of themselves, whatever the supervisors say.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import type { ReloadVerdict, Status } from '../../machines/status.js';
import {
  type Daemon,
  FACT_TIMEOUT_MS,
  fixture,
  get,
  isRunning,
  tanistScript,
  until,
  World,
} from './harness.js';

export const MODES = ['overlap', 'exclusive'] as const;
export type Mode = (typeof MODES)[number];

/** What the next generation is to be: see test/fixtures/service.mjs. */
export interface Version {
  readonly version?: string;
  readonly boot?: 'crash' | 'hang';
  readonly gate?: string;
  readonly health?: number | readonly number[];
  readonly deaf?: boolean;
  readonly crashMs?: number;
  readonly hangMs?: number;
  readonly leave?: string;
  readonly stubborn?: boolean;
}

/** One step of one worker, in its own words. */
export interface Step {
  readonly step: 'started' | 'serving' | 'answering' | 'leaving' | 'left';
  readonly pid: number;
  readonly generation: number;
  readonly slot: number;
  readonly version: string;
  /** With `serving`: workers of other generations that existed in that moment. */
  readonly beside?: readonly number[];
  /** With `serving`: workers of the same generation that had served before and existed in that moment. */
  readonly doubles?: readonly number[];
}

export type Verdict = ReloadVerdict & { readonly joined: boolean };

export interface ReloadAnswer {
  readonly status: number;
  readonly verdict: Verdict;
}

export interface Start {
  readonly mode?: Mode;
  /** More options of `tanist run`. */
  readonly options?: readonly string[];
  /** Instead of the service of test/fixtures. */
  readonly command?: readonly string[];
  /** Without: the service has nothing to listen on. */
  readonly listen?: boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the compiled tanist. */
  readonly script?: string;
  /** Instead of the Node that runs the tests. */
  readonly node?: string;
}

export const NAME = 'service';

/** A world whose daemon is replaced, again and again. */
export class Generations extends World {
  readonly #versionFile = this.path('version.json');
  readonly journal = this.path('journal');

  constructor() {
    super();
    writeFileSync(this.journal, '');
    this.release({});
  }

  /** Says what the workers that start from now on do. */
  release(version: Version): void {
    const complete = { version: 'one', ...version };
    writeFileSync(`${this.#versionFile}.tmp`, JSON.stringify(complete));
    renameSync(`${this.#versionFile}.tmp`, this.#versionFile);
  }

  /** Makes a file that somebody waits for. */
  open(gate: string): void {
    appendFileSync(gate, '');
  }

  /** A release of the service in a directory of its own; `point` makes it the current one. */
  deploy(name: string, version: Version = {}): void {
    const directory = this.path(name);
    mkdirSync(directory);
    const text = `process.env.VERSION_FILE = 'version.json';\nawait import(${JSON.stringify(fixture('service.mjs'))});\n`;
    writeFileSync(join(directory, 'server.mjs'), text);
    writeFileSync(join(directory, 'version.json'), JSON.stringify({ version: name, ...version }));
    this.point(name);
  }

  /** Moves the symlink to the current release. */
  point(name: string): void {
    symlinkSync(name, this.path('next'));
    renameSync(this.path('next'), this.path('current'));
  }

  start(how: Start = {}): Daemon {
    const { mode = 'overlap', options = [], command, listen = true, env, cwd, script, node } = how;
    const where = listen ? ['--listen', '127.0.0.1:0'] : [];
    const words = ['--name', NAME, '--handoff', mode, '--log-level', 'debug', ...where, ...options];
    return this.run([...words, '--', ...(command ?? [fixture('service.mjs')])], {
      env: { ...this.serviceEnv, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(script === undefined ? {} : { script }),
      ...(node === undefined ? {} : { node }),
    });
  }

  /** What the service of test/fixtures needs to know. */
  get serviceEnv(): Readonly<Record<string, string>> {
    return { VERSION_FILE: this.#versionFile, JOURNAL: this.journal };
  }

  /** Starts a daemon and waits until it runs. */
  async started(start: Start = {}): Promise<{ daemon: Daemon; status: Status; address: string }> {
    const daemon = this.start(start);
    const status = await daemon.running();
    return { daemon, status, address: status.listeners[0]?.address ?? '' };
  }

  /** A name for tanist's program that can be taken away, or mean another program. */
  ownTanist(): string {
    const script = this.path('tanist.js');
    symlinkSync(tanistScript, script);
    return script;
  }

  get pidFile(): string {
    return this.path(`${NAME}.pid`);
  }

  get controlPath(): string {
    return this.path(`${NAME}.sock`);
  }

  /** What the pid file says. */
  pid(): number {
    return Number(readFileSync(this.pidFile, 'utf8'));
  }

  /** Asks for a reload on the control socket and waits for the verdict. */
  async reload(): Promise<ReloadAnswer> {
    const { status, body } = await post(this.controlPath, '/reload');
    return { status, verdict: JSON.parse(body) as Verdict };
  }

  /** Every step of every worker until now. */
  steps(): Step[] {
    return readFileSync(this.journal, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Step);
  }

  /** Waits for a step of a worker. */
  step(step: Step['step'], generation: number, test: (step: Step) => boolean = () => true): Promise<Step> {
    return until(`the step ${step} of generation ${generation}`, () =>
      this.steps().find((one) => one.step === step && one.generation === generation && test(one)),
    );
  }

  /** Workers that served while a worker of another generation existed. */
  together(): Step[] {
    return this.steps().filter(({ step, beside = [] }) => step === 'serving' && beside.length > 0);
  }

  /** What a daemon has left in the run directory: nothing, after its end. */
  remains(): string[] {
    return readdirSync(this.directory).filter((name) => name.startsWith(NAME));
  }
}

/** One POST on a Unix socket. */
export const post = (socketPath: string, path: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, method: 'POST', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    request.setTimeout(FACT_TIMEOUT_MS, () => request.destroy(new Error(`no answer to ${path} in time`)));
    request.on('error', reject);
    request.end();
  });

export interface Who {
  readonly pid: number;
  readonly generation: number;
  readonly slot: number;
  readonly version: string;
}

/** Who answers on a connection of its own. */
export const who = async (address: string): Promise<Who> => JSON.parse((await get(address)).body) as Who;

export const workerPids = (status: Status): number[] =>
  status.workers.flatMap(({ pid }) => (pid === null ? [] : [pid]));

export const workerPid = (status: Status): number => {
  const [pid] = workerPids(status);
  if (pid === undefined) throw new Error('no worker runs');
  return pid;
};

/** Descriptors of a process and what they are, by number. */
export const descriptorsOf = (pid: number): Map<number, string> =>
  new Map(
    readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [[Number(name), readlinkSync(join('/proc', String(pid), 'fd', name))] as const];
      } catch {
        // Closed since it was listed.
        return [];
      }
    }),
  );

export const socketsOf = (pid: number): string[] =>
  [...descriptorsOf(pid).values()].filter((name) => name.startsWith('socket:'));

/**
 * The sockets of a supervisor with one listener, one worker and nothing to do: the listener, the control
 * socket, both ends of the life pipe, the worker's channel, and of the anchor's socket pair both ends in the first
 * generation, twice the far one in every other. The connection on which its status was asked may still be there
 * for a moment.
 */
export const socketsAtRest = (pid: number): Promise<string[]> =>
  until('a supervisor with seven sockets', () => {
    const open = socketsOf(pid);
    return open.length === 7 ? open : null;
  });

/** True as long as the kernel knows the process, be it as a zombie that nobody has reaped. */
export const exists = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** Waits until its parent, which must live, has reaped the process. */
export const reaped = (pid: number): Promise<boolean> => until(`the end of ${pid}`, () => !exists(pid));

/** Waits until the process has ended. Who has lost his parent may stay a zombie for a while. */
export const ended = (pid: number): Promise<boolean> => until(`the end of ${pid}`, () => !isRunning(pid));

/** Children of a process, zombies included. */
export const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        const stat = readFileSync(`/proc/${child}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        // Gone since it was listed.
        return false;
      }
    });
