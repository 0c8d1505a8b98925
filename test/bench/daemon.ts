/**
 * A daemon that is measured: the example service, reloaded as an administrator would.
 */
import type { ReloadVerdict } from '../../machines/status.js';
import { monotonicMs } from '../load/plan.js';
import { Releases } from '../load/releases.js';
import { type Daemon, root, type World } from '../process/harness.js';
import { BOOT_MS, service } from './plain.js';

export class MeasuredDaemon {
  readonly #world: World;
  readonly #name: string;
  readonly #options: readonly string[];
  readonly releases: Releases;
  #daemon: Daemon | null = null;

  constructor(world: World, name: string, options: readonly string[]) {
    this.#world = world;
    this.#name = name;
    this.#options = options;
    this.releases = new Releases(world.path(name), root);
    this.releases.deploy('good', service);
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error(`${this.#name} was not started`);
    return this.#daemon;
  }

  /** Only starts it: whoever measures says what is waited for. */
  launch(program: readonly string[] = ['node', 'server.mjs']): Daemon {
    this.#daemon = this.#world.run(['--name', this.#name, ...this.#options, '--', ...program], {
      cwd: this.releases.current,
      env: { BOOT_MS: String(BOOT_MS), TANIST_JOURNAL: '' },
    });
    return this.#daemon;
  }

  /** Starts it and returns its first address when every worker is ready. */
  async start(): Promise<string> {
    const { listeners } = await this.launch().running();
    return listeners[0]?.address ?? '';
  }

  /** From the command to its answer, which must be the expected one; returns when the reload is all over. */
  async reload(expected: ReloadVerdict['outcome'] = 'promoted'): Promise<number> {
    const { stdout, stderr, durationMs } = await this.#world.tanist('reload', '--json', '--name', this.#name);
    if (!stdout.includes(`"outcome":"${expected}"`)) {
      throw new Error(`expected ${expected}, but the reload says: ${stdout}${stderr}`);
    }
    await this.daemon.status(
      'no reload under way',
      ({ state, reload }) => state === 'running' && reload === null,
    );
    return durationMs;
  }

  /** A reload that is to come to nothing: why, and when that was told. */
  async refusal(expected: ReloadVerdict['outcome']): Promise<{ reason: string; answeredAtMs: number }> {
    const { stdout, stderr } = await this.#world.tanist('reload', '--json', '--name', this.#name);
    const answeredAtMs = monotonicMs();
    if (!stdout.includes(`"outcome":"${expected}"`))
      throw new Error(`expected ${expected}, but the reload says: ${stdout}${stderr}`);
    return { reason: String((JSON.parse(stdout) as ReloadVerdict).reason), answeredAtMs };
  }

  async stop(): Promise<void> {
    const { status, stderr } = await this.#world.tanist('stop', '--name', this.#name);
    if (status !== 0) throw new Error(`tanist stop: ${stderr}`);
    await this.#world.empty();
  }
}
