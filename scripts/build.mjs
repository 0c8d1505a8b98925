// Compiles the package (dist/machines, dist/src: one file per module, with types) and bundles the command
// line and the worker's side. Measured on Node 20: one CommonJS file loads faster than ES modules do, and an idle
// supervisor has 1.4 MB less of private memory.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`],
  {
    stdio: 'inherit',
    cwd: root,
  },
);

/**
 * Modules of which there is one in a process, whichever bundles are loaded: they have state, or a class that others
 * compare with, or are loaded by Node itself. Each is a file of its own, by its source.
 */
const SHARED = {
  'src/errors.ts': './errors.js',
  'src/imports.ts': './imports.js',
  'src/os/held-signals.ts': './held-signals.js',
  'src/worker/index.ts': '../worker.js',
  'src/inspector/index.ts': '../inspector/index.js',
};
const shared = {
  name: 'shared',
  setup: (bundle) =>
    bundle.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, kind, resolveDir }) => {
      const source = relative(root, resolve(resolveDir, path)).replace(/\.js$/, '.ts');
      return kind === 'entry-point' || SHARED[source] === undefined
        ? undefined
        : { path: SHARED[source], external: true };
    }),
};

/**
 * What pino loads for destinations and options that the log does not use (src/log.ts): 0.4 MB of an idle supervisor. Whoever
 * comes to use them is told.
 */
const UNUSED = /^(\.\/(lib\/)?transport|sonic-boom|@pinojs\/redact|worker_threads)$/;
const unused = {
  name: 'unused',
  setup: (bundle) => {
    bundle.onResolve({ filter: UNUSED }, ({ path, importer }) =>
      /\/node_modules\/pino\/(lib\/\w+|pino)\.js$/.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    bundle.onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
      contents: `module.exports = function () { throw new Error('pino: ${path} is not in the bundle'); };`,
    }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: {
    tanist: 'src/cli/main.ts',
    program: 'src/cli/program.ts',
    client: 'src/cli/client.ts',
    api: 'src/index.ts',
    start: 'src/start.ts',
    errors: 'src/errors.ts',
    imports: 'src/imports.ts',
    'held-signals': 'src/os/held-signals.ts',
    'write-code-cache': 'src/cli/write-code-cache.ts',
  },
  outdir: 'dist/bin',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  external: ['fs-ext', 'koffi', 'pino-pretty', 'cli-table3'],
  plugins: [shared, unused],
  // Names stay for stack traces; comments and spaces would stay in memory for months.
  minifyWhitespace: true,
  minifySyntax: true,
  define: { 'import.meta.url': 'tanistModuleUrl' },
  banner: { js: "const tanistModuleUrl = require('node:url').pathToFileURL(__filename).href;" },
  sourcemap: 'linked',
  legalComments: 'linked',
  logLevel: 'warning',
});
// The worker's side is loaded by every worker: one file instead of a dozen boots 7 ms sooner (Node 20).
await build({
  absWorkingDir: root,
  entryPoints: { worker: 'src/worker/index.ts' },
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'linked',
  logLevel: 'warning',
});
// What --adopt puts before a program: a small file for every worker, and the rest for when it listens.
await build({
  absWorkingDir: root,
  entryPoints: { 'adopt-preload': 'src/adopt/preload.ts', adopt: 'src/adopt/index.ts' },
  outdir: 'dist/bin',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  define: { 'import.meta.url': 'tanistModuleUrl' },
  banner: { js: "const tanistModuleUrl = require('node:url').pathToFileURL(__filename).href;" },
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
});
// What a watched worker loads before its program, and the thread that it starts.
await build({
  absWorkingDir: root,
  entryPoints: { 'reporter-preload': 'src/worker/reporter-preload.ts', reporter: 'src/worker/reporter.ts' },
  outdir: 'dist/bin',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
});
// The inspector: its own process loads it, no other. What it shares with the command line is in dist/bin.
await build({
  absWorkingDir: root,
  entryPoints: { index: 'src/inspector/index.ts' },
  outdir: 'dist/inspector',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  plugins: [
    {
      name: 'errors',
      setup: (bundle) =>
        bundle.onResolve({ filter: /\/errors\.js$/ }, () => ({ path: '../bin/errors.js', external: true })),
    },
  ],
  sourcemap: 'linked',
  logLevel: 'warning',
});
// Its page is served as it is: one script, no part of it from elsewhere.
const page = `${root}dist/inspector/page/`;
mkdirSync(page, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: { page: 'src/inspector/page/page.ts' },
  outdir: page,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
});
for (const name of ['index.html', 'style.css'])
  copyFileSync(`${root}src/inspector/page/${name}`, page + name);
for (const name of ['supervisor', 'worker', 'reload', 'takeover'])
  copyFileSync(`${root}diagrams/${name}.svg`, `${page}${name}.svg`);
// A diagram in a page has no style of its own: it would be that of the whole page.
const { STYLE } = await import(new URL('../dist/src/diagrams/style.js', import.meta.url));
writeFileSync(`${page}chart.css`, `:where(.chart > svg:first-child) {\n${STYLE}\n}\n`);
// What programs import is one CommonJS file behind names that an ES module can have.
const names = ['createSupervisor', 'defineDaemon', 'fromSupervisor', 'TanistError'].join(', ');
writeFileSync(
  `${root}dist/tanist.js`,
  `import { createRequire } from 'node:module';
const { ${names} } = createRequire(import.meta.url)('./bin/api.js');
export { ${names} };
`,
);
writeFileSync(`${root}dist/bin/package.json`, '{ "type": "commonjs" }\n');
chmodSync(`${root}dist/bin/tanist.js`, 0o755);

// Editors check configuration files against it; generated from the table of settings, so it cannot lag behind.
const { configSchema } = await import(new URL('../dist/src/cli/config-schema.js', import.meta.url));
writeFileSync(`${root}dist/tanist.schema.json`, `${JSON.stringify(configSchema(), null, 2)}\n`);

// As a function, which Node's loader would make of it when it is loaded, and with an identity for what V8 compiles of it
// (src/bundle.ts, src/code-cache.ts). That is written as well, as an installation does it.
for (const name of ['program', 'client', 'start']) {
  const path = `${root}dist/bin/${name}.js`;
  const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'latin1')}\n})`;
  writeFileSync(path, `${text}\n//${createHash('sha256').update(text).digest('hex')}`);
  execFileSync(process.execPath, [`${root}dist/bin/write-code-cache.js`, name], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
