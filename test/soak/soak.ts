/**
 * A daemon under load to which things happen without end: workers die, releases come, good and broken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Choices } from 'tanist/testing';
import type { ReloadVerdict, Status } from '../../machines/status.js';
import { Load } from '../load/load.js';
import { DEFAULT_PLAN, type Sample } from '../load/plan.js';
import { Releases } from '../load/releases.js';
import { type Daemon, root, type World } from '../process/harness.js';
import { type Holdings, holdingsOf, type Series } from './holdings.js';

const NAME = 'soak';
const service = `${root}test/examples/http-service.mjs`;
const broken = (name: string): string => `${root}test/examples/demo/releases/${name}.mjs`;

const BROKEN = [
  { program: broken('crash'), expected: 'refused: worker-exited' },
  { program: broken('unwell'), expected: 'refused: not-ready' },
  { program: broken('hang'), expected: 'refused: start-timeout' },
] as const;

const OPTIONS = [
  ...['--name', NAME, '--listen', '127.0.0.1:0', '--workers', '2', '--ready', 'http=/health'],
  // Enough for a boot on a busy machine; a release that hangs costs so much each time.
  ...['--start-timeout', '4s', '--respawn-delay', '1s'],
];
/** Kept connections per request and second: a think time of 200 ms at any rate (test/load/plan.ts). */
const CLIENTS_PER_RATE = DEFAULT_PLAN.keepAliveClients / DEFAULT_PLAN.ratePerSecond;
const REQUEST_PATH = '/slow?ms=20';
/** At which age generations are compared: the reload is over, and what it needed is mostly given back. */
const AGE_MS = 2_500;
const MOST_CALM_MS = 800;
/** Before and after a full collection a supervisor differs by about as much (ARCHITECTURE.md, "Measured"). */
const SLACK_MB = 4;
/** One that is always busy swings more: 19 to 30 MB were seen, with 7.3 to 7.5 MB of live objects at all times. */
const BUSY_SLACK_MB = 8;

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly killed: number;
  readonly promoted: number;
  readonly refused: number;
  readonly series: readonly Series[];
  readonly wrong: readonly string[];
}

const wordsOf = ({ outcome, reason }: ReloadVerdict): string =>
  reason === null ? outcome : `${outcome}: ${reason}`;

export class Soak {
  readonly #world: World;
  readonly #choices: Choices;
  readonly #releases: Releases;
  readonly #daemon: Daemon;
  readonly #ratePerSecond: number;
  readonly #wrong: string[] = [];
  readonly #generations: Holdings[] = [];
  readonly #one: Holdings[] = [];
  readonly #anchor: Holdings[] = [];
  #happened = 0;
  #killed = 0;
  #promoted = 0;
  #refused = 0;

