/**
 * What must hold after every step, whoever crashes, hangs or is late. Each names the guarantee it belongs to.
 */
import { everyWorker, isEmpty } from '../../machines/supervisor/relief.js';
import { FileDescription, StreamEnd } from './descriptions.js';
import type { World } from './simulated-world.js';
import type { SupervisorProcess } from './supervisor-process.js';
import type { WorkerProcess } from './worker-process.js';

/** Something that must hold after every step. */
export interface Invariant {
  /** What it holds, in words; those of tanist begin with the number of the guarantee in ARCHITECTURE.md. */
  readonly guarantee: string;
  /** What is wrong, in words; null when all is well. */
  readonly check: (world: World) => string | null;
}

const names = (list: readonly { readonly process: { readonly name: string } }[]): string =>
  list.map(({ process }) => process.name).join(', ');

/** It has given up what it held, or is about to: its lock guards nothing any more. */
const isReleasing = (supervisor: SupervisorProcess): boolean =>
  supervisor.isOver ||
  supervisor.state === 'stopped' ||
  supervisor.state === 'failed' ||
  supervisor.isReleasing;

/** Supervisors that hold the lock and go on. */
const owners = (world: World): readonly SupervisorProcess[] =>
  world.supervisors.filter((supervisor) => !isReleasing(supervisor) && supervisor.holdsLock);

/** Supervisors that act as if the daemon were theirs alone to decide about. */
export const inCharge = (world: World): readonly SupervisorProcess[] =>
  owners(world).filter(
    ({ context, isFailing }) =>
      !isFailing && context?.inCharge && !context.promoted && context.link !== 'reload',
  );

const lockIsHeld: Invariant = {
  guarantee: 'G1: the lock is never free while a generation lives',
  check: (world) => {
    const { pidFile } = world.settings;
    if (pidFile === null) return null;
    const named = world.kernel.files.get(pidFile);
    for (const { process, context, isFailing } of owners(world)) {
      const file = process.descriptors.get(context?.lock ?? -1);
      if (!(file instanceof FileDescription)) return `${process.name} has no descriptor of the lock`;
      if (!file.inode.exclusive.has(file)) return `the lock of ${process.name} is free`;
      // One that has failed leaves the name to its successor, who may end before it.
      if (context?.promoted === false && !isFailing && file.inode !== named)
        return `${process.name} locks a file that the path does not name`;
    }
    return null;
  },
};

/** Its successor is in charge, or it has failed, and its workers are gone: it only has to exit. */
const hasFinished = ({ context, isFailing, process }: SupervisorProcess): boolean =>
  isFailing
    ? ![...process.children].some(({ isAlive }) => isAlive)
    : context?.promoted === true && isEmpty(context);

const strangersAreRefused: Invariant = {
  guarantee: 'G1: a start beside a living generation is refused',
  check: (world) => {
    const living = owners(world).filter((supervisor) => !hasFinished(supervisor));
    const epochs = new Set(living.map(({ options }) => options.epoch));
    return epochs.size > 1 ? `two daemons at once: ${names(living)}` : null;
  },
};

const oneIsInCharge: Invariant = {
  guarantee: 'G1: at most one generation is in charge',
  check: (world) => {
    const all = inCharge(world);
    return all.length > 1 ? `all in charge: ${names(all)}` : null;
  },
};

const someWorkerServes: Invariant = {
  guarantee: 'G2: overlap: some worker serves, or a respawn is under way',
  check: (world) => {
    if (world.settings.handoff !== 'overlap') return null;
    const providers = world.workers.filter(
      (worker) => worker.leaves === null && (worker.isActive || worker.isBeingAnswered),
    );
    if (providers.length > 0) return null;
    const alone = world.supervisors.filter(
      ({ context, isFailing }) => !isFailing && context?.inCharge && !context.promoted,
    );
    // Nobody is in charge: a successor finds out and takes over, or the service manager starts another.
    if (alone.length === 0 || alone.some((supervisor) => isExcused(supervisor))) return null;
    return `no worker serves and none is being started by ${names(alone)}`;
  },
};

