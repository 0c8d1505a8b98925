/**
 * The code blocks of README and docs: programs are run, command lines are played or at least read, types are checked.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { resolveSettings } from '../../src/config.js';
import { COMMANDS } from '../../src/words/command-table.js';
import { until, World } from '../process/harness.js';
import { ROOT } from './imports.js';
import { type Block, blocksIn, DOCUMENTS, printedBy, TREATMENTS } from './readme.js';
import { type Said, Shell, shapeOf, tanistWords, typedIn } from './readme-shell.js';

/** A sequence is a dozen programs one after the other, and each may wait for the others of a busy machine. */
const LIMIT_MS = 150_000;

const blocks = DOCUMENTS.flatMap(blocksIn);

const blockOf = (key: string): Block => {
  const found = blocks.find((block) => block.key === key);
  if (found === undefined) throw new Error(`there is no block "${key}"`);
  return found;
};

const CONTEXT = {
  env: { RUNTIME_DIRECTORY: '/run/tanist' },
  cwd: '/srv/web',
  uid: 1000,
  platform: 'linux',
  accounts: null,
  columns: 80,
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** A directory of a reader's, where the package is installed. */
const project = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-readme-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(ROOT, join(directory, 'node_modules/tanist'));
  for (const name of ['xstate', '@statelyai'])
    symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
  return directory;
};

const shell = (): Shell => {
  const world = new World();
  onTestFinished(() => world.dispose());
  return new Shell(world);
};

/** Each command ended well, and printed what is said below it. */
const expectAsSaid = (said: readonly Said[]): void => {
  for (const { command, output, status } of said) {
    if (!command.isBackground) expect(status, `${command.command}\n${output}`).toBe(0);
    for (const line of command.prints) expect(shapeOf(output)).toContain(shapeOf(line));
  }
};

describe('every code block', () => {
  it('is in the table of what is done with it (test/package/readme.ts), and the table names no other', () => {
    expect(blocks.map(({ key }) => key).toSorted()).toEqual(Object.keys(TREATMENTS).toSorted());
  });

  it('has a language that fits what is done with it', () => {
    for (const { key, language } of blocks) {
      const treatment = TREATMENTS[key] ?? {};
      const fitting =
        'run' in treatment || 'fragment' in treatment
          ? ['js']
          : 'read' in treatment
            ? ['sh']
            : 'shown' in treatment
              ? ['']
              : ['js', 'sh', 'json', 'ini', ''];
      expect(fitting, key).toContain(language);
    }
  });
});

describe('command lines', () => {
  const lines = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ key, lines: all }) => typedIn(all).map(({ command }) => ({ key, command })));
  const ours = lines.flatMap(({ key, command }) => {
    const words = tanistWords(command);
    return words === null ? [] : [{ key, command, words }];
  });

  it('that start tanist are taken by it', () => {
    expect(ours.length).toBeGreaterThan(15);
    for (const { key, command, words } of ours) {
      const parsed = parseCommandLine(words, CONTEXT);
      if (!('settingsInput' in parsed)) continue;
      // Whether there is such a user is the system's to say.
      const accounts = { user: () => ({ name: 'www-data', uid: 33, gid: 33 }), group: () => null };
      const uid = command.startsWith('sudo ') ? 0 : CONTEXT.uid;
      const resolve = () =>
        resolveSettings(parsed.settingsInput, { ...CONTEXT, uid, accounts: accounts as never });
      expect(resolve, `${key}: ${command}`).not.toThrow();
    }
  });

  it('would be refused with a mistake in it', () => {
    const words = tanistWords('tanist run --workerz 2 server.mjs') ?? [];
    expect(() => parseCommandLine(words, CONTEXT)).toThrow(/--workerz/);
  });

  it('are all of a kind that is known', () => {
    const others = lines.filter(({ command }) => tanistWords(command) === null);
    for (const { key, command } of others)
      expect(command, key).toMatch(/^(npm ci|git clone|curl|kill|pm2|node ticker\.mjs)\b/);
  });
});

describe('programs', () => {
  const programs = blocks.filter(({ language, key }) => {
    const treatment = TREATMENTS[key] ?? {};
    return language === 'js' && !('compared' in treatment);
  });

  it('have types that fit', () => {
    const directory = project();
    const names = programs.map(({ key, lines }, index) => {
      const treatment = TREATMENTS[key] ?? {};
      const behind = 'behind' in treatment ? `${treatment.behind}\n` : '';
      const name = `block-${index}.mts`;
      writeFileSync(join(directory, name), `${behind}${lines.join('\n')}\nexport {};\n`);
      return name;
    });
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const check = (...files: readonly string[]) =>
      execFileSync(process.execPath, [tsc, ...options, ...types, ...files], {
        cwd: directory,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    writeFileSync(join(directory, 'wrong.mts'), "import { nothing } from 'tanist/testing';\nnothing();\n");
    const said = (() => {
      try {
        return check(...names, 'wrong.mts');
      } catch (error) {
        return String((error as { stdout: string }).stdout);
      }
    })();
    // Only what is wrong on purpose is found to be.
    const errors = said.split('\n').filter((line) => line.includes('error'));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.mts.*no exported member 'nothing'/)]);
  });

  for (const { key, lines } of programs.filter((block) => 'run' in (TREATMENTS[block.key] ?? {})))
    it(`${key}: runs to its end, and prints what it says`, () => {
      const directory = project();
      writeFileSync(join(directory, 'program.mjs'), lines.join('\n'));
      const said = execFileSync(process.execPath, ['program.mjs'], {
        cwd: directory,
        encoding: 'utf8',
        stdio: 'pipe',
      });
      expect(said.split('\n').slice(0, -1)).toEqual(printedBy(lines));
    });
});

