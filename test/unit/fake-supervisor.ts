import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type ListenOptions, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

const { fcntlSync } = createRequire(import.meta.url)('fs-ext') as {
  fcntlSync(fd: number, command: number, argument: number): number;
};
const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;

/** Where the package was compiled to. */
const DIST = resolve(process.env.TANIST_DIST ?? 'dist');
export const WORKER_MODULE = pathToFileURL(join(DIST, 'worker.js')).href;

/** A listening socket of which this process keeps only the descriptor: it never accepts. */
const keepListening = async (
  options: ListenOptions,
  beforeClose = (): void => undefined,
): Promise<{ fd: number; port: number }> => {
  const server = createServer();
  const kept = new Promise<{ fd: number; port: number }>((done, fail) => {
    server.once('error', fail);
    // Within this event the loop has not polled yet: nothing was accepted.
    server.once('listening', () => {
      const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
      done({ fd: fcntlSync(fd, F_DUPFD_CLOEXEC, 10), port: (server.address() as AddressInfo).port });
      beforeClose();
      server.close();
    });
  });
  server.listen(options);
  const { fd } = await kept;
  onTestFinished(() => closeSync(fd));
  return kept;
};

/** A listener as `--listen 127.0.0.1:0` makes it. */
export const openListener = () => keepListening({ port: 0, host: '127.0.0.1', backlog: 511 });

/** A private probe socket, at a path of its own. */
export const openProbe = async (): Promise<{ fd: number; path: string }> => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-probe-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'probe');
  const bound = join(directory, 'bound');
  // Closing removes the name it was bound to, so the socket needs another.
  const { fd } = await keepListening({ path: bound }, () => renameSync(bound, path));
  return { fd, path };
};

export interface WorkerPlan {
  /** The program: a command with its arguments, or the text of a module that has `connect` already. */
  readonly program: readonly string[] | string;
  /** By name, in order. */
  readonly listeners?: Readonly<Record<string, { readonly fd: number }>>;
  readonly probe?: { readonly fd: number };
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Default: yes. Without, the program runs alone. */
  readonly supervised?: boolean;
}

/** A worker process, and the supervisor's end of its channel. */
export class WorkerUnderTest {
  readonly process: ChildProcess;
  readonly channel: Socket;
  /** Everything the worker wrote to standard output and error. */
  readonly output: Promise<string>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #lines: AsyncIterator<string>;

  constructor({ program, listeners = {}, probe, env = {}, cwd, supervised = true }: WorkerPlan) {
    const fds = Object.values(listeners).map(({ fd }) => fd);
    const channelFd = 3 + fds.length;
    const command = typeof program === 'string' ? nodeWith(program) : program;
    const named = fds.length > 0;
    // As the supervisor does it: only the process itself knows its pid.
    this.process = spawn('sh', ['-c', `${named ? 'LISTEN_PID=$$ ' : ''}exec "$@"`, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe', ...fds, 'pipe', ...(probe ? [probe.fd] : [])],
      cwd,
      env: {
        ...process.env,
        ...(supervised ? { TANIST_CHANNEL_FD: String(channelFd) } : {}),
        ...(probe ? { TANIST_PROBE_FD: String(channelFd + 1) } : {}),
        ...(named
          ? { LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: Object.keys(listeners).join(':') }
          : {}),
        TANIST_GENERATION: '7',
        TANIST_SLOT: '2',
        ...env,
      },
    });
    this.channel = this.process.stdio[channelFd] as Socket;
    // A worker that was killed resets it.
    this.channel.on('error', () => this.channel.destroy());
    this.#lines = createInterface({ input: this.channel })[Symbol.asyncIterator]();
    this.output = Promise.all([
      text(this.process.stdout as NodeJS.ReadableStream),
      text(this.process.stderr as NodeJS.ReadableStream),
    ]).then((parts) => parts.join(''));
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    onTestFinished(async () => {
      this.process.kill('SIGKILL');
      await this.exited;
    });
  }

  /** The next line that the worker says, or null when its end of the channel is closed. */
  async hear(): Promise<string | null> {
    const next = await this.#lines.next();
    return next.done === true ? null : next.value;
  }

  say(line: string): void {
    this.channel.write(`${line}\n`);
  }

  /** Waits for `takeover` and answers it. */
  async letServe(): Promise<void> {
    const line = await this.hear();
    if (line !== 'takeover') throw new Error(`heard ${line} instead of takeover: ${await this.output}`);
    this.say('ok');
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }
}

/** Modules of a test begin with what all of them need. */
const nodeWith = (program: string): string[] => [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import http from 'node:http'; import net from 'node:net';
   import { connect } from ${JSON.stringify(WORKER_MODULE)};
   ${program}`,
];

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request. Without an agent of its own, on a connection of its own. */
export const get = (options: RequestOptions): Promise<Answer> =>
  new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...options }, async (response) => {
      const { statusCode: status, headers } = response;
      text(response).then((body) => done({ status, headers, body }), fail);
    });
    asked.on('error', fail).end();
  });

/** Connections that are kept, and closed with the test. */
export const keepAliveAgent = (maxSockets: number): Agent => {
  const agent = new Agent({ keepAlive: true, maxSockets });
  onTestFinished(() => agent.destroy());
  return agent;
};
