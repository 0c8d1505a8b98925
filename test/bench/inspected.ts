/**
 * What the inspector costs the supervisor it looks at: events for each second of its processor time, with and without.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Daemon, root, tanistScript, until, type World } from '../process/harness.js';
import { type Effort, type Figure, times } from './figure.js';
import { end } from './plain.js';

const ROUNDS = 16_000;
/** A status is one of the worker's machine and one of the supervisor's, a ping one of the worker's. */
const EVENTS_PER_ROUND = 3;
const MOST_PAIRS = 4;
const LIMIT_PERCENT = 20;
const NS_PER_S = 1e9;

/** The processor time of all threads; the first field of schedstat, in nanoseconds. */
const cpuSecondsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'))
    .reduce((sum, text) => sum + Number(text.split(' ')[0]) / NS_PER_S, 0);

/** The page, as soon as it says where it is; it has begun to listen then, or does so at once. */
const look = async (world: World, name: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [tanistScript, 'inspect', '--json', '--name', name], {
    env: world.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return child;
};

/** Lets the worker talk, and tells how many events the supervisor took for a second of its processor time. */
const talk = async (daemon: Daemon, file: string): Promise<number> => {
  const said = () => daemon.stdout().split('talked').length;
  const [before, from] = [said(), cpuSecondsOf(daemon.pid)];
  writeFileSync(file, '');
  await until('the end of the talk', () => said() > before);
  return (ROUNDS * EVENTS_PER_ROUND) / (cpuSecondsOf(daemon.pid) - from);
};

/** A daemon with one worker that talks, and the file that makes it do so. */
const talker = async (world: World, name: string, journal: boolean): Promise<() => Promise<number>> => {
  const file = world.path(`${name}-talk`);
  const daemon = world.run(['--name', name, '--', 'perl', `${root}test/bench/chatty.pl`], {
    env: {
      TALK: file,
      ROUNDS: String(ROUNDS),
      TANIST_JOURNAL: journal ? world.path(`${name}.journal`) : '',
    },
  });
  await daemon.line('worker.ready');
  return () => talk(daemon, file);
};

/** Two daemons in turn: one that nobody has ever looked at, since recording goes on for a minute after a look. */
const figureOf = async (world: World, repetitions: number, journal: boolean): Promise<Figure> => {
  const names = [journal ? 'alone-recorded' : 'alone', journal ? 'watched-recorded' : 'watched'] as const;
  const [talkAlone, talkWatched] = [
    await talker(world, names[0], journal),
    await talker(world, names[1], journal),
  ];
  const page = await look(world, names[1]);
  // Compiled by then, and listened to.
  await talkAlone();
  await talkWatched();
  const pairs = await times(Math.min(repetitions, MOST_PAIRS), async () => ({
    without: await talkAlone(),
    beside: await talkWatched(),
  }));
  await end(page);
  for (const name of names) await world.tanist('stop', '--name', name);
  // The most of each: whatever else runs on the machine can only make it less.
  const without = Math.max(...pairs.map((pair) => pair.without));
  const beside = Math.max(...pairs.map((pair) => pair.beside));
  const percent = (1 - beside / without) * 100;
  const thousands = (value: number) => `${(value / 1_000).toFixed(1)}k`;
  return {
    what: `inspector on, ${journal ? 'with' : 'without'} a journal: events a second of processor time lost`,
    target: `≤ ${LIMIT_PERCENT} %`,
    measured: `${percent.toFixed(0)} % (${thousands(beside)})`,
    floor: `inspector off: ${thousands(without)}`,
    missed: percent > LIMIT_PERCENT,
  };
};

export const measureInspected = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => [
  await figureOf(world, repetitions, false),
  await figureOf(world, repetitions, true),
];
