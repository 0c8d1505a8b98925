/**
 * The files of the guides: a unit for systemd and an image, as far as they can be checked without either.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULTS } from '../../machines/policy.js';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { resolveSettings } from '../../src/config.js';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const compiled = fileURLToPath(new URL('../../dist/bin/tanist.js', import.meta.url));
const read = (path: string): string => readFileSync(join(examples, path), 'utf8');

const CONTEXT = {
  env: { RUNTIME_DIRECTORY: '/run/tanist/web' },
  cwd: '/srv/web',
  uid: 1000,
  platform: 'linux',
  accounts: null,
  columns: 80,
};

/** A start as the guide has it, with the file it names, which is not at its place here. */
const startOf = (words: readonly string[], config?: string) => {
  const parsed = parseCommandLine(words, CONTEXT);
  if (!('settingsInput' in parsed)) throw new Error(`not a start: ${words.join(' ')}`);
  const file =
    config === undefined ? {} : { configFile: { path: 'web.json', values: JSON.parse(read(config)) } };
  return resolveSettings({ ...parsed.settingsInput, ...file }, CONTEXT);
};

describe('the unit for systemd', () => {
  const unit = read('systemd/tanist@.service').replaceAll('%i', 'web');
  const setting = (name: string): string => {
    const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(unit) ?? [];
    if (value === undefined) throw new Error(`the unit has no ${name}`);
    return value;
  };
  const words = (name: string): readonly string[] => setting(name).split(' ').slice(1);
  const seconds = (name: string): number => Number(setting(name)) * 1_000;

  it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
    'is taken by systemd without a word (skipped where systemd-analyze is not installed)',
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'tanist-unit-'));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      const path = join(directory, 'tanist@web.service');
      // It looks whether the programs are there; tanist is somewhere else here.
      writeFileSync(path, unit.replaceAll('/usr/local/bin/tanist', compiled));
      const verify = (file: string) => {
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
          encoding: 'utf8',
          env: { ...process.env, SYSTEMD_UNIT_PATH: `${directory}:` },
        });
        // What is wrong with other units of the machine is not ours.
        return { status, about: stderr.split('\n').filter((line) => line.includes('tanist@web')) };
      };
      expect(verify(path)).toEqual({ status: 0, about: [] });
      // And it would say so.
      writeFileSync(path, unit.replace('KillMode=mixed', 'KillMode=gentle'));
      expect(verify(path).about.join('\n')).toContain('gentle');
    },
  );

  it('starts and reloads one and the same daemon, in words that tanist takes', () => {
    const { settings, program } = startOf(words('ExecStart'), 'systemd/web.json');
    expect(program).toEqual({ command: 'server.mjs', args: [] });
    expect(settings).toMatchObject({ name: 'web', pidFile: '/run/tanist/web/web.pid' });
    expect(parseCommandLine(words('ExecReload'), CONTEXT)).toMatchObject({
      command: 'reload',
      target: { kind: 'name', name: settings.name, runDirectory: '/run/tanist/web' },
    });
  });

  it('waits longer than tanist does', () => {
    const { settings } = startOf(words('ExecStart'), 'systemd/web.json');
    expect(seconds('TimeoutStopSec')).toBeGreaterThan(settings.drainTimeoutMs + DEFAULTS.takeoverTimeoutMs);
    const reloadMs = settings.reloadTimeoutMs + settings.takeoverTimeoutMs + settings.drainTimeoutMs;
    expect(seconds('TimeoutStartSec')).toBeGreaterThan(reloadMs);
    expect([setting('Type'), setting('KillMode')]).toEqual(['exec', 'mixed']);
  });
});

describe('the image', () => {
  const steps = read('docker/Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '));
  const step = (name: string): readonly string[] => {
    const found = steps.findLast(([word]) => word === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found.slice(1);
  };
  /** The exec form, which starts the program itself. */
  const exec = (parts: readonly string[]): readonly string[] =>
    JSON.parse(parts.join(' ').replace(/^.*?CMD /, '')) as string[];

  it('copies what is there', () => {
    const sources = steps
      .filter(([word, first]) => word === 'COPY' && !first?.startsWith('--from='))
      .flatMap((words) => words.slice(1, -1));
    expect(sources).toEqual(['package.json', 'server.mjs']);
    for (const source of sources) expect(existsSync(join(examples, 'docker', source)), source).toBe(true);
    expect(JSON.parse(read('docker/package.json')).dependencies).toHaveProperty('tanist');
  });

  it('has tanist as process 1, without a shell, as an anchor, with words that tanist takes', () => {
    const [file, ...words] = exec(step('CMD'));
    expect(file).toBe('/srv/web/node_modules/.bin/tanist');
    const { settings, program } = startOf(words);
    expect(program.command).toBe('server.mjs');
    expect(settings.listen).toMatchObject([{ kind: 'tcp', port: Number(step('EXPOSE')[0]) }]);
    for (const flag of ['--no-anchor', '--daemonize', '--no-pid-file']) expect(words).not.toContain(flag);
    const [, ...asked] = exec(step('HEALTHCHECK'));
    expect(parseCommandLine(asked, CONTEXT)).toMatchObject({ command: 'status' });
  });

  it('is asked to stop with a signal that drains, and drains before it is killed', () => {
    expect(step('STOPSIGNAL')).toEqual(['SIGTERM']);
    // docker stop waits 10 s.
    expect(startOf(exec(step('CMD')).slice(1)).settings.drainTimeoutMs).toBeLessThan(10_000);
  });
});
