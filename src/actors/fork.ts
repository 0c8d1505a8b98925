import type { EventObject } from 'xstate';
import type { ForkInput } from '../../machines/contracts.js';
import type { SpawnFailed, WorkerExited, WorkerSpawned } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import type { DescriptorSource, Env } from '../os/env.js';
import type { Program } from '../program.js';
import { FIRST_LISTENER_FD, VARIABLES } from '../protocol/environment.js';
import { effect, failureOf } from './effect.js';
import { probePath } from './probe.js';

/** What workers are started with. */
export interface ForkOptions {
  /** Their command. */
  readonly program: Program;
  /** Those of the supervisor. */
  readonly settings: Settings;
  /** Standard output and standard error of every process that is started. */
  readonly output: () => readonly [number, number];
  /** What the paths of probe sockets begin with: the pid file without `.pid`, or a directory of their own. */
  readonly base: string;
}

/** What a worker finds at its descriptors, and where. */
const layoutOf = (
  { inheritance }: ForkInput,
  probe: number | null,
  output: readonly [number, number],
  reports: boolean,
) => {
  const listeners = inheritance.listeners.map((listener) => listener.descriptor);
  const channelFd = FIRST_LISTENER_FD + listeners.length;
  const descriptors: DescriptorSource[] = ['null', ...output, ...listeners, 'stream'];
  const probeFd = probe === null ? null : descriptors.push(probe) - 1;
  descriptors.push(inheritance.lifeWrite);
  if (inheritance.fence !== null) descriptors.push(inheritance.fence);
  const reporterFd = reports ? descriptors.push('stream') - 1 : null;
  return { descriptors, channelFd, probeFd, reporterFd };
};

/** `8080=3;127.0.0.1:8081=4;/run/a.sock=5`, as Server::Starter writes it. */
const serverStarterPort = ({ inheritance }: ForkInput): string =>
  inheritance.listeners
    .map(
      ({ address }, index) =>
        `${address.replace(/^unix:/, '').replace(/^0\.0\.0\.0:/, '')}=${FIRST_LISTENER_FD + index}`,
    )
    .join(';');

/** Many services read it. Only where it can mean one thing, and nobody has said otherwise. */
const portOf = ({ inheritance }: ForkInput, { env }: Program): Record<string, string> => {
  const [port, ...others] = inheritance.listeners.flatMap(({ address }) =>
    address.startsWith('unix:') ? [] : [address.slice(address.lastIndexOf(':') + 1)],
  );
  return port === undefined || others.length > 0 || env.PORT !== undefined ? {} : { PORT: port };
};

/** For the preload: it makes a `listen()` on these addresses use the listeners. */
const adoptionOf = (input: ForkInput, program: Program): Record<string, string> =>
  program.preload === null
    ? {}
    : {
        ...portOf(input, program),
        [VARIABLES.adopt]: JSON.stringify(input.inheritance.listeners.map(({ address }) => address)),
      };

const environmentOf = (
  { program, settings }: ForkOptions,
  input: ForkInput,
  supervisorPid: number,
  layout: ReturnType<typeof layoutOf>,
): Record<string, string> => {
  const { listeners } = input.inheritance;
  return {
    ...program.env,
    [VARIABLES.channelFd]: String(layout.channelFd),
    ...(layout.probeFd === null ? {} : { [VARIABLES.probeFd]: String(layout.probeFd) }),
    [VARIABLES.generation]: String(input.generation),
    [VARIABLES.slot]: String(input.slot),
    [VARIABLES.supervisorPid]: String(supervisorPid),
    [VARIABLES.pingTimeoutMs]: String(settings.pingTimeoutMs),
    ...(settings.watchdogMs === null ? {} : { [VARIABLES.watchdogMs]: String(settings.watchdogMs) }),
    [VARIABLES.drainTimeoutMs]: String(settings.drainTimeoutMs),
    [VARIABLES.stopSignal]: settings.stopSignal,
    ...adoptionOf(input, program),
    ...(layout.reporterFd === null ? {} : { [VARIABLES.reporterFd]: String(layout.reporterFd) }),
    ...(listeners.length === 0
      ? {}
      : {
          [VARIABLES.listenFds]: String(listeners.length),
          [VARIABLES.listenFdNames]: listeners.map(({ name }) => name).join(':'),
          [VARIABLES.serverStarterPort]: serverStarterPort(input),
          [VARIABLES.serverStarterGeneration]: String(input.generation),
        }),
  };
};

/** What a shell does before it becomes the program; the pid stays the same. */
const SAY_PID = 'LISTEN_PID=$$ && export LISTEN_PID';

/** A thread costs some memory: only where somebody looks whether workers hang. */
const reporterOf = ({ program, settings }: ForkOptions): string | null =>
  settings.watchdogMs === null ? null : program.reporter;

const commandOf = (options: ForkOptions, input: ForkInput): readonly [string, ...string[]] => {
  const { program } = options;
  const preloads = [reporterOf(options), program.preload].filter((path) => path !== null);
  const plain: [string, ...string[]] = [
    program.file,
    ...preloads.flatMap((path) => ['--require', path]),
    ...program.args,
  ];
  const tethered: [string, ...string[]] =
    input.tethered && program.setpriv !== null
      ? [program.setpriv, '--pdeathsig', 'KILL', '--', ...plain]
      : plain;
  const before = [
    ...(input.inheritance.listeners.length === 0 ? [] : [SAY_PID]),
    // Set in the new process: a process has one mask for all it does, and the supervisor keeps its own.
    ...(program.umask === null ? [] : [`umask ${program.umask}`]),
  ];
  return before.length === 0
    ? tethered
    : ['/bin/sh', '-c', [...before, 'exec "$@"'].join(' && '), 'sh', ...tethered];
};

/** One worker process, from its start to its end. */
export const createFork = (env: Env, options: ForkOptions) =>
  effect<ForkInput, EventObject, WorkerSpawned | WorkerExited | SpawnFailed>(
    env,
    ({ input, report, ended }) => {
      const { slot, generation } = input;
      const path = probePath(options.base, input);
      const start = (probe: number | null) => {
        const layout = layoutOf(input, probe, options.output(), reporterOf(options) !== null);
        const [file, ...args] = commandOf(options, input);
        let pid = 0;
        let reporter: number | null = null;
        env.spawn({
          role: 'worker',
          file,
          args,
          cwd: options.program.cwd,
          env: environmentOf(options, input, env.pid, layout),
          descriptors: layout.descriptors,
          onSpawn: (child) => {
            pid = child.pid;
            const { startTime, streams } = child;
            const [channel = -1, second = null] = streams;
            reporter = second;
            report({ type: 'worker.spawned', slot, generation, pid, startTime, channel, reporter });
          },
          onFailure: (failure) => report({ type: 'spawn.failed', slot, generation, ...failure }),
          onExit: ({ code, signal }) => {
            if (reporter !== null) env.close(reporter);
            report({ type: 'worker.exited', slot, generation, pid, code, signal });
          },
        });
      };
      if (!input.probe) {
        start(null);
        return undefined;
      }
      env.listenUnix(path).then(
        (probe) => {
          if (!ended()) start(probe);
          env.close(probe);
        },
        (error: unknown) =>
          report({ type: 'spawn.failed', slot, generation, ...failureOf(error, 'TANIST_SPAWN_FAILED') }),
      );
      return () => env.unlink(path);
    },
  );