describe('the tour', () => {
  const part = (number: number): readonly string[] => blockOf(`README.md: Five minutes ${number}`).lines;

  it('goes as it says: start, kill, reload, a broken version, stop', { timeout: LIMIT_MS }, async () => {
    const port = String(await freePort());
    const typing = shell();
    const { world } = typing;
    const here = (text: string) => text.replaceAll('8080', port).replaceAll('/run/tanist', world.directory);
    const [program] = [part(1).join('\n')];
    typing.write('server.mjs', program);

    const [, asked, status] = await typing.type(part(2), here);
    expect(asked?.output.trim()).toBe(asked?.command.comment);
    expect(status?.output.trim().split('\n').map(shapeOf)).toEqual(part(3).map(shapeOf));
    expectAsSaid(await typing.type(blockOf('README.md: The control socket 1').lines, here));

    const pids = async () => {
      const { workers } = JSON.parse((await world.tanist('status', '--json')).stdout) as {
        workers: readonly { slot: number; pid: number | null; state: string }[];
      };
      return workers.map(({ pid, state }) => (state === 'ready' ? pid : null));
    };
    const [first] = await pids();
    const named =
      part(3)
        .find((line) => /^\s+1\s/.test(line))
        ?.trim()
        .split(/\s+/)[1] ?? '?';
    expect(part(4)).toEqual([`kill -9 ${named}`]);
    expectAsSaid(await typing.type(part(4), (command) => command.replace(named, String(first))));
    await until('another worker in its slot', async () => ![null, first].includes((await pids())[0] ?? null));

    typing.write('server.mjs', `// changed\n${program}`);
    expectAsSaid(await typing.type(part(5), here));
    const before = await pids();

    typing.write('server.mjs', "throw new Error('broken');\n");
    const [refused] = await typing.type(part(6), here);
    expect(shapeOf(refused?.output ?? '')).toBe(refused?.command.prints.map(shapeOf).join('\n'));
    expect(refused?.output.trim().split('\n').at(-1)).toBe(refused?.command.prints.at(-1));
    expect(await pids()).toEqual(before);

    expectAsSaid(await typing.type(part(7), here));
    expect((await world.tanist('status', '--name', 'server')).status).toBe(3);
  });

  it('of a daemon of one’s own goes as it says', { timeout: LIMIT_MS }, async () => {
    const typing = shell();
    const block = (number: number) => blockOf(`README.md: A daemon of your own: \`defineDaemon\` ${number}`);
    typing.write('ticker.mjs', block(1).lines.join('\n'));
    const said = await typing.type(block(2).lines);
    expectAsSaid(said);
    expect(said[0]?.output).toContain('--every');
    expect(said[4]?.output).toContain('promoted: generation 3 serves');
  });
});

describe('what is taken from elsewhere', () => {
  it('names every command of tanist in the synopsis', () => {
    const { lines } = blockOf('README.md: Commands 1');
    const named = lines.flatMap((line) => /^tanist (\w+)/.exec(line)?.[1] ?? []);
    const there = COMMANDS.map(({ name }) => name);
    expect([...new Set(named)].toSorted()).toEqual(there.toSorted());
  });

  it('shows the unit for systemd as it is in test/examples', () => {
    const unit = readFileSync(join(ROOT, 'test/examples/systemd/tanist@.service'), 'utf8').split('\n');
    for (const line of blockOf('README.md: Under systemd 1').lines) expect(unit).toContain(line);
  });

  it('shows a configuration file that its schema and tanist take', () => {
    const values = JSON.parse(blockOf('README.md: A configuration file 1').lines.join('\n'));
    const schema = JSON.parse(readFileSync(join(ROOT, 'dist/tanist.schema.json'), 'utf8'));
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
    expect(validate(values), JSON.stringify(validate.errors)).toBe(true);
    const { settings } = resolveSettings({ ...FROM_FILE, configFile: { path: 'web.json', values } }, CONTEXT);
    expect(settings).toMatchObject({ workers: 2, drainTimeoutMs: 10_000 });
  });

  it('puts a configuration of tanist beside that of pm2 which tanist takes', async () => {
    const { lines } = blockOf('README.md: From pm2 2');
    const column = lines[0]?.lastIndexOf('// tanist run') ?? -1;
    expect(column).toBeGreaterThan(0);
    const directory = project();
    const path = join(directory, 'web.config.mjs');
    writeFileSync(path, lines.map((line) => line.slice(column)).join('\n'));
    const { default: values } = (await import(path)) as { default: Record<string, unknown> };
    const { settings } = resolveSettings({ ...FROM_FILE, configFile: { path, values } }, CONTEXT);
    expect(settings).toMatchObject({ name: 'web', workers: 2, startTimeoutMs: 10_000 });
    writeFileSync(join(directory, 'pm2.cjs'), lines.map((line) => line.slice(0, column)).join('\n'));
    const pm2 = (await import(join(directory, 'pm2.cjs'))) as { default: { apps: readonly object[] } };
    expect(pm2.default.apps).toMatchObject([{ name: 'web', instances: 2 }]);
  });
});

/** A start that names nothing but a file. */
const parsed = parseCommandLine(['run', '--config', 'web.json'], CONTEXT);
if (!('settingsInput' in parsed)) throw new Error('tanist run --config is no start');
const FROM_FILE = parsed.settingsInput;
