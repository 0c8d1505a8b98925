// npm run fault -- RUNS [FIRST SEED]: seeded runs of the simulated world, outside of the test runner.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${root}.cache/fault.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['test/fault/main.ts'],
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
