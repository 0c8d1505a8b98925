/**
 * Daemons that run as another user: root starts them, and this user and root ask them things.
 */
import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import type { Status } from '../../machines/status.js';
import { type CommandResult, fixture, isRunning, root, tanistScript, World } from './harness.js';

/** A user that every system has, and nobody works as. */
export const USER = 'daemon';

const idOf = (option: '-u' | '-g'): number =>
  Number(spawnSync('id', [option, USER], { encoding: 'utf8' }).stdout);

export const UID = idOf('-u');
export const GID = idOf('-g');

/** Runs a program as that user, without any group but its own. */
export const runAsUser = (file: string, ...args: readonly string[]) =>
  spawnSync(file, args, { uid: UID, gid: GID, cwd: '/', encoding: 'utf8' });

/** Why these tests cannot be run here; null where they can. */
export const obstacle = (): string | null => {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  if (!(UID > 0 && GID > 0)) return `there is no user ${USER}`;
  const { status, error } = runAsUser(
    process.execPath,
    '-e',
    `fs.readFileSync(${JSON.stringify(tanistScript)})`,
  );
  return status === 0
    ? null
    : `${USER} cannot read ${root}${error === undefined ? '' : `: ${error.message}`}`;
};

/** Puts another file in the place of /etc/group, for one program and what it starts. */
export const withGroupTable = (file: string): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount --bind "$0" /etc/group && exec "$@"',
  file,
];

/** Why that cannot be done here; null where it can. */
export const mountObstacle = (): string | null => {
  const [file = '', ...args] = [...withGroupTable('/etc/group'), 'true'];
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? null : stderr.trim() || (error?.message ?? `status ${status}`);
};

/** A run directory in which the daemon has a directory of its own. */
export class UserWorld extends World {
  override get home(): string {
    return this.path(USER);
  }

  /** Runs a command of tanist as that user, without any group but its own. */
  tanistAsUser(...args: readonly string[]): Promise<CommandResult> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [tanistScript, ...args], {
      env: { ...this.env, HOME: '/' },
      cwd: root,
      uid: UID,
      gid: GID,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    return new Promise((resolve) => {
      child.on('close', (status) =>
        resolve({ status, stdout, stderr, durationMs: performance.now() - startedAt }),
      );
    });
  }
}

/** A world that ends with the test. */
export const newUserWorld = (): UserWorld => {
  const world = new UserWorld();
  onTestFinished(() => world.dispose());
  return world;
};

/** A worker that tries to be root again, and says what came of it. */
export const CLIMBER = ['--', fixture('climber.mjs')];

export interface Credentials {
  /** Real, effective, saved and of the file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  /** Inheritable, permitted, effective, ambient: masks in hexadecimal. */
  readonly capabilities: readonly string[];
}

/** Whom a process runs as: proc(5). */
export const credentialsOf = (pid: number): Credentials => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const words = (key: string): string[] => {
    const [, line = ''] = new RegExp(`^${key}:(.*)$`, 'm').exec(text) ?? [];
    return line.split(/\s+/).filter((word) => word !== '');
  };
  return {
    uids: words('Uid').map(Number),
    gids: words('Gid').map(Number),
    groups: words('Groups').map(Number),
    capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].flatMap(words),
  };
};

const NONE = '0'.repeat(16);

/** That user and nobody else, without anything left of root. */
export const credentials = (changes: { gid?: number; groups?: readonly number[] } = {}): Credentials => {
  const { gid = GID, groups = [gid] } = changes;
  return {
    uids: [UID, UID, UID, UID],
    gids: [gid, gid, gid, gid],
    groups,
    capabilities: [NONE, NONE, NONE, NONE],
  };
};

/** The supervisor and all of its workers. */
export const pidsOf = ({ pid, workers }: Status): readonly number[] => [
  pid,
  ...workers.map((worker) => worker.pid ?? 0),
];

/** Every process that runs in a world, whatever it is. */
export const everybody = (world: World): readonly Credentials[] =>
  world.processes().filter(isRunning).map(credentialsOf);

/** Whose a file is, and who may do what with it. */
export const ownerOf = (path: string): { uid: number; gid: number; mode: string } => {
  const { uid, gid, mode } = lstatSync(path);
  return { uid, gid, mode: (mode & 0o7777).toString(8) };
};

/** A port that only root may bind, and that is free now. */
export const privilegedPort = async (): Promise<number> => {
  for (let port = 1023; port > 600; port -= 1 + Math.floor(Math.random() * 8)) {
    const server = net.createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('no port below 1024 is free');
};

/** What the system says when that user binds the port: a code, or nothing. */
export const bindAsUser = (port: number): string =>
  runAsUser(
    process.execPath,
    '-e',
    `net.createServer().on('error', (e) => console.log(e.code)).listen(${port}, '127.0.0.2', process.exit)`,
  ).stdout.trim();

/** The lowest port that anybody may bind. */
export const unprivilegedPortStart = (): number => {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    // A kernel without the setting.
    return 1024;
  }
};
