// Runs a program of test/ that is written in TypeScript, which the oldest Node this package supports cannot:
//
//   node scripts/run-typescript.mjs test/bench/main.ts [arguments]
//
// All of test/ is stripped of its types into .cache/, file by file, so that programs find each other there; what
// they import of the package is what was built.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Where this names a file, Node 20 reads all certificates at every start: 88 of 137 ms, in each of the many processes
// that are started here. None of them uses TLS.
delete process.env.NODE_EXTRA_CA_CERTS;

const root = fileURLToPath(new URL('..', import.meta.url));
const [, , entry, ...args] = process.argv;
await build({
  absWorkingDir: root,
  entryPoints: ['test/**/*.ts'],
  outbase: 'test',
  outdir: '.cache',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'inline',
  logLevel: 'warning',
  plugins: [
    {
      name: 'built',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          loader: 'ts',
          contents: readFileSync(path, 'utf8').replace(/(from '(?:\.\.\/)+)(src|machines)\//g, '$1dist/$2/'),
        })),
    },
  ],
});
const compiled = `${root}${entry.replace(/^test\//, '.cache/').replace(/\.ts$/, '.js')}`;
process.argv = [process.execPath, compiled, ...args];
await import(compiled);
