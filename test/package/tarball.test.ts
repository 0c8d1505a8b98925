import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle.js';
import { VERSION } from '../../src/version.js';
import { ROOT } from './imports.js';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder = '';
let packed: Packed = { filename: '', files: [] };

/** A project of somebody's own: the package, and beside it only what is named. */
const projectWith = (name: string, packages: readonly string[]): string => {
  const project = join(folder, name);
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'tanist'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    join(folder, packed.filename),
    '-C',
    join(modules, 'tanist'),
    '--strip-components=1',
  ]);
  for (const dependency of packages)
    cpSync(join(ROOT, 'node_modules', dependency), join(modules, dependency), { recursive: true });
  return project;
};

/** What a program in the project prints; throws with its error output when it fails. */
const run = (project: string, program: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: project,
    encoding: 'utf8',
    stdio: 'pipe',
  });

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/machines/index.js')))
    throw new Error('nothing is built yet: npm run build');
  folder = mkdtempSync(join(tmpdir(), 'tanist-pack-'));
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  [packed = packed] = JSON.parse(said) as Packed[];
});

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

describe('the packed package', () => {
  it('says its version in the same words as package.json', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
  });

  it('holds what is used, and nothing of the tests', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'dist/bin/tanist.js',
      'dist/machines/index.d.ts',
      'dist/tanist.schema.json',
      'diagrams/supervisor.md',
      'LICENSE',
    ])
      expect(paths).toContain(path);
    expect(paths.filter((path) => path.startsWith('test/') || path.startsWith('machines/'))).toEqual([]);
    expect(paths.filter((path) => path.endsWith('.cache'))).toEqual([]);
  });

  it('keeps, when it is installed, what this Node compiles of it', () => {
    const home = join(projectWith('installed', ['fs-ext']), 'node_modules', 'tanist');
    const { scripts } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    execFileSync('sh', ['-c', scripts.postinstall], { cwd: home, stdio: 'pipe' });
    for (const name of ['program', 'client', 'start']) {
      const { script } = openBundle(`./${name}.js`, pathToFileURL(join(home, 'dist/bin/tanist.js')).href);
      expect(script.cachedDataRejected).toBe(false);
      // It would fail, and only when it is called: see src/imports.ts.
      expect(readFileSync(join(home, `dist/bin/${name}.js`), 'utf8')).not.toMatch(/(?<![.\w])import\(/);
    }
  });

  it('is installed all the same where nothing can be kept', () => {
    // Without fs-ext no supervisor starts.
    const home = join(projectWith('bare', []), 'node_modules', 'tanist');
    const { scripts } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    execFileSync('sh', ['-c', scripts.postinstall], { cwd: home, stdio: 'pipe' });
    expect(readdirSync(join(home, 'dist/bin')).filter((name) => name.includes('.cache'))).toEqual([]);
    expect(
      execFileSync(process.execPath, [join(home, 'dist/bin/tanist.js'), '--version'], { encoding: 'utf8' }),
    ).toBe(`${VERSION}\n`);
  });

  it('has the commands that ask a supervisor apart from what supervises', () => {
    const bundle = (name: string) => readFileSync(join(ROOT, `dist/bin/${name}.js`), 'utf8');
    for (const part of ['getInitialSnapshot', 'sonic-boom']) {
      expect(bundle('program')).toContain(part);
      expect(bundle('client')).not.toContain(part);
    }
  });

  it('gives tanist/machines with only xstate beside it', () => {
    const project = projectWith('machines', ['xstate']);
    const said = run(
      project,
      `import { initialTransition } from 'xstate';
       import * as machines from 'tanist/machines';
       const { supervisorMachine, workerMachine, reloadMachine, takeoverMachine } = machines;
       const input = { slot: 1, generation: 1, settings: {}, inheritance: {}, admitted: true, retained: true };
       const [snapshot] = initialTransition(workerMachine, input);
       console.log([supervisorMachine, workerMachine, reloadMachine, takeoverMachine].map((m) => m.id).join(), snapshot.value);`,
    );
    expect(said.trim()).toBe('supervisor,worker,reload,takeover stopped');
  });

  it('gives tanist/testing with only xstate beside it', () => {
    const project = projectWith('testing', ['xstate']);
    const said = run(
      project,
      `import { runSeed } from 'tanist/testing';
       const { violation, successors } = await runSeed(1);
       console.log(violation, successors >= 3);`,
    );
    expect(said.trim()).toBe('null true');
  });

  it('gives tanist with nothing beside it, as far as no supervisor starts', () => {
    const project = projectWith('light', []);
    const said = run(
      project,
      `import * as tanist from 'tanist';
       const { defineDaemon, TanistError } = tanist;
       process.argv[1] = 'node_modules/tanist/dist/tanist.js'; // A script that there is.
       const daemon = defineDaemon({ name: 'x', documentation: 'It is there.', supervisedProcess: () => undefined });
       let error;
       try { defineDaemon({}); } catch (thrown) { error = thrown; }
       console.log(Object.keys(tanist).join(), error instanceof TanistError, error.code);
       process.exitCode = await daemon.run(['--help']);`,
    );
    expect(said).toMatch(
      /^TanistError,createSupervisor,defineDaemon,fromSupervisor true TANIST_DEFINITION\nUsage: tanist\.js \[options\]\n\nIt is there\.\n/,
    );
  });

  it('gives tanist/inspector with nothing beside it, and its page', () => {
    const project = projectWith('inspector', []);
    const said = run(
      project,
      `import { readdirSync, writeFileSync } from 'node:fs';
       import { serveInspector } from 'tanist/inspector';
       const event = { type: 'xstate.init' };
       const entry = { seq: 1, time: new Date().toISOString(), generation: 1, pid: 1, actor: 'supervisor', event, from: null, to: 'idle', effects: [] };
       writeFileSync('journal', JSON.stringify(entry) + '\\n');
       const inspector = await serveInspector({ source: { journals: ['journal'] }, name: 'x' });
       const page = await fetch(inspector.url);
       const cookie = page.headers.get('set-cookie').split(';')[0];
       const statuses = [page.status];
       for (const path of ['page.js', 'style.css', 'chart.css', 'supervisor.svg', 'worker.svg'])
         statuses.push((await fetch(new URL(path, inspector.url), { headers: { cookie } })).status);
       await inspector.close();
       console.log(inspector.remembered(), statuses.join());`,
    );
    expect(said.trim()).toBe('1 200,200,200,200,200,200');
  });

  it('gives tanist/actors, tanist/schema.json and package.json beside what it depends on', () => {
    const project = projectWith('whole', ['xstate', 'pino', 'fs-ext']);
    const said = run(
      project,
      `import { createRequire } from 'node:module';
       import { createAlarm, provideEffects } from 'tanist/actors';
       const require = createRequire(import.meta.url);
       const { properties } = require('tanist/schema.json');
       console.log(typeof createAlarm, typeof provideEffects, typeof properties.inspect, require('tanist/package.json').name);`,
    );
    expect(said.trim()).toBe('function function object tanist');
  });

  it('gives tanist/worker with nothing beside it', () => {
    const project = projectWith('worker', []);
    expect(run(project, `import { connect } from 'tanist/worker'; console.log(typeof connect);`).trim()).toBe(
      'function',
    );
  });
});
