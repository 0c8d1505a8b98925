/**
 * Breaks each guarantee in a copy of the package, and wants every test that is named beside the break to fail:
 * npm run breaks [-- G1 G7].
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Table from 'cli-table3';
import { root } from '../process/harness.js';
import { BREAKS, type Break, type Catch } from './breaks.js';
import { applied } from './edits.js';

/** One test file, on a machine that does something else as well. */
const TEST_LIMIT_MS = 600_000;

/** A copy of all that is in the repository, with the packages that are installed. */
const copy = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tanist-broken-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const name of listed.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    copyFileSync(join(root, name), join(directory, name));
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return directory;
};

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The first failure of the tests that are named, in a line; null if they pass, do not end, or if there are none. */
const failureOf = (directory: string, { file, name }: Catch): string | null => {
  const report = join(directory, 'report.json');
  const words = ['vitest', 'run', file, '--reporter=json', `--outputFile=${report}`];
  if (name !== '') words.push('-t', name.replace(/[().+?[\]{}*^$|\\]/g, '\\$&'));
  rmSync(report, { force: true });
  spawnSync('npx', words, { cwd: directory, stdio: 'ignore', timeout: TEST_LIMIT_MS, killSignal: 'SIGKILL' });
  if (!existsSync(report)) return null;
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.find(({ status }) => status === 'failed');
  const [line = ''] = failed?.failureMessages[0]?.split('\n') ?? [];
  return failed === undefined ? null : line;
};

const play = ({ guarantee, happens, edits, caughtBy }: Break): readonly string[][] => {
  const directory = copy();
  try {
    for (const edit of edits) {
      const path = join(directory, edit.file);
      writeFileSync(path, applied(readFileSync(path, 'utf8'), edit));
    }
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: directory, stdio: 'inherit' });
    return caughtBy.map((one) => {
      const failure = failureOf(directory, one);
      return [guarantee, happens, one.means, one.file, failure ?? 'NOT NOTICED'];
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const wanted = process.argv.slice(2);
const table = new Table({
  head: ['', 'break', 'means', 'test', 'what it says'],
  style: { head: [], border: [] },
  colWidths: [null, 40, null, 40, 60],
  wordWrap: true,
});
let missed = 0;
for (const broken of BREAKS.filter(({ guarantee }) => wanted.length === 0 || wanted.includes(guarantee))) {
  const rows = play(broken);
  missed += rows.filter((row) => row.at(-1) === 'NOT NOTICED').length;
  for (const row of rows) process.stderr.write(`${row.join(' | ')}\n`);
  table.push(...rows);
}
process.stdout.write(`${table.toString()}\n${missed} not noticed\n`);
process.exit(missed === 0 && table.length > 0 ? 0 : 1);
