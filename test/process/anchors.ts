/**
 * What the tests of the anchor share: a daemon that somebody waits for, and a look at what its first process holds.
 */
import { readFileSync } from 'node:fs';
import { descriptorsOf, type Generations, NAME } from './generations.js';
import { type Daemon, fixture, until } from './harness.js';
import { runOddly } from './workers.js';

/** Short limits, so that who does not act is given up soon: 400 ms each. */
export const IMPATIENT = ['--takeover-timeout', '400ms', '--drain-timeout', '400ms'];

/** In the foreground of a shell that says how it ended, as `sh -c 'tanist run …; echo $?'` does. */
export const SHELL = ['sh', '-c', '"$@"; echo "status $?"', 'sh'];

export interface Start {
  readonly launcher?: readonly string[];
  readonly options?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the service with a program in front of it. */
export const launch = (world: Generations, start: Start = {}): Daemon => {
  const { launcher = SHELL, options = [], command = [fixture('service.mjs')] } = start;
  const where = ['--name', NAME, '--log-level', 'debug', '--listen', '127.0.0.1:0'];
  return runOddly(world, [...where, ...options, '--', ...command], {
    launcher,
    env: { ...world.serviceEnv, ...start.env },
  });
};

/** The same, and waits until it runs. */
export const launched = async (world: Generations, start: Start = {}): Promise<Daemon> => {
  const daemon = launch(world, start);
  await daemon.running();
  return daemon;
};

/** The supervisor of the first generation, which says its pid in the log. */
export const firstOf = async (daemon: Daemon): Promise<number> =>
  (await daemon.line('worker.spawned', ({ generation }) => generation === 1)).supervisorPid;

/** Reloads until that generation runs alone, and returns its supervisor's pid. */
export const reloadTo = async (world: Generations, daemon: Daemon, last: number): Promise<number> => {
  let { generation = 1, pid = 0 } = (await daemon.statusNow()) ?? {};
  while (generation < last) {
    await world.reload();
    generation += 1;
    ({ pid } = await daemon.settled(generation));
  }
  return pid;
};

/** What the shell said in the end. */
export const shellSaid = async (daemon: Daemon): Promise<string> => {
  await daemon.exit();
  return daemon.stdout().trim();
};

/** What a process holds besides its standard streams and what Node needs: sockets, and files of the run directory. */
export const holdings = (pid: number, world: Generations): readonly string[] =>
  [...descriptorsOf(pid)].flatMap(([number, name]) =>
    number > 2 && (name.startsWith('socket:') || name.startsWith(world.directory)) ? [name] : [],
  );

/** Sockets that listen, as /proc/net names them. */
export const listeningSockets = (): ReadonlySet<string> => {
  const rows = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  return new Set([
    ...rows('/proc/net/tcp').flatMap((row) => (row[3] === '0A' ? [`socket:[${row[9]}]`] : [])),
    ...rows('/proc/net/unix').flatMap((row) => (row[3] === '00010000' ? [`socket:[${row[6]}]`] : [])),
  ]);
};

/** Waits until a process is stopped by SIGSTOP: until then it may still act. */
export const frozen = async (pid: number): Promise<void> => {
  process.kill(pid, 'SIGSTOP');
  await until(`${pid} to be stopped`, () => / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
};
