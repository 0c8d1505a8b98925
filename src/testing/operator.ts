/**
 * Whoever runs the daemon: starts it, reloads it, looks whether all is well, and stops it.
 */
import { isTooMuch } from '../../machines/memory.js';
import type { ReloadVerdict } from '../../machines/status.js';
import { inCharge } from './invariants.js';
import type { World } from './simulated-world.js';
import { SupervisorProcess } from './supervisor-process.js';
import type { WorkerProcess } from './worker-process.js';

/** Between two looks at a daemon that is busy. */
const LOOK_MS = 400;
/** After so many looks the next reload is asked for all the same. */
const LOOKS = 30;
/** How long a service manager waits before it starts again what has ended. */
const RESTART_MS = 250;

/** After so many starts that came to nothing somebody looks who is in the way. */
const STARTS = 10;

/** Whether an answer of the control socket is the verdict of a reload. */
export const isVerdict = (body: unknown): body is ReloadVerdict =>
  typeof body === 'object' && body !== null && 'outcome' in body && 'generation' in body;

export class Operator {
  readonly #world: World;
  readonly #reloads: number;
  /** Verdicts that were told, in order. */
  readonly verdicts: ReloadVerdict[] = [];
  /** An answer that is not what happened. */
  lie: string | null = null;
  /** It has asked for what it was to ask for. */
  isDone = false;
  #asked = 0;
  #looks = 0;
  /** Starts, one after the other, that came to nothing. */
  #starts = 0;

  constructor(world: World, reloads: number) {
    this.#world = world;
    this.#reloads = reloads;
    world.start();
    this.#later(LOOK_MS);
  }

  #later(delayMs: number): void {
    this.#world.kernel.timer(null, delayMs, () => this.#look());
  }

  #look(): void {
    const world = this.#world;
    if (world.supervisors.length === 0) {
      this.#starts += 1;
      if (this.#starts % STARTS === 0) endOrphans(world);
      world.start();
      return this.#later(RESTART_MS + LOOK_MS);
    }
    if (isSettled(world)) this.#starts = 0;
    this.#looks += 1;
    if (!isSettled(world) && this.#looks < LOOKS) return this.#later(LOOK_MS);
    if (world.successors >= this.#reloads) {
      this.isDone = true;
      return;
    }
    if (this.#looks >= LOOKS && isHopeless(world)) endHung(world, world.supervisors);
    this.#looks = 0;
    this.#asked += 1;
    this.reload();
    this.#later(LOOK_MS);
  }

  /** On the control socket, or by a signal to the pid in the pid file; without one, to who is in charge. */
  reload(): void {
    const { kernel, pidFile, settings } = this.#world;
    const id = `reload-${this.#asked}-${kernel.steps}`;
    if (settings.control !== null && !kernel.choices.chance('by-signal', 0.3)) {
      this.#world.request('POST', '/reload', { id }, (body) => this.#hear(body));
      return;
    }
    const named =
      settings.pidFile === null
        ? inCharge(this.#world)[0]?.process
        : kernel.processes.get(Number.parseInt(pidFile ?? '', 10));
    if (named?.isOurs) {
      kernel.note(() => `somebody sends SIGUSR2 to ${named.name}`);
      kernel.signal(named, 'SIGUSR2');
    }
  }

  #hear(body: unknown): void {
    if (!isVerdict(body)) return;
    const { outcome, generation, reason } = body;
    this.#world.kernel.note(() => `the verdict: generation ${generation} ${outcome} ${reason ?? ''}`);
    this.verdicts.push(body);
    const epoch = this.#world.kernel.current?.program as SupervisorProcess;
    const tried = this.#world.launched.find(
      (one) => one.generation === generation && one.options.epoch === epoch.options.epoch,
    );
    const wasInCharge = tried?.hasBeenInCharge === true;
    if (outcome === 'promoted' && !wasInCharge)
      this.lie = `generation ${generation} was said to be promoted and never was in charge`;
    if (outcome === 'rolled-back' && tried?.hasActivated !== true)
      this.lie = `generation ${generation} was said to be rolled back and has never served`;
    // A request that comes too late is told of a generation that only stops.
    if (outcome === 'refused' && reason !== 'stopped' && tried?.hasServed)
      this.lie = `generation ${generation} was said to be refused and has served`;
    if (outcome === 'refused' && reason !== 'stopped' && tried?.process.isAlive && wasInCharge)
      this.lie = `generation ${generation} was said to be refused and is in charge`;
  }
}

