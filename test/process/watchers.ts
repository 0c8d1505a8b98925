/**
 * Commands of tanist that go on until they are ended, on a pipe or on a terminal.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { fixture, root, tanistScript, until, type World } from './harness.js';

/** A command that goes on, and what it has written. */
export class Watcher {
  readonly child: ChildProcess;
  output = '';
  status: number | null | undefined;

  constructor(world: World, words: readonly string[], launcher: readonly string[] = []) {
    const [file = '', ...args] = [...launcher, process.execPath, tanistScript, ...words];
    this.child = spawn(file, args, { cwd: root, env: world.env, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.output += text;
      });
    }
    this.child.on('close', (status) => {
      this.status = status;
    });
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** Waits for output that satisfies the test. */
  says<T>(what: string, look: () => T): Promise<NonNullable<T>> {
    return until(() => `${what} in\n${this.output.slice(-4_000)}`, look);
  }

  async end(): Promise<number | null> {
    await this.says('the end', () => this.status !== undefined);
    return this.status ?? null;
  }
}

// ESC is part of every sequence that is looked for.
export const ESC = '\x1b';
export const BEGIN = `${ESC}[?2026h${ESC}[H`;
export const END = `${ESC}[?2026l`;

/** The same on a terminal, of which the last whole picture can be read. */
export class Screen extends Watcher {
  constructor(world: World, words: readonly string[]) {
    super(world, words, ['python3', fixture('screen.py')]);
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** The lines on the screen now. */
  picture(): readonly string[] {
    const whole = this.output.slice(0, this.output.lastIndexOf(END));
    return whole
      .slice(whole.lastIndexOf(BEGIN) + BEGIN.length)
      .replaceAll(`${ESC}[K`, '')
      .replaceAll(`${ESC}[J`, '')
      .split('\r\n');
  }

  shows(what: string, test: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    return this.says(what, () => (test(this.picture()) ? this.picture() : null));
  }
}
