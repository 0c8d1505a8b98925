/**
 * What must hold in every state, and what it means that everything has come right.
 */
import type { Kernel } from './kernel.js';
import type { Service } from './machines.js';
import type { PlaceInfo } from './processes.js';
import { ACTIVE, EXITED, HUNG_ACTIVE, HUNG_NEW, isActive, isHung, NONE, some, workerAt } from './workers.js';
import {
  ALIVE,
  DYING,
  HUNG,
  KILLED_BY_FATE,
  KILLED_BY_OTHER,
  PID_OF_P,
  PID_OF_S,
  type Side,
  TOLD_REFUSED,
  UNBORN,
  type World,
} from './world.js';

const isAround = ({ life }: Side): boolean => life === ALIVE || life === HUNG || life === DYING;

/** It acts as if the daemon were its own: no other generation has a say. */
const owns = ({ link, inCharge, promoted }: PlaceInfo): boolean => link === 'none' && inCharge && !promoted;

/** Some worker serves, or one is on its way. */
const provides = (side: Side, { wanted }: PlaceInfo): boolean =>
  wanted.some((isWanted, slot) => {
    const state = workerAt(side.workers, slot);
    return isWanted ? !isHung(state) : state === ACTIVE || state === EXITED;
  });

/** A stop was asked for, here or there, or is known of. */
const isStopping = ({ p, s }: World, of: (side: Side) => PlaceInfo): boolean =>
  p.asked + s.asked > 0 || [p, s].some((side) => isAround(side) && of(side).stopping);

/** The last one that went did not go of a fault, or because it was told to. */
const isDeserted = ({ p, s }: World): boolean => {
  const killed = [p, s].filter(({ life }) => life === KILLED_BY_OTHER).length;
  const byFate = [p, s].filter(({ life }) => life === KILLED_BY_FATE).length;
  if (killed + byFate === 2) return byFate === 0;
  // One went in order: nothing but a fault may end the other.
  return !(s.life === KILLED_BY_FATE || (s.life === UNBORN && p.life === KILLED_BY_FATE));
};

/** @returns what is wrong, each with the guarantee it belongs to. */
export const problemsOf = (kernel: Kernel, service: Service, world: World): readonly string[] => {
  const { p, s } = world;
  const problems: string[] = [];
  const of = (side: Side): PlaceInfo => kernel.processes.at(side.place);
  const must = (truth: boolean, words: string) => {
    if (!truth) problems.push(words);
  };
  const both = isAround(p) && isAround(s);
  must(!both || !owns(of(p)) || !of(s).inCharge, 'G1: both are in charge');
  for (const side of [p, s])
    must(
      world.released === 0 || !isAround(side) || !owns(of(side)) || of(side).state.startsWith('stop'),
      'G1: it serves, and has no lock',
    );
  for (const [side, pid] of [
    [p, PID_OF_P],
    [s, PID_OF_S],
  ] as const)
    if (isAround(side) && owns(of(side)) && !of(side).state.startsWith('stop'))
      must(world.pid === pid, 'G1: the pid file names somebody else than who is in charge');
  if (service.handoff === 'exclusive')
    must(
      !some(p.workers, isActive) || !some(s.workers, isActive),
      'G3: workers of both generations are active',
    );
  const stops = isStopping(world, of);
  if (service.handoff === 'overlap' && !stops) {
    const judged = [p, s].filter((side) => side.life === ALIVE && of(side).inCharge && !of(side).promoted);
    const isHelped = [p, s].some((side) => isAround(side) && provides(side, of(side)));
    must(
      judged.length === 0 || isHelped || some(p.workers, isHung) || some(s.workers, isHung),
      'G2: no worker serves, and none is on its way',
    );
  }
  const gone = !isAround(p) && !isAround(s);
  // Nobody gives everything back but for a stop.
  if (gone && !stops && world.released === 0)
    must(!isDeserted(world), 'G1: nobody is in charge, and nobody was told to stop');
  for (const [side, other] of [
    [p, s],
    [s, p],
  ] as const)
    if (side.life === ALIVE && other.life === HUNG && of(side).link !== 'none')
      must(hasLimit(side, of(side)), 'G6: it waits for a process that hangs, and has no limit');
  return problems;
};

/** An alarm of its own, or something that is about to happen here. */
const hasLimit = (side: Side, { alarms, awaits }: PlaceInfo): boolean =>
  alarms.length > 0 ||
  side.inbox === 1 ||
  side.words !== 0 ||
  side.charging === 1 ||
  awaits.includes(true) ||
  some(side.workers, (state) => state !== NONE && state !== ACTIVE && state !== HUNG_ACTIVE);

/** Nothing of a generation is left, but for a process that nobody had heard of when it hung at its start. */
const isCleared = (side: Side): boolean =>
  !isAround(side) && !some(side.workers, (state) => state !== NONE && state !== HUNG_NEW);

const servesAlone = (kernel: Kernel, world: World, side: Side): boolean => {
  const info = kernel.processes.at(side.place);
  if (side.life !== ALIVE || info.state !== 'running' || !owns(info)) return false;
  if (some(side.workers, (state) => state !== ACTIVE && state !== HUNG_ACTIVE)) return false;
  const other = world.other(side);
  // It has said that it stays as the anchor, and hangs before it is one: an anchor that hangs passes nothing on.
  const isAnchor =
    other.life === HUNG && kernel.processes.at(other.place).linkState === 'leaving.introducing';
  if (!isAnchor && !(isCleared(other) && other.asked === 0)) return false;
  if (side.asked === 1) return false;
  return side === world.s || side.told === TOLD_REFUSED;
};

/** All has come right, or nobody is left who could do anything about it. */
export const isSettled = (kernel: Kernel, world: World): boolean => {
  const { p, s } = world;
  if (servesAlone(kernel, world, p) || servesAlone(kernel, world, s)) return true;
  if (!isAround(p) && !isAround(s)) {
    // Without a supervisor a worker that hangs stays, until somebody ends it: a limit that is documented.
    const left = (state: number) => state !== NONE && !isHung(state);
    return !some(p.workers, left) && !some(s.workers, left);
  }
  // Whoever may decide hangs, and nobody else may: another one, if there is one, has failed.
  const isAlone = (side: Side) => side.life === HUNG && !isAround(world.other(side));
  if (isAlone(p) || isAlone(s)) return true;
  return p.life === HUNG && s.life === ALIVE && kernel.processes.at(s.place).linkState.startsWith('doomed');
};
