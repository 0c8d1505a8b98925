/**
 * How a supervisor ends, and what it must not leave behind or have said before.
 */
import type { Processes } from './processes.js';
import { lives, orphaned, some } from './workers.js';
import {
  ENDED_IN_ORDER,
  HUNG,
  KILLED_BY_FATE,
  KILLED_BY_OTHER,
  type Side,
  TOLD_NOTHING,
  UNBORN,
  type World,
  wordsOf,
} from './world.js';

/** The process is gone, and what it held with it. What it said stays to be read. */
export const dies = (world: World, side: Side, life: number): void => {
  // Whoever asked it for a stop sees it die, and has to ask again. So does who asked one that was killed for its
  // silence: it hung, was about to take charge, or had just woken up, and could not say that it was asked.
  const isLate = wordsOf(side.words).includes('committed');
  const wasSilent = side.life === HUNG || side.charging === 1 || isLate;
  if (life === KILLED_BY_FATE || (life === KILLED_BY_OTHER && wasSilent)) side.asked = 0;
  side.life = life;
  side.place = 0;
  side.workers = orphaned(side.workers);
  side.words = 0;
  side.inbox = 0;
  side.charging = 0;
  side.sawEnd = 0;
  side.sawDeparture = 0;
  side.told = TOLD_NOTHING;
  if (world.p.isGone) world.s.committed = 0;
};

const isThere = (side: Side): boolean => !side.isGone && side.life !== UNBORN;

/** What the requester of a reload is told must be so. */
export const answerProblems = ({ s }: World, outcome: string): readonly string[] => {
  if (outcome === 'promoted')
    return s.committed === 0 ? ['G5: promoted, and the successor has not taken charge'] : [];
  return isThere(s) ? [`G5: ${outcome}, and the successor lives`] : [];
};

/** The lock goes last: as soon as it is free, a stranger may start. */
export const releaseProblems = (world: World, side: Side, processes: Processes): readonly string[] => {
  const peer = world.other(side);
  if (!isThere(peer)) return [];
  // An empty process that only has to exit owns nothing any more.
  if (processes.at(peer.place).promoted && !some(peer.workers, lives)) return [];
  return ['G1: the lock is given back while another generation lives: a stranger may start'];
};

/** @param knows whether it was linked to no other generation before, or had seen it go. */
export const exitProblems = (world: World, side: Side, life: number, knows: boolean): readonly string[] => {
  const problems: string[] = [];
  if (some(side.workers, lives)) problems.push('G7: it ends while a worker of it lives');
  if (side === world.p && side.told === TOLD_NOTHING && world.s.life !== UNBORN)
    problems.push('G5: it ends, and the requester has no answer');
  // One that has given up waiting for the other, and has not seen it go, leaves the rest to it.
  const isLast = !isThere(world.other(side)) && (side.sawEnd === 1 || knows);
  if (life === ENDED_IN_ORDER && isLast && world.released === 0)
    problems.push('G7: the last one ends, and leaves pid file and paths behind');
  return problems;
};
