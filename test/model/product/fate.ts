/**
 * What nobody wants: each costs one of a number of faults. And what people ask for at any time.
 */

import { dies } from './ends.js';
import { OF_SLOT, RELOAD, STOP, UNSPAWNED } from './facts.js';
import type { Kernel } from './kernel.js';
import type { Propose } from './moves.js';
import { ACTIVE, EXITED, HANGING, HUNG_NEW, IDLE, NEW, NONE, withWorker, workerAt } from './workers.js';
import {
  ALIVE,
  ANCHOR,
  HUNG,
  KILLED_BY_FATE,
  mayHappen,
  type Side,
  spend,
  UNBORN,
  type World,
} from './world.js';

/** Faults of one generation. */
export const proposeFaults = (
  kernel: Kernel,
  world: World,
  side: Side,
  slots: number,
  propose: Propose,
): void => {
  const who = side === world.p ? 'P' : 'S';
  if ((side.life === ALIVE || side.life === HUNG) && mayHappen(world, 'kills'))
    propose(`${who} is killed`, (next, me) => {
      spend(next, 'kills');
      dies(next, me, KILLED_BY_FATE);
    });
  if (side.life === ALIVE && mayHappen(world, 'hangs'))
    propose(`${who} hangs`, (next, me) => {
      spend(next, 'hangs');
      me.life = HUNG;
    });
  if (side.life === HUNG)
    propose(`${who} wakes up`, (next, me) => {
      me.life = ALIVE;
      // A look spans two turns of the event loop, and each of them polls: what came meanwhile is part of it.
      if (me.inbox > 0) kernel.look(next, me);
    });
  for (let slot = 0; slot < slots; slot += 1) {
    const state = workerAt(side.workers, slot);
    if ((state === IDLE || state === ACTIVE) && mayHappen(world, 'crashes'))
      propose(`${who}'s worker ${slot + 1} crashes`, (next, me) => {
        spend(next, 'crashes');
        me.workers = withWorker(me.workers, slot, me.isGone ? NONE : EXITED);
      });
    if (HANGING[state] !== state && mayHappen(world, 'hungWorkers'))
      propose(`${who}'s worker ${slot + 1} hangs`, (next, me) => {
        spend(next, 'hungWorkers');
        me.workers = withWorker(me.workers, slot, HANGING[state] as number);
      });
    if (side.runs && (state === NEW || state === HUNG_NEW) && mayHappen(world, 'spawnFailures'))
      propose(`${who}'s worker ${slot + 1} cannot be started`, (next, me) => {
        spend(next, 'spawnFailures');
        me.workers = withWorker(me.workers, slot, NONE);
        kernel.tell(next, me, slot, OF_SLOT.unspawned);
      });
  }
  const { link, state } = kernel.processes.at(side.place);
  if (
    side.runs &&
    link === 'reload' &&
    world.other(side).life === UNBORN &&
    mayHappen(world, 'spawnFailures')
  )
    propose('S cannot be started', (next, me) => {
      spend(next, 'spawnFailures');
      kernel.tell(next, me, 'link', UNSPAWNED);
    });
  if (side.life === ANCHOR && side.asked === 0 && mayHappen(world, 'stops'))
    propose('P, the anchor, is asked to stop', (next, me) => {
      spend(next, 'stops');
      me.asked = 1;
    });
  if (side.life !== ALIVE || state === 'stopped' || state === 'failed') return;
  if (mayHappen(world, 'stops'))
    propose(`${who} is asked to stop`, (next, me) => {
      spend(next, 'stops');
      me.asked = 1;
      kernel.tell(next, me, 'supervisor', STOP);
    });
  if (mayHappen(world, 'reloads'))
    propose(`${who} is asked to reload`, (next, me) => {
      const { place } = me;
      kernel.tell(next, me, 'supervisor', RELOAD);
      if (me.place !== place) spend(next, 'reloads');
    });
};
