// npm run model -- [--workers N] …: one search of the product of both sides of a reload, outside of the test runner.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${root}.cache/model.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['test/model/product/main.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'inline',
  logLevel: 'warning',
});
await import(outfile);