/** It is doing something about it, or has not been told yet, or is not there to be told. */
const isExcused = (supervisor: SupervisorProcess): boolean => {
  const { context, process } = supervisor;
  if (context === null || isReleasing(supervisor) || context.stops > 0 || context.failure !== null)
    return true;
  if (!context.everReady || process.state === 'stopped' || process.killedBy !== null) return true;
  const isUnderWay = context.slots.some(({ state }) => state !== 'ready' && state !== 'stopped');
  if (isUnderWay && !context.retiring) return true;
  return [...process.children].some(
    (child) => !child.isAlive || child.state === 'stopped' || child.hadAccident,
  );
};

/** The slot a worker fills now: a standby was told of none when it was started. */
const slotNow = ({ process, owner, slot }: WorkerProcess): number =>
  (owner.context === null ? undefined : everyWorker(owner.context).find(({ pid }) => pid === process.pid))
    ?.slot ?? slot;

const standbysHelp: Invariant = {
  guarantee: 'G2: a standby that is ready fills an empty slot at once, and serves nowhere before',
  check: (world) => {
    for (const supervisor of world.supervisors) {
      const { context, state, process } = supervisor;
      if (context === null || !process.isAlive) continue;
      const isSpare = (worker: WorkerProcess) =>
        worker.owner === supervisor && context.spares.some(({ pid }) => pid === worker.process.pid);
      const early = world.workers.filter((worker) => isSpare(worker) && worker.isActive);
      if (early.length > 0) return `serves, and is a standby: ${names(early)}`;
      if (state !== 'running' && state !== 'respawning') continue;
      const isEmpty = context.slots.some((slot) => slot.state === 'backoff' && !slot.leaving);
      if (isEmpty && context.spares.some((spare) => spare.state === 'ready'))
        return `${process.name} has an empty slot, and a standby that waits`;
    }
    return null;
  },
};

const generationsAreApart: Invariant = {
  guarantee: 'G3: exclusive: workers of two generations, or of one slot, are never active together',
  check: (world) => {
    if (world.settings.handoff !== 'exclusive') return null;
    const all = world.workers.filter(({ isActive }) => isActive);
    // Without a pid file no path is shared with a start that comes later: nobody waits for what a killed one has left.
    const latest = Math.max(...world.launched.map(({ options }) => options.epoch));
    const active =
      world.settings.pidFile === null ? all.filter(({ owner }) => owner.options.epoch === latest) : all;
    const generations = new Set(active.map(({ owner }) => owner));
    const slots = new Set(active.map(slotNow));
    return generations.size > 1 || slots.size < active.length ? `active together: ${names(active)}` : null;
  },
};

const goodWorkersStay: Invariant = {
  guarantee: 'G4: a failed successor costs nothing',
  check: (world) => {
    if (world.settings.handoff !== 'overlap') return null;
    for (const { leaves, behaviour, process, owner } of world.workers) {
      if (
        leaves !== 'asked' ||
        behaviour.serving === 'floods' ||
        process.hadAccident ||
        !owner.process.isAlive
      )
        continue;
      const { context } = owner;
      if (context === null || context.promoted || context.stops > 0 || context.failure !== null) continue;
      if (owner.hasRetired || owner.isFailing) continue;
      // Another one has taken its slot, or it is not to take one any more.
      if (context.reliefs.some(({ pid }) => pid === process.pid)) continue;
      return `${process.name} was asked to leave by ${owner.process.name}, whom nobody replaces`;
    }
    return null;
  },
};

const nobodyIsKilledByHisVictim: Invariant = {
  guarantee: 'G1: one of two generations decides: they never kill each other',
  check: (world) => {
    for (const { process } of world.launched) {
      const killer = process.killedBy;
      if (
        killer !== null &&
        killer.killedBy === process &&
        killer !== process &&
        !process.isAlive &&
        !killer.isAlive
      )
        return `${process.name} and ${killer.name} killed each other`;
    }
    return null;
  },
};

const pidFileIsTrue: Invariant = {
  guarantee: 'G1: the pid file names who is in charge, and is never empty',
  check: (world) => {
    if (
      world.pidFile === '' &&
      inCharge(world).some(({ state }) => state === 'running' || state === 'respawning')
    )
      return 'the pid file is empty';
    return null;
  },
};

