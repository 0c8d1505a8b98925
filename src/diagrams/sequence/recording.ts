/**
 * A reload as it happens in the simulated world: the shipped machines and effects, nothing made up.
 */
import type { Handoff, Settings } from '../../../machines/policy.js';
import { resolveSettings } from '../../config.js';
import { parseMessage } from '../../protocol/succession.js';
import { Choices } from '../../testing/choices.js';
import type { Deed, Happening, Words } from '../../testing/happenings.js';
import type { SimulatedProcess } from '../../testing/process.js';
import { World } from '../../testing/simulated-world.js';
import { SupervisorProcess } from '../../testing/supervisor-process.js';
import { WorkerProcess } from '../../testing/worker-process.js';
import type { Lifeline, Row, Scene, Span } from './scene.js';

const OPERATOR = 'operator';
/** Long enough for every wait of a reload in which nothing goes wrong. */
const LIMIT_MS = 10_000;

const LIFELINES: readonly Lifeline[] = [
  { id: OPERATOR, title: 'operator', subtitle: 'tanist reload', isThere: true },
  { id: 'worker 1', title: 'worker', subtitle: 'generation 1', isThere: true },
  { id: 'supervisor 1', title: 'predecessor', subtitle: 'generation 1', isThere: true },
  { id: 'supervisor 2', title: 'successor', subtitle: 'generation 2', isThere: false },
  { id: 'worker 2', title: 'worker', subtitle: 'generation 2', isThere: false },
];

const settingsFor = (handoff: Handoff): Settings =>
  resolveSettings(
    {
      command: 'service',
      name: 'daemon',
      pidFile: '/run/daemon.pid',
      listen: ['8080'],
      handoff,
      anchor: false,
    },
    { env: {}, cwd: '/', uid: 0, platform: 'linux', accounts: null },
  ).settings;

const idOf = ({ program }: SimulatedProcess): string | null => {
  if (program instanceof SupervisorProcess) return `supervisor ${program.generation === 1 ? 1 : 2}`;
  return program instanceof WorkerProcess ? `worker ${program.generation}` : null;
};

/** What a line on a stream says, in as few words as it can be said; null for what is no news to a reader. */
const meaningOf = (line: string): string | null => {
  const message = parseMessage(line);
  if (message !== null) return message.say === 'workers' ? null : message.say;
  return line.startsWith('{') ? 'hand-over record' : line;
};

class Recorder {
  readonly rows: Row[] = [];
  readonly spans: Span[] = [];
  readonly #said: Words[] = [];
  readonly #states = new Map<string, string>();
  readonly #open = new Map<string, number | null>();
  #world: World | null = null;
  /** Rows of earlier looks. */
  #seen = 0;
  #beganAtMs: number | null = null;

  readonly watch = (happening: Happening): void => {
    if (happening.kind === 'said') this.#said.push(happening);
    else if (happening.kind === 'heard') this.#hear(happening);
    else this.#see(happening);
  };

  /** From now on what happens is recorded; what is so already is so from the top. */
  begin(world: World): void {
    this.#world = world;
    this.#beganAtMs = world.kernel.nowMs;
    for (const supervisor of world.supervisors) {
      if (supervisor.state !== null)
        this.#states.set(`supervisor ${supervisor.generation}`, supervisor.state);
    }
    this.#compareSpans(null);
  }

  asked(to: string, text: string): void {
    this.#add({ kind: 'message', from: OPERATOR, to, text, colour: 'request' });
  }

  answered(from: string, text: string): void {
    this.#add({ kind: 'message', from, to: OPERATOR, text, colour: 'request' });
  }

