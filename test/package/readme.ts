/**
 * The code blocks of the documents, and what is done with each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './imports.js';

export const DOCUMENTS: readonly string[] = ['README.md', 'docs/testing.md'];

export interface Block {
  /** `README.md: Five minutes 2`: the document, the heading above it, its number below that. */
  readonly key: string;
  /** What stands behind the fence: `sh`, `js`, `json`, `ini`; empty for what is shown only. */
  readonly language: string;
  readonly lines: readonly string[];
}

/** @throws an Error where a block has no end. */
export const blocksIn = (document: string): readonly Block[] => {
  const blocks: Block[] = [];
  const counts = new Map<string, number>();
  let heading = '';
  let open: { language: string; lines: string[] } | null = null;
  for (const line of readFileSync(join(ROOT, document), 'utf8').split('\n')) {
    const fence = /^```(\S*)$/.exec(line);
    if (open !== null && fence !== null) {
      const count = (counts.get(heading) ?? 0) + 1;
      counts.set(heading, count);
      blocks.push({ key: `${document}: ${heading} ${count}`, ...open });
      open = null;
    } else if (open !== null) open.lines.push(line);
    else if (fence !== null) open = { language: fence[1] ?? '', lines: [] };
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  if (open !== null) throw new Error(`a code block of ${document} below "${heading}" has no end`);
  return blocks;
};

/**
 * What is done with a block.
 *
 * Besides, every line of a `sh` block that starts tanist is read by the real command line, and every `js` block but
 * those that are only shown has its types checked.
 */
export type Treatment =
  /** A program: it is run to its end, and prints what its comments say. */
  | { readonly run: true }
  /** Part of a sequence that is played for real, by the test of that name. */
  | { readonly played: 'tour' | 'ticker' }
  /** Not run: why. */
  | { readonly read: string }
  /** A piece of a program: its types are checked behind these words, and it is not run: why. */
  | { readonly fragment: string; readonly behind: string }
  /** Compared with what it is taken from, by the test of that name. */
  | { readonly compared: 'status' | 'synopsis' | 'unit' | 'pm2' | 'schema' }
  /** What a command prints: why that is not compared. */
  | { readonly shown: string };

const played = (sequence: 'tour' | 'ticker'): Treatment => ({ played: sequence });
const read = (why: string): Treatment => ({ read: why });
const shown = (why: string): Treatment => ({ shown: why });
const embedded = (example: string, behind = ''): Treatment => ({
  fragment: `it runs for ever; test/process/embedding*.test.ts run test/examples/embedding/${example}`,
  behind,
});

export const TREATMENTS: Readonly<Record<string, Treatment>> = {
  'README.md: Two commands 1': read('they take minutes, and the second one runs this test'),
  'README.md: See a reload happen 1': read('it installs and builds; test/browser opens the page'),
  'README.md: Five minutes 1': played('tour'),
  'README.md: Five minutes 2': played('tour'),
  'README.md: Five minutes 3': { compared: 'status' },
  'README.md: Five minutes 4': played('tour'),
  'README.md: Five minutes 5': played('tour'),
  'README.md: Five minutes 6': played('tour'),
  'README.md: Five minutes 7': played('tour'),
  'README.md: Commands 1': { compared: 'synopsis' },
  'README.md: Probation and rollback 1': read('test/process/probation.test.ts starts such daemons'),
  'README.md: Starting it twice 1': shown('test/process/second-start.test.ts compares the words'),
  'README.md: As another user 1': read('needs root and www-data; test/process/user.test.ts does it as root'),
  'README.md: Without a pid file 1': read('test/process/pidless.test.ts does each of them'),
  'README.md: Watch it in a browser 1': read('it clones and installs; test/browser opens the page'),
  'README.md: A configuration file 1': { compared: 'schema' },
  'README.md: Programs that know nothing of tanist 1': read(
    'test/process/adopt.test.ts starts such programs',
  ),
  'README.md: In JavaScript: `tanist/worker` 1': {
    fragment: 'the process tests run test/fixtures/service.mjs, which uses all of it',
    behind: `import http from 'node:http';
      import { connect } from 'tanist/worker';
      const server = http.createServer(), admin = http.createServer(), db = { close: async () => undefined };`,
  },
  'README.md: A daemon of your own: `defineDaemon` 1': played('ticker'),
  'README.md: A daemon of your own: `defineDaemon` 2': played('ticker'),
  'README.md: Embed it 1': embedded('host.mjs'),
  'README.md: Inspect 1': embedded('host.mjs'),
  'README.md: Effects of your own 1': embedded('threads/main.mjs'),
  'README.md: Tell somebody 1': embedded(
    'chat.mjs',
    "import type { Supervisor } from 'tanist'; declare const supervisor: Supervisor, chat: string;",
  ),
  'README.md: A statechart around it 1': embedded('window/main.mjs'),
  'README.md: In a process that is not yours to take 1': embedded('guest.mjs'),
  'README.md: Test with it 1': { run: true },
  'README.md: The journal: what happened, and why 1': read('every daemon of the process tests has a journal'),
  'README.md: `tanist why`: the reason, in sentences 1': shown('test/process/why.test.ts compares the words'),
  'README.md: `tanist replay`: the recording through the shipped machine 1': shown(
    'test/process/journal.test.ts compares the words',
  ),
  'README.md: The control socket 1': played('tour'),
  'README.md: Under systemd 1': { compared: 'unit' },
  'README.md: From pm2 1': read('pm2 is not installed; what the other line does is in adopt.test.ts'),
  'README.md: From pm2 2': { compared: 'pm2' },
  'docs/testing.md: A step 1': { run: true },
  'docs/testing.md: A scenario 1': { run: true },
  'docs/testing.md: A seed 1': { run: true },
  'docs/testing.md: An extension, and the mistake in it 1': shown('test/fault/extension.test.ts compares it'),
  'docs/testing.md: An extension, and the mistake in it 2': shown('test/fault/extension.test.ts compares it'),
};

/** What a line of a program is said to print: the comment behind `console.log(…);`. */
export const printedBy = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => /^console\.log\(.*\);\s+\/\/ (.*)$/.exec(line)?.[1] ?? []);
