/**
 * The examples of embedding under test: programs with a supervisor of their own, told what to do on standard input.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Generations, post, type ReloadAnswer } from './generations.js';
import { Daemon, root, until } from './harness.js';

const EXAMPLES = join(root, 'test/examples/embedding');

export interface Embedder extends Daemon {
  /** One line on its standard input. */
  say(line: string): void;
  /** What it printed, an object a line, about something. */
  told(about: string): Readonly<Record<string, unknown>>[];
}

/** A world of programs around a supervisor. */
export class Embedders extends Generations {
  #count = 0;

  /** Starts an example; its log goes to a file, what it and its workers print to another. */
  embed(
    example: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    nodeArgs: readonly string[] = [],
  ): Embedder {
    this.#count += 1;
    const [log, output] = [this.path(`log-${this.#count}`), this.path(`out-${this.#count}`)];
    const [err, out] = [openSync(log, 'w'), openSync(output, 'w')];
    const child = spawn(process.execPath, [...nodeArgs, join(EXAMPLES, example), ...args], {
      cwd: root,
      env: { ...this.env, ...this.serviceEnv, LISTEN: '127.0.0.1:0', ...env },
      stdio: ['pipe', out, err],
      detached: true,
    });
    closeSync(out);
    closeSync(err);
    const daemon = new Daemon(this, child, { stderr: log, output, log });
    return Object.assign(daemon, {
      say: (line: string) => {
        child.stdin?.write(`${line}\n`);
      },
      told: (about: string) =>
        daemon
          .stdout()
          .split('\n')
          .filter((line) => line.startsWith(`{"about":"${about}"`))
          .map((line) => JSON.parse(line) as Record<string, unknown>),
    });
  }

  /** Asks a daemon for a reload on its control socket, and waits for the verdict. */
  async reloadOf(name: string): Promise<ReloadAnswer> {
    const { status, body } = await post(this.path(`${name}.sock`), '/reload');
    return { status, verdict: JSON.parse(body) };
  }

  /** Asks the generation in charge to stop, whichever it is, and waits until nothing is left. */
  async stopped(name: string): Promise<void> {
    const { status, stderr } = await this.tanist('stop', '--name', name);
    if (status !== 0) throw new Error(stderr);
    await this.empty();
  }
}

/** Whether a process catches a signal, by its number: proc(5), bit n of SigCgt is signal n + 1. */
export const catches = (pid: number, signal: number): boolean => {
  const [, mask = '0'] = /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
};

/** A world that ends with the test. */
export const newEmbedders = (): Embedders => {
  const world = new Embedders();
  onTestFinished(() => world.dispose());
  return world;
};

/** Waits until the program has told something that satisfies the test. */
export const toldBy = (
  embedder: Embedder,
  about: string,
  test: (what: Readonly<Record<string, unknown>>) => boolean = () => true,
): Promise<Readonly<Record<string, unknown>>> =>
  until(
    () => `words about ${about}; it said\n${embedder.stdout()}\n${embedder.log().slice(-2000)}`,
    () => embedder.told(about).find(test),
  );

export interface Chat {
  readonly url: string;
  /** The texts it was sent. */
  readonly texts: string[];
  /** What it answers from now on; null: nothing at all. */
  answer: number | null;
}

/** A chat server on this machine, which ends with the test. */
export const startChat = async (): Promise<Chat> => {
  const chat = { url: '', texts: [] as string[], answer: 200 as number | null };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      chat.texts.push(String(JSON.parse(body).text));
      if (chat.answer !== null) response.writeHead(chat.answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  chat.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return chat;
};