const isHung = ({ process, options }: SupervisorProcess): boolean =>
  process.state === 'stopped' || (options.boot === 'hang' && process.isAlive);

/** Nobody is left who could notice: those that do not hang wait for one that does. */
export const isHopeless = (world: World): boolean =>
  world.supervisors.some(isHung) &&
  world.supervisors.every((supervisor) => isHung(supervisor) || supervisor.isDoomed || !supervisor.holdsLock);

/** Workers without any supervisor that do not leave: they may hold an address that a start needs. */
export const endOrphans = (world: World): void => {
  for (const { process } of world.workers) {
    world.kernel.note(() => `— ${process.name} is in the way, and is killed`);
    world.kernel.signal(process, 'SIGKILL');
  }
};

/** As an operator ends what hangs. */
export const endHung = (world: World, programs: readonly (SupervisorProcess | WorkerProcess)[]): void => {
  for (const program of programs) {
    const { process } = program;
    if (process.state !== 'stopped' && !(program instanceof SupervisorProcess && isHung(program))) continue;
    world.kernel.note(() => `— ${process.name} hangs, and is killed`);
    world.kernel.signal(process, 'SIGKILL');
  }
};

/** One generation, every slot ready and serving, and nothing under way. */
export const isSettled = (world: World): boolean => {
  const [only, ...others] = world.supervisors;
  if (only === undefined || others.length > 0 || only.state !== 'running') return false;
  const anchor = only.context?.anchor ?? null;
  // Without its anchor it is about to stop, as soon as it hears of it.
  const isAnchored = anchor === null || world.anchors.some(({ process }) => process.pid === anchor.pid);
  return isAnchored && only.context?.link === 'none' && inCharge(world).length === 1;
};

/** What is wrong with a daemon that has come to rest; null when all is well. */
export const problemAtRest = (world: World): string | null => {
  const [only] = world.supervisors;
  if (only === undefined) return 'no supervisor is left';
  if (world.settings.pidFile !== null && world.pidFile !== `${only.process.pid}\n`)
    return `the pid file holds ${JSON.stringify(world.pidFile)}, in charge is ${only.process.name}`;
  if (world.settings.control !== null && world.controlled !== only.process)
    return `the control socket leads to ${world.controlled?.name ?? 'nobody'}, in charge is ${only.process.name}`;
  const { epoch } = only.options;
  const strays = world.workers.filter(
    // A worker that never leaves is killed by the generations after its own; a restart does not know of it.
    ({ owner, behaviour, isNobodys }) =>
      owner !== only && !isNobodys && (owner.options.epoch === epoch || behaviour.leaving !== 'never'),
  );
  const anchor = world.anchors.find(({ options }) => options.epoch === epoch)?.process.pid ?? null;
  const named = only.context?.anchor?.pid ?? null;
  if (anchor !== named) return `the anchor is ${anchor}, ${only.process.name} knows of ${named}`;
  if (strays.length > 0) return `orphans: ${strays.map(({ process }) => process.name).join(', ')}`;
  const own = world.workers.filter(({ owner }) => owner === only);
  const wanted = world.settings.workers + world.settings.standby;
  if (own.length !== wanted) return `${own.length} workers live, ${wanted} are wanted`;
  const large = own.find(({ process }) => isTooMuch(world.settings, process.memoryBytes));
  if (large !== undefined) return `${large.process.name} uses too much memory, and serves on`;
  return null;
};
