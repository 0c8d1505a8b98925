/**
 * What the demo does with one daemon: under load, a worker is killed, ten good releases and three broken ones come.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReloadVerdict } from '../../../machines/status.js';
import { Load } from '../../load/load.js';
import { monotonicMs, type Sample } from '../../load/plan.js';
import { Releases } from '../../load/releases.js';
import type { Window } from '../../load/summary.js';
import { type Daemon, get, root, type World } from '../../process/harness.js';
import type { Progress } from './progress.js';

export type Mode = 'overlap' | 'exclusive';

/** One reload: what came, what was expected, and what was said. */
export interface ReloadRow {
  readonly mode: Mode;
  readonly release: string;
  readonly expected: string;
  readonly verdict: string;
  /** From the command to its answer. */
  readonly durationMs: number;
  /** The version that answers afterwards, and the one that should. */
  readonly serving: string;
  readonly shouldServe: string;
}

export interface ScenarioResult {
  readonly mode: Mode;
  readonly samples: readonly Sample[];
  /** From each reload's command until nothing of the generation that left is there any more. */
  readonly reloads: readonly Window[];
  /** From the death of a worker until its slot is filled. */
  readonly deaths: readonly Window[];
  readonly rows: readonly ReloadRow[];
}

const GOOD_RELOADS = 10;
/** Between two events, so that there is something to compare with. */
const CALM_MS = 400;
/** Six times the boot of the service, and still short enough to wait for. */
const START_TIMEOUT = '2s';

/** Long enough that some requests are always in hand: when a worker is killed, and when one is asked to leave. */
const REQUEST_PATH = '/slow?ms=20';

const service = `${root}test/examples/http-service.mjs`;
const broken = (name: string): string => `${root}test/examples/demo/releases/${name}.mjs`;

const BROKEN_RELEASES = [
  { release: 'crashes', program: broken('crash'), expected: 'refused: worker-exited' },
  { release: 'hangs', program: broken('hang'), expected: 'refused: start-timeout' },
  { release: 'answers 500', program: broken('unwell'), expected: 'refused: not-ready' },
] as const;

const verdictText = ({ outcome, reason }: ReloadVerdict): string =>
  reason === null ? outcome : `${outcome}: ${reason}`;

export class Scenario {
  readonly #mode: Mode;
  readonly #world: World;
  readonly #progress: Progress;
  readonly #releases: Releases;
  readonly #rows: ReloadRow[] = [];
  readonly #reloads: Window[] = [];
  readonly #deaths: Window[] = [];
  #version = 'v1';

  constructor(mode: Mode, world: World, progress: Progress) {
    this.#mode = mode;
    this.#world = world;
    this.#progress = progress;
    this.#releases = new Releases(world.path(mode), root);
  }

  async play(): Promise<ScenarioResult> {
    this.#say('starts');
    this.#releases.deploy(this.#version, service);
    const daemon = this.#world.run(
      [
        ...['--name', this.#mode, '--handoff', this.#mode, '--listen', '127.0.0.1:0', '--workers', '2'],
        ...['--ready', 'http=/health', '--start-timeout', START_TIMEOUT, '--', 'node', 'server.mjs'],
      ],
      { cwd: this.#releases.current, env: { BOOT_MS: '300' } },
    );
    const { listeners } = await daemon.running();
    const address = listeners[0]?.address ?? '';
    const load = new Load(address, this.#world.env, { path: REQUEST_PATH });
    this.#progress.follow(() => load.progress);
    await pause(CALM_MS * 2);
    await this.#killWorker(daemon, load);
    for (let count = 1; count <= GOOD_RELOADS; count += 1) {
      await this.#reload(daemon, address, {
        release: `v${count + 1}`,
        program: service,
        expected: 'promoted',
        doing: `reloads to a good release, ${count} of ${GOOD_RELOADS}`,
      });
    }
    for (const release of BROKEN_RELEASES) {
      const doing = `reloads to a release that ${release.release}`;
      await this.#reload(daemon, address, { ...release, doing });
    }
    this.#say('ends its load');
    const samples = await load.stop();
    this.#progress.follow(() => null);
    await this.#stop();
    return {
      mode: this.#mode,
      samples,
      reloads: this.#reloads,
      deaths: this.#deaths,
      rows: this.#rows,
    };
  }

  async #killWorker(daemon: Daemon, load: Load): Promise<void> {
    this.#say('loses a worker to SIGKILL');
    const before = await daemon.running();
    const victim = before.workers[0]?.pid ?? 0;
    const fromMs = monotonicMs();
    await load.killWorker(victim);
    await daemon.status(
      'another worker in its slot',
      ({ state, workers }) => state === 'running' && workers.every(({ pid }) => pid !== victim),
    );
    this.#deaths.push({ fromMs, toMs: monotonicMs() });
    await pause(CALM_MS);
  }

  async #reload(
    daemon: Daemon,
    address: string,
    { release, program, expected, doing }: Record<'release' | 'program' | 'expected' | 'doing', string>,
  ): Promise<void> {
    this.#say(doing);
    this.#releases.deploy(release, program);
    const fromMs = monotonicMs();
    const command = await this.#world.tanist('reload', '--json', '--name', this.#mode);
    const verdict = this.#verdictIn(command.stdout, command.stderr);
    // A reload that is asked for while the predecessor still drains joins this one: wait for its end.
    await daemon.status('no reload under way', ({ state, reload }) => state === 'running' && reload === null);
    this.#reloads.push({ fromMs, toMs: monotonicMs() });
    if (expected === 'promoted') this.#version = release;
    this.#rows.push({
      mode: this.#mode,
      release,
      expected,
      verdict: verdictText(verdict),
      durationMs: command.durationMs,
      serving: JSON.parse((await get(address)).body).version,
      shouldServe: this.#version,
    });
    await pause(CALM_MS);
  }

  async #stop(): Promise<void> {
    this.#say('stops');
    const { status, stderr } = await this.#world.tanist('stop', '--name', this.#mode);
    if (status !== 0) throw new Error(`tanist stop failed with status ${status}: ${stderr}`);
    await this.#world.empty();
  }

  #verdictIn(stdout: string, stderr: string): ReloadVerdict {
    try {
      const verdict = JSON.parse(stdout);
      if ('outcome' in verdict) return verdict;
    } catch {
      // Said below, with what was printed instead.
    }
    throw new Error(`tanist reload gave no verdict: ${stdout}${stderr}`);
  }

  #say(step: string): void {
    this.#progress.step(`${this.#mode}: ${step}`);
  }
}
