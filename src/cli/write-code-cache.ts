/**
 * Run when the package is installed: keeps what V8 has compiled of a bundle (src/code-cache.ts), for the Node that
 * installs it. The one argument names the bundle: `program` and `client`, the command line, or `start`, which programs
 * load.
 *
 * Only what has run is kept. So a small service is started, reloaded, loses a worker, has a standby in its place and is
 * ended here, in a directory of its own; the successor, which has done the most, writes the file. A client asks such a
 * service for reload, status and stop. Where anything fails, nothing is kept, and starts are as slow as they are without.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBundle } from '../bundle.js';
import { writeCodeCache } from '../code-cache.js';
import { holdSignals } from '../os/held-signals.js';

/** Whatever hangs must not hold up an installation. */
const LIMIT_MS = 20_000;
/** Says to a successor which directory it is. */
const ROOM = 'TANIST_CODE_CACHE_ROOM';

/** A worker that is ready at once. */
const CALM_WORKER = `
const channel = new (require('node:net').Socket)({ fd: Number(process.env.TANIST_CHANNEL_FD) });
channel.on('close', () => process.exit());
process.on('SIGTERM', () => process.exit());
channel.resume().write('takeover\\n');
`;
const given = process.env[ROOM];
const room = given ?? mkdtempSync(join(tmpdir(), 'tanist-code-cache-'));
process.env[ROOM] = room;
if (given === undefined) process.once('exit', () => rmSync(room, { recursive: true, force: true }));
setTimeout(() => process.exit(1), LIMIT_MS).unref();

/**
 * When it may serve it has its supervisor reloaded. In the second generation it kills itself as soon as there is a
 * standby; and that one, which is promoted, has its supervisor ended.
 */
const WORKER = `${CALM_WORKER}
const { existsSync, writeFileSync } = require('node:fs');
const { TANIST_GENERATION, TANIST_SLOT, TANIST_SUPERVISOR_PID } = process.env;
const standby = ${JSON.stringify(join(room, 'standby'))};
const [isFirst, isStandby] = [TANIST_GENERATION === '1', TANIST_SLOT === '0'];
if (isStandby && !isFirst) writeFileSync(standby, '');
channel.once('data', () => {
  if (isFirst || isStandby) process.kill(Number(TANIST_SUPERVISOR_PID), isFirst ? 'SIGUSR2' : 'SIGTERM');
  else setInterval(() => existsSync(standby) && process.kill(process.pid, 'SIGKILL'), 10);
});
`;

/** The service, as words and as options. */
const name = 'code-cache';
const socket = `unix:${join(room, 'socket')}`;
const command = process.execPath;
const words = (worker: string, logLevel: string): readonly string[] => [
  ...['run', '--name', name, '--run-dir', room, '--listen', socket, '--no-adopt', '--standby', '1'],
  ...['--log-level', logLevel, '--', command, '--eval', worker],
];

/** V8 tells what it has compiled of the bundle; null if that is not worth keeping. */
let compiled: Buffer | null = null;

/** Another process supervises; returns when it has something to say, or has ended. */
const startService = (): Promise<void> => {
  const main = fileURLToPath(new URL('tanist.js', import.meta.url));
  const service = spawn(command, [main, ...words(CALM_WORKER, 'info')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => service.kill('SIGKILL'));
  return new Promise((resolve) => {
    service.once('close', () => resolve());
    service.stderr.on('data', (chunk) => {
      if (String(chunk).includes('"state.changed"')) resolve();
    });
  });
};

const WAYS = {
  program: ({ main }: typeof import('./program.js')) => main(words(WORKER, 'error')),
  client: async ({ exitStatusFor }: typeof import('./client.js')) => {
    await startService();
    const statuses: number[] = [];
    for (const asked of ['reload', 'status', 'stop'])
      statuses.push(await exitStatusFor([asked, '--json', '--name', name, '--run-dir', room]));
    if (statuses.every((status) => status === 0)) compiled = bundle.script.createCachedData();
    process.exit();
  },
  start: async ({ createSupervisor }: typeof import('../start.js')) => {
    const options = { name, runDir: room, listen: [socket], adopt: false, anchor: true, standby: 1 };
    const args = ['--eval', WORKER];
    process.exit(
      (await createSupervisor({ ...options, command, args, logLevel: 'error' }).done) === null ? 0 : 1,
    );
  },
};

const [, , which = ''] = process.argv;
if (!Object.hasOwn(WAYS, which))
  throw new Error(`given ${which || 'nothing'}, expected ${Object.keys(WAYS).join(', ')}`);
const bundleName = which as keyof typeof WAYS;

// V8 would refuse what was compiled with other flags than those of the process that reads it.
createRequire(import.meta.url)('node:v8').setFlagsFromString = () => undefined;
holdSignals(true);
const bundle = openBundle<never>(`./${bundleName}.js`, import.meta.url);
// Before its end: what that compiles is not worth its room.
process.prependOnceListener('SIGTERM', () => {
  compiled = bundle.script.createCachedData();
});
process.once('exit', (status) => {
  if (status === 0 && compiled !== null) writeCodeCache(bundle.path, bundle.identity, compiled);
});
WAYS[bundleName](bundle.exports);
