/**
 * Plays the lines of a `sh` block as somebody does who types them: in a directory of his own, one after the other.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tanistScript, until, type World } from '../process/harness.js';
import { ROOT } from './imports.js';

export interface Typed {
  readonly command: string;
  /** Whether the shell does not wait for it. */
  readonly isBackground: boolean;
  /** The comment on the same line. */
  readonly comment: string;
  /** What it is said to print: the comments below it. */
  readonly prints: readonly string[];
}

export const typedIn = (lines: readonly string[]): readonly Typed[] => {
  const typed: Typed[] = [];
  for (const line of lines) {
    const below = /^# (.*)$/.exec(line)?.[1];
    const last = typed.at(-1);
    if (below !== undefined && last !== undefined) {
      typed[typed.length - 1] = { ...last, prints: [...last.prints, below] };
      continue;
    }
    const [, words = '', comment = ''] = /^(.*?)(?:\s+# (.*))?$/.exec(line) ?? [];
    const isBackground = words.endsWith('&') && !words.endsWith('&&');
    const command = isBackground ? words.slice(0, -1).trim() : words.trim();
    if (command !== '') typed.push({ command, isBackground, comment, prints: [] });
  }
  return typed;
};

/** Words of a line that starts tanist, behind the program's name; null for another line. */
export const tanistWords = (command: string): readonly string[] | null => {
  const words = /^(?:sudo )?(?:tanist|node dist\/bin\/tanist\.js) (.*?)(?:;.*)?$/.exec(command)?.[1];
  return words === undefined ? null : words.split(/\s+/).filter((word) => word !== '');
};

/** curl is not everywhere: as much of it as the documents use. */
const CURL = `#!${process.execPath}
const http = require('node:http');
const url = process.argv.at(-1);
const [flag, socketPath] = process.argv.slice(2, -1);
const options = flag === '--unix-socket' ? { socketPath, path: new URL(url).pathname } : url;
http.get(options, (response) => response.pipe(process.stdout)).on('error', (error) => {
  console.error(String(error));
  process.exitCode = 7;
});
`;

/** The same for texts that differ in numbers and in the width of columns only. */
export const shapeOf = (text: string): string =>
  text
    .replace(/\d+(\.\d+)?/g, 'N')
    .replace(/\bN(ms|s|m|h)\b/g, 'Nt')
    .replace(/ +/g, ' ')
    .trim();

export interface Said {
  readonly command: Typed;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly status: number | null;
}

export class Shell {
  readonly world: World;
  /** Where somebody sits who types. */
  readonly directory: string;

  constructor(world: World) {
    this.world = world;
    this.directory = world.path('project');
    const bin = join(this.directory, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(ROOT, join(this.directory, 'node_modules/tanist'));
    const tanist = `#!/bin/sh\nexec ${process.execPath} ${tanistScript} "$@"\n`;
    for (const [name, text] of Object.entries({ tanist, curl: CURL }))
      writeFileSync(join(bin, name), text, { mode: 0o755 });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  /** Types the lines; `replace` puts numbers of this machine in place of those in the document. */
  async type(
    lines: readonly string[],
    replace: (command: string) => string = (command) => command,
  ): Promise<Said[]> {
    const said: Said[] = [];
    for (const typed of typedIn(lines)) said.push(await this.#run(typed, replace(typed.command)));
    return said;
  }

  async #run(typed: Typed, command: string): Promise<Said> {
    const child = spawn('bash', ['-c', typed.isBackground ? `exec ${command}` : command], {
      cwd: this.directory,
      env: {
        ...this.world.env,
        PATH: `${join(this.directory, 'node_modules/.bin')}:${process.env.PATH}`,
        PWD: this.directory,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    if (typed.isBackground) {
      await this.#isReady();
      return { command: typed, output, status: null };
    }
    const status = await new Promise<number | null>((resolve) => {
      child.on('close', resolve);
    });
    return { command: typed, output, status };
  }

  /** A reader types the next line when the service is there. */
  async #isReady(): Promise<void> {
    await until('a daemon whose workers are all ready', async () => {
      const { status, stdout } = await this.world.tanist('status', '--json');
      if (status !== 0) return false;
      const { workers } = JSON.parse(stdout) as { workers: readonly { state: string }[] };
      return workers.every(({ state }) => state === 'ready');
    });
  }
}
