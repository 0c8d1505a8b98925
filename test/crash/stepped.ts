/**
 * test/fixtures/stepped.mjs with all that it imports in one file: its processes start in a third of the time.
 */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { fixture, root } from '../process/harness.js';

/** As deep as what was compiled: some modules look for files of the package beside themselves. */
const file = `${root}.cache/stepped/${process.pid}.mjs`;

await build({
  absWorkingDir: root,
  entryPoints: [fixture('stepped.mjs')],
  outfile: file,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: ['fs-ext', 'koffi', 'pino-pretty', 'cli-table3'],
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
});
process.once('exit', () => rmSync(file, { force: true }));

/** The program to be run in place of tanist. */
export const stepped = file;