  /** @param ratePerSecond requests; more than the machine can answer are failures of the machine. */
  constructor(world: World, seed: number, ratePerSecond: number) {
    this.#ratePerSecond = ratePerSecond;
    this.#world = world;
    this.#choices = new Choices(seed);
    this.#releases = new Releases(world.path(NAME), root);
    this.#releases.deploy('v1', service);
    this.#daemon = world.run([...OPTIONS, '--', 'node', 'server.mjs'], {
      cwd: this.#releases.current,
      env: { BOOT_MS: '100' },
    });
  }

  /**
   * For the first half of the time generations follow each other; in the second half one of them stays.
   *
   * @param say called for everything that happens.
   */
  async play(durationMs: number, say: (what: string) => void): Promise<SoakResult> {
    const { listeners } = await this.#daemon.running();
    const load = new Load(listeners[0]?.address ?? '', this.#world.env, {
      path: REQUEST_PATH,
      ratePerSecond: this.#ratePerSecond,
      keepAliveClients: Math.ceil(this.#ratePerSecond * CLIENTS_PER_RATE),
    });
    const startedAtMs = performance.now();
    const share = () => (performance.now() - startedAtMs) / durationMs;
    await this.#reload(load, say);
    while (share() < 1) {
      const staying = share() >= 0.5;
      await this.#happen(load, staying, say);
      await pause(this.#choices.below('calm', MOST_CALM_MS));
    }
    await this.#look(this.#one, (await this.#atRest()).pid);
    const samples = await load.stop();
    await this.#stop();
    return {
      samples,
      killed: this.#killed,
      promoted: this.#promoted,
      refused: this.#refused,
      series: [
        {
          what: `generations, each ${AGE_MS / 1_000} s after its promotion`,
          holdings: this.#generations,
          slackMb: SLACK_MB,
        },
        { what: 'one generation in charge', holdings: this.#one, slackMb: BUSY_SLACK_MB, fromMiddle: true },
        { what: 'the anchor', holdings: this.#anchor, slackMb: SLACK_MB },
      ],
      wrong: this.#wrong,
    };
  }

  async #happen(load: Load, staying: boolean, say: (what: string) => void): Promise<void> {
    this.#happened += 1;
    // Every second time, so that also a short soak has generations to compare.
    if (!staying && this.#happened % 2 === 0) return this.#reload(load, say);
    if (this.#choices.chance('refused', 0.5)) await this.#refusedReload(say);
    else await this.#killWorker(load, say);
    if (staying) await this.#look(this.#one, (await this.#atRest()).pid);
  }

  /** Waits until every slot is filled and no reload is under way. */
  #atRest(): Promise<Status> {
    return this.#daemon.status(
      'no reload under way',
      ({ state, reload }) => state === 'running' && reload === null,
    );
  }

  async #look(into: Holdings[], pid: number): Promise<void> {
    into.push(await holdingsOf(pid));
  }

  async #killWorker(load: Load, say: (what: string) => void): Promise<void> {
    const { workers } = await this.#atRest();
    const victim = workers[this.#choices.below('victim', workers.length)]?.pid;
    if (victim === null || victim === undefined) return;
    say(`worker ${victim} is killed`);
    await load.killWorker(victim);
    this.#killed += 1;
    await this.#daemon.status(
      'another worker in its slot',
      ({ state, workers: now }) => state === 'running' && now.every(({ pid }) => pid !== victim),
    );
  }

  /** A good release; now and then a worker of the old one is killed meanwhile. */
  async #reload(load: Load, say: (what: string) => void): Promise<void> {
    this.#promoted += 1;
    const before = await this.#atRest();
    const version = `v${this.#promoted + 1}`;
    this.#releases.deploy(version, service);
    const verdict = this.#verdict();
    const victim = this.#choices.chance('kill during reload', 0.3) ? before.workers[0]?.pid : null;
    if (typeof victim === 'number') {
      await this.#daemon.status(
        'a reload',
        ({ reload, generation }) => reload !== null || generation > before.generation,
      );
      // It may have left by itself before this is read.
      await load.killWorker(victim).then(
        () => {
          this.#killed += 1;
        },
        () => undefined,
      );
    }
    this.#expect('promoted', await verdict, say);
    const { pid, generation } = await this.#atRest();
    await pause(AGE_MS);
    await this.#look(this.#generations, pid);
    if (generation > 1) await this.#look(this.#anchor, this.#daemon.pid);
  }

  async #refusedReload(say: (what: string) => void): Promise<void> {
    this.#refused += 1;
    const release = BROKEN[this.#choices.below('broken', BROKEN.length)] ?? BROKEN[0];
    this.#releases.deploy(`broken${this.#refused}`, release.program);
    this.#expect(release.expected, await this.#verdict(), say);
    // Who is killed after this must come back as what it was.
    this.#releases.deploy(`again${this.#refused}`, service);
  }

  async #verdict(): Promise<string> {
    const { stdout, stderr } = await this.#world.tanist(
      'reload',
      '--json',
      '--timeout',
      '30s',
      '--name',
      NAME,
    );
    try {
      return wordsOf(JSON.parse(stdout) as ReloadVerdict);
    } catch {
      return `no verdict: ${stdout}${stderr}`;
    }
  }

  #expect(expected: string, verdict: string, say: (what: string) => void): void {
    say(`reload: ${verdict}`);
    if (verdict !== expected) this.#wrong.push(`a reload said ${verdict}, expected ${expected}`);
  }

  async #stop(): Promise<void> {
    const { status, stderr } = await this.#world.tanist('stop', '--timeout', '60s', '--name', NAME);
    if (status !== 0) this.#wrong.push(`tanist stop: status ${status}: ${stderr}`);
    await this.#world.empty().catch(() => {
      this.#wrong.push(`${this.#world.processes().length} processes were left`);
    });
    const { code } = await this.#daemon.exit();
    if (code !== 0) this.#wrong.push(`the first process ended with status ${code}`);
  }
}
