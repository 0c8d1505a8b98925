import { renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Generations, workerPids } from './generations.js';
import { type Daemon, fixture, tanistScript } from './harness.js';

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

/** Writes a file in one step: whoever reads it sees the old or the new text. */
const write = (name: string, text: string): string => {
  writeFileSync(world.path('new'), text);
  renameSync(world.path('new'), world.path(name));
  return world.path(name);
};

/** Settings of a service with one listener. */
const SERVICE = { command: fixture('service.mjs'), name: 'service', listen: ['web=127.0.0.1:0'] };

const json = (more: object = {}): string => JSON.stringify({ ...SERVICE, ...more }, null, 2);
const module = (body: string): string => `${body}\n`;

const start = (file: string, ...words: string[]): Daemon =>
  world.run(['--config', file, '--log-level', 'debug', ...words], {
    env: { VERSION_FILE: world.path('version.json'), JOURNAL: world.journal },
    cwd: world.directory,
  });

describe('a start with --config', () => {
  it('takes command and settings from the file, and from the command line what it says as well', async () => {
    write('x.env', 'FROM=file\n');
    const file = write(
      'tanist.json',
      json({
        $schema: 'x',
        args: ['a b'],
        workers: 2,
        drainTimeoutMs: 7_000,
        envFile: 'x.env',
        handoff: 'overlap',
      }),
    );
    const daemon = start(file, '--workers', '3');
    const status = await daemon.running();
    expect(status).toMatchObject({ name: 'service', handoff: 'overlap', listeners: [{ name: 'web' }] });
    expect(workerPids(status)).toHaveLength(3);
  });

  it('takes another command from the command line, with its own arguments', async () => {
    const file = write('tanist.mjs', module(`export default async () => (${json({ args: ['-x'] })});`));
    const daemon = start(file, '--', 'sh', '-c', 'echo "$0 $#"; exec sleep 1000', 'other');
    await daemon.line('worker.spawned');
    await daemon.status('a worker', ({ workers }) => workers[0]?.pid !== null);
    expect(daemon.stderr()).not.toContain('error');
    process.kill(daemon.pid, 'SIGTERM');
    expect(await daemon.exit()).toEqual({ code: 0, signal: null });
    expect(daemon.stdout()).toBe('other 0\n');
  });

  it('tells the mistakes of the file and of the command line at once, and starts nothing', async () => {
    const file = write('tanist.json', json({ worker: 2, startTimeoutMs: '5s', listen: ['a=80', 'a=81'] }));
    const result = await world.tanist('run', '--config', file, '--drain-timeout', '5', '--bogus');
    expect(result.status).toBe(2);
    expect(result.stderr.split('\n')).toEqual([
      'error TANIST_USAGE: 5 mistakes',
      '  unknown option --bogus',
      `  ${file}: unknown option worker: did you mean workers?`,
      `  ${file}: startTimeoutMs "5s": expected a whole number of milliseconds from 0 to 86400000`,
      '  --drain-timeout "5": expected a unit after the number, such as 5s or 5ms',
      `  ${file}: listen "a=81": expected a name that is not taken: a is another listener's`,
      expect.stringMatching(/^hint: /),
      '',
    ]);
    expect(world.processes()).toEqual([]);
  });

  it.each([
    [
      'throws',
      'throw new Error("no database");',
      /TANIST_CONFIG: .*tanist\.mjs: Error: no database \(.*mjs:1:7\)/,
    ],
    ['cannot be parsed', 'export default { ;', /TANIST_CONFIG: .*tanist\.mjs: SyntaxError: .*mjs:1\)/],
    [
      'never ends',
      'await new Promise(() => {});',
      /TANIST_CONFIG: .*tanist\.mjs: gave no settings within 10 s/,
    ],
  ])('whose module %s says so', async (_, text, message) => {
    const file = write('tanist.mjs', module(text));
    const { status, stderr, stdout } = await world.tanist('run', '--config', file);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it.each([
    ['missing', '--config', 'missing.json'],
    ['no path', '--config', '/tmp/'],
    ['no value', '--config'],
  ])('whose file is %s says so', async (_, ...words) => {
    const result = await world.tanist('run', ...words);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/--config|missing\.json: cannot be read: ENOENT/);
  });
});

describe('a reload with --config', () => {
  const NONSENSE: [string, string, RegExp][] = [
    ['no JSON', '{ nonsense', /x\.json: is not JSON/],
    ['no settings', '[]', /x\.json: expected an object of settings, not \[\]/],
    ['a wrong value', json({ workers: 'many' }), /x\.json: workers "many": expected a whole number/],
    ['an unknown key', json({ worker: 2 }), /x\.json: unknown option worker: did you mean workers\?/],
    ['an env file that is missing', json({ envFile: 'x.env' }), /x\.env: does not exist/],
  ];

  it('refuses what became nonsense, config-invalid, and goes on; then takes what is right', async () => {
    const file = write('x.json', json());
    const daemon = start(file);
    const before = await daemon.running();
    for (const [what, text, detail] of NONSENSE) {
      write('x.json', text);
      const { status, verdict } = await world.reload();
      expect({ what, status, verdict }).toEqual({
        what,
        status: 409,
        verdict: expect.objectContaining({
          outcome: 'refused',
          reason: 'config-invalid',
          detail: expect.stringMatching(detail),
        }),
      });
    }
    const result = await world.tanist('reload');
    expect(result.status).toBe(4);
    expect(result.stdout).toMatch(/^refused \(config-invalid\): /);
    const after = await daemon.running(1);
    expect(after).toMatchObject({ pid: before.pid, reload: null, listeners: before.listeners });
    expect(workerPids(after)).toEqual(workerPids(before));

    write('x.json', json({ workers: 2 }));
    expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted' });
    const { generation } = (await world.reload()).verdict;
    expect(workerPids(await daemon.settled(generation))).toHaveLength(2);
  });

  it('refuses a module that throws from now on', async () => {
    const file = write('x.mjs', module(`export default ${json()};`));
    const daemon = start(file);
    const before = await daemon.running();
    write('x.mjs', module('export default () => {\n  throw new Error("no secret");\n};'));
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'config-invalid' });
    expect(verdict.detail).toBe(`${file}: Error: no secret (${file}:2:9)`);
    expect(await daemon.running(1)).toMatchObject({ pid: before.pid });
  });

  it('refuses what a reload cannot change, incompatible, and names it', async () => {
    const file = write('x.json', json());
    const daemon = start(file);
    await daemon.running();
    write('x.json', json({ listen: ['web=127.0.0.1:0', 'admin=127.0.0.1:0'] }));
    const { verdict } = await world.reload();
    expect(verdict).toMatchObject({ outcome: 'refused', reason: 'incompatible' });
    expect(verdict.detail).toContain('the listeners are "web=127.0.0.1:0 admin=127.0.0.1:0" here');
  });
});

it('a new tanist that does not know an option of the command line refuses the reload: config-invalid', async () => {
  const script = world.ownTanist();
  const { daemon, status } = await world.started({ script });
  const later = `process.argv.splice(3, 0, '--forgotten');\nrequire(${JSON.stringify(tanistScript)});\n`;
  write('tanist.js', later);
  const { verdict } = await world.reload();
  expect(verdict).toMatchObject({
    outcome: 'refused',
    reason: 'config-invalid',
    detail: 'unknown option --forgotten',
  });
  expect(await daemon.running(1)).toMatchObject({ pid: status.pid });
});
