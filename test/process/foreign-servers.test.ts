import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Generations } from './generations.js';
import { fixture, until } from './harness.js';
import { Load } from './load.js';
import { INSTALL_TIMEOUT_MS, provide } from './packages.js';

interface ForeignServer {
  readonly name: string;
  /** How it learns of its sockets. */
  readonly reads: string;
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  readonly command: readonly string[];
  /** What makes it finish its requests and leave. */
  readonly stopSignal: string;
}

/** Starman is none of them: it closes connections that it has accepted and not read, whoever asks it to leave. */
const SERVERS: readonly ForeignServer[] = [
  {
    name: 'gunicorn',
    reads: 'LISTEN_FDS and LISTEN_PID',
    programs: ['gunicorn'],
    packages: ['gunicorn'],
    command: ['gunicorn', '--workers', '2', 'service:app'],
    stopSignal: 'SIGTERM',
  },
  {
    name: 'Starlet',
    reads: 'SERVER_STARTER_PORT',
    programs: ['plackup', 'start_server'],
    packages: ['starlet', 'libserver-starter-perl'],
    command: ['plackup', '--server', 'Starlet', '--max-workers', '2', '--env', 'production', 'service.psgi'],
    stopSignal: 'SIGTERM',
  },
];

/** Answers of a generation before the next one is asked for. */
const ANSWERS = 25;

let world: Generations;

beforeEach(() => {
  world = new Generations();
});

afterEach(() => world.dispose());

describe.each(SERVERS)('$name, which reads $reads', ({ programs, packages, command, stopSignal }) => {
  let missing: string | null = null;

  beforeAll(async () => {
    missing = await provide(programs, packages);
    if (missing !== null) console.warn(missing);
  }, INSTALL_TIMEOUT_MS);

  it('runs unchanged, and is replaced twice under load without a failed request', async (context) => {
    if (missing !== null) context.skip(missing);
    const { daemon, address } = await world.started({
      options: ['--ready', 'alive=1s', '--stop-signal', stopSignal, '--chdir', fixture('foreign')],
      command,
    });
    const load = new Load(address);
    const answered = (generation: number) =>
      until(`answers of generation ${generation}`, () => load.answersOf(generation) >= ANSWERS);
    await answered(1);
    for (const generation of [2, 3]) {
      expect((await world.reload()).verdict).toMatchObject({ outcome: 'promoted', generation });
      await daemon.settled(generation);
      await answered(generation);
    }
    const report = await load.stop();
    expect(report.failures).toEqual([]);
    // They left because they were asked to, before anybody had to kill them.
    const exits = daemon.lines().filter(({ event }) => event === 'worker.exited');
    expect(exits.map(({ signal }) => signal)).toEqual([null, null]);

    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
  });
});