  /** What has changed without a word. */
  look(): void {
    const world = this.#world;
    if (world === null) return;
    for (const { process, state } of world.supervisors) {
      const on = idOf(process);
      if (on === null || state === null || this.#states.get(on) === state) continue;
      this.#states.set(on, state);
      this.#add({ kind: 'state', on, state });
    }
    this.#compareSpans(this.#turn());
    this.#seen = this.rows.length;
  }

  end(): void {
    for (const key of [...this.#open.keys()]) this.#close(key, null);
  }

  #hear({ by, end, bytes }: Words): void {
    const speaker = this.#said.findLast((words) => words.end.isPeerOf(end))?.by;
    const [from, to] = [speaker === undefined ? null : idOf(speaker), idOf(by)];
    if (from === null || to === null) return;
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      const text = line === '' ? null : meaningOf(line);
      if (text !== null) this.#add({ kind: 'message', from, to, text, colour: 'fact' });
    }
  }

  #see(deed: Deed): void {
    const on = deed.by === null ? null : idOf(deed.by);
    if (on === null) return;
    switch (deed.kind) {
      case 'start': {
        const to = idOf(deed.started) ?? 'supervisor 2';
        return this.#add({ kind: 'start', from: on, to, text: 'starts', colour: 'request' });
      }
      case 'signal': {
        const to = idOf(deed.to);
        if (to !== null) this.#add({ kind: 'message', from: on, to, text: deed.signal, colour: 'request' });
        return;
      }
      case 'act':
        // Its `ok` is drawn where it is heard; what follows from it is the bar.
        if (deed.words !== 'reads ok: it serves')
          this.#add({ kind: 'deed', on, text: deed.words, colour: 'fact' });
        return;
      case 'exit':
        return this.#add({ kind: 'end', on, text: `exits ${deed.exit.code ?? deed.exit.signal}` });
    }
  }

  /** The row of this look in which somebody became something else: who has the token decides from then on. */
  #turn(): number {
    const taken = this.rows.findIndex(
      (row, index) => index >= this.#seen && row.kind === 'deed' && row.text === 'takes the token',
    );
    return taken < 0 ? this.rows.length - 1 : taken;
  }

  #compareSpans(row: number | null): void {
    const world = this.#world;
    if (world === null) return;
    const now = new Set([
      ...world.workers.filter(({ isActive }) => isActive).map(({ generation }) => `worker ${generation}`),
      // Whoever has taken over is in charge before the other has heard of it: the token says so.
      ...world.supervisors
        .filter(({ context }) => context?.inCharge === true && !context.promoted)
        .slice(-1)
        .map(({ generation }) => `supervisor ${generation}`),
    ]);
    for (const key of [...this.#open.keys()]) if (!now.has(key)) this.#close(key, row);
    for (const key of now) if (!this.#open.has(key)) this.#open.set(key, row);
  }

  #close(on: string, to: number | null): void {
    const from = this.#open.get(on) ?? null;
    this.#open.delete(on);
    this.spans.push({ on, is: on.startsWith('worker') ? 'serving' : 'in charge', from, to });
  }

  #add(row: WithoutTime<Row>): void {
    if (this.#world === null || this.#beganAtMs === null) return;
    this.rows.push({ ...row, atMs: this.#world.kernel.nowMs - this.#beganAtMs } as Row);
  }
}

type WithoutTime<Value> = Value extends unknown ? Omit<Value, 'atMs'> : never;

/** @throws {Error} if the reload is not promoted, or does not end: then the machines are broken. */
export const recordReload = async (handoff: Handoff): Promise<Scene> => {
  const recorder = new Recorder();
  const settings = settingsFor(handoff);
  const world = new World({ settings, choices: new Choices(1, new Map()), watch: recorder.watch });
  const { kernel } = world;
  const until = async (isSo: () => boolean) => {
    const endMs = kernel.nowMs + LIMIT_MS;
    kernel.timer(null, LIMIT_MS + 1, () => undefined);
    while (!isSo()) {
      if (kernel.nowMs > endMs) throw new Error(`the ${handoff} reload of the diagram does not end`);
      await kernel.step();
      recorder.look();
    }
  };
  world.start();
  await until(
    () => world.supervisors[0]?.state === 'running' && world.workers.every(({ isActive }) => isActive),
  );
  recorder.begin(world);
  recorder.asked('supervisor 1', 'POST /reload');
  let outcome: unknown = null;
  world.request('POST', '/reload', { id: 'reload' }, (body) => {
    outcome = typeof body === 'object' && body !== null && 'outcome' in body ? body.outcome : body;
    recorder.answered('supervisor 1', String(outcome));
  });
  const isOver = () =>
    world.supervisors.length === 1 &&
    world.supervisors[0]?.context?.link === 'none' &&
    world.workers.length === 1;
  await until(() => outcome !== null && isOver());
  if (outcome !== 'promoted') throw new Error(`the ${handoff} reload of the diagram was ${String(outcome)}`);
  recorder.end();
  return {
    title: `A reload in ${handoff} mode`,
    lifelines: LIFELINES,
    rows: recorder.rows,
    spans: recorder.spans,
  };
};
