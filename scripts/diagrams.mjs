// Writes diagrams/ from the compiled machines, laid out by elkjs; with --check writes nothing and fails when they differ.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ELK from 'elkjs/lib/elk.bundled.js';
import { COMMAND, documents } from '../dist/src/diagrams/document.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = (path) => {
  try {
    return readFileSync(root + path, 'utf8');
  } catch {
    // A document that does not exist yet differs from every other.
    return null;
  }
};

const elk = new ELK();
const all = await documents((graph) => elk.layout(graph));
const stale = all.filter(({ path, text }) => committed(path) !== text);
if (process.argv.includes('--check')) {
  for (const { path } of stale)
    console.error(`${path} is not what the machines are: run \`${COMMAND}\` and commit it`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(`${root}diagrams`, { recursive: true });
  for (const { path, text } of stale) {
    writeFileSync(root + path, text);
    console.log(`wrote ${path}`);
  }
}