const signalsAreOurs: Invariant = {
  guarantee: 'G8: no signal to a process that is not provably ours',
  check: (world) => world.kernel.breaches.find((breach) => breach.startsWith('G8')) ?? null,
};

const nothingIsUncaught: Invariant = {
  guarantee: 'G7: no exception escapes from machine or effect',
  check: (world) => world.kernel.breaches.find((breach) => !breach.startsWith('G8')) ?? null,
};

const anchorsOwnNothing: Invariant = {
  guarantee: 'X17: an anchor owns its socket pair and nothing else',
  check: (world) => {
    for (const { process } of world.anchors) {
      const held = [...process.descriptors].filter(([descriptor]) => descriptor > 2);
      const others = held.filter(([, description]) => !(description instanceof StreamEnd));
      if (others.length > 0 || held.length > 1)
        return `${process.name} holds ${held.map(([descriptor]) => descriptor).join(', ')}`;
    }
    return null;
  },
};

const anchorsTellTheTruth: Invariant = {
  guarantee: 'X17: the anchor ends as the service did',
  check: (world) => {
    for (const { process, hasBeenAnchor, options } of world.launched) {
      if (!hasBeenAnchor || process.exit?.code !== 0) continue;
      const generations = world.launched.filter((one) => one.options.epoch === options.epoch);
      const last = generations.findLast((one) => one.hasBeenInCharge && !one.hasBeenAnchor);
      if (last?.process.isAlive) return `${process.name} has ended, and ${last.process.name} goes on`;
      // Killed when it had told how it ends and only gave back what it held: that was said in time.
      if (last?.isOver === true && !last.isFailing && last.context?.failure === null) continue;
      if (last?.process.exit?.code !== 0)
        return `${process.name} ended well, and ${last?.process.name} did not`;
    }
    return null;
  },
};

const anchorsEnd: Invariant = {
  guarantee: 'X17: an anchor does not outlive the service',
  check: (world) => {
    if (!world.kernel.isQuiet) return null;
    const living = new Set(world.supervisors.map(({ options }) => options.epoch));
    const left = world.anchors.filter(
      ({ options, process }) => !living.has(options.epoch) && process.state === 'running',
    );
    return left.length === 0 ? null : `${names(left)} is left`;
  },
};

const emergenciesAreOrderly: Invariant = {
  guarantee: 'G7: an emergency leaves nobody',
  check: (world) => {
    const careless = world.launched.find(({ left }) => left !== null);
    return careless === undefined ? null : `${careless.process.name} has left ${careless.left}`;
  },
};

const workersAreTheUsers: Invariant = {
  guarantee: 'S18: workers run as the user that was asked for',
  check: (world) => {
    const wanted = world.settings.account?.uid ?? 0;
    const other = world.workers.find(({ process }) => (process.account?.uid ?? 0) !== wanted);
    return other === undefined
      ? null
      : `${other.process.name} runs as user ${other.process.account?.uid ?? 0}`;
  },
};

const waitsEnd: Invariant = {
  guarantee: 'G6: nobody waits without an alarm or a living peer',
  check: (world) => {
    if (!world.kernel.isQuiet) return null;
    const supervisors = world.supervisors;
    for (const supervisor of supervisors) {
      const { process, state } = supervisor;
      if (state === null || state === 'running' || process.state !== 'running') continue;
      if (world.kernel.isArmed(process)) continue;
      const hasPeer =
        supervisors.length > 1 ||
        world.workers.some(({ owner, leaves }) => owner === supervisor && leaves === null);
      if (!hasPeer) return `${process.name} waits for nothing in ${supervisor.place}`;
    }
    return null;
  },
};

/** What holds in every world of the shipped machine, with whatever faults. */
export const INVARIANTS: readonly Invariant[] = [
  lockIsHeld,
  strangersAreRefused,
  oneIsInCharge,
  someWorkerServes,
  standbysHelp,
  generationsAreApart,
  goodWorkersStay,
  nobodyIsKilledByHisVictim,
  pidFileIsTrue,
  signalsAreOurs,
  workersAreTheUsers,
  nothingIsUncaught,
  emergenciesAreOrderly,
  waitsEnd,
  anchorsOwnNothing,
  anchorsTellTheTruth,
  anchorsEnd,
];
