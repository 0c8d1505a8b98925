/**
 * What can happen next when nobody errs: supervisors hear, alarms fire, workers start, get ready and go.
 */

import { dies } from './ends.js';
import {
  ANCHOR_STOP,
  CLAIMED,
  DEPARTED,
  EMPTY,
  ENDED,
  EXITED_IN_ORDER,
  HEARD,
  OF_SLOT,
  SPAWNED,
  type Word,
} from './facts.js';
import type { Kernel } from './kernel.js';
import type { Safeguard } from './safeguards.js';
import {
  DRAINING,
  EXITED,
  HUNG,
  HUNG_NEW,
  IDLE,
  LEAVING,
  lives,
  NEW,
  NONE,
  some,
  withWorker,
  workerAt,
} from './workers.js';
import {
  ALIVE,
  ANCHOR,
  DYING,
  ENDED_IN_ORDER,
  KILLED_BY_OTHER,
  numberOfWords,
  type Side,
  UNBORN,
  type World,
  wordsOf,
} from './world.js';

/** Called for each: `make` changes a copy of the world. */
export type Propose = (name: string, make: (world: World, side: Side) => void) => void;

const ALARM_SAFEGUARDS: Readonly<Record<string, Safeguard>> = {
  commit: 'commitAlarm',
  leave: 'leaveAlarm',
  yield: 'yieldAlarm',
};

/** Whether the life pipe of `side` has ended, as the other one sees it. */
const hasDeparted = (kernel: Kernel, world: World, side: Side): boolean => {
  if (!side.isGone) return false;
  const isIgnored = kernel.isOff(side === world.p ? 'predecessorPipe' : 'successorPipe');
  return isIgnored || !some(side.workers, lives);
};

const slotName = (who: string, slot: number): string => `${who}'s worker ${slot + 1}`;

const proposeLink = (kernel: Kernel, world: World, side: Side, who: string, propose: Propose): void => {
  const { link } = kernel.processes.at(side.place);
  if (link === 'none') return;
  const peer = world.other(side);
  const other = who === 'P' ? 'S' : 'P';
  const [word] = wordsOf(side.words);
  if (word !== undefined)
    propose(`${who} hears ${word}`, (next, me) => {
      me.words = numberOfWords(wordsOf(me.words).slice(1));
      if (me.inbox > 1) me.inbox -= 1;
      kernel.tell(next, me, 'link', HEARD[link][word as Word] ?? EMPTY);
    });
  if (side.inbox === 1 && peer.life !== UNBORN)
    propose(`${who} has read everything that waited`, (next, me) => {
      me.inbox = 0;
      kernel.tell(next, me, 'link', EMPTY);
    });
  // The end of a socket comes behind everything that was said; the exit of a child by a way of its own.
  if (peer.isGone && side.sawEnd === 0 && (link === 'reload' || side.words === 0))
    propose(`${who} sees that ${other} is gone`, (next, me) => {
      me.sawEnd = 1;
      if (link === 'takeover' && me.inbox > 1) me.inbox -= 1;
      const isStopped = link === 'reload' && peer.life === ENDED_IN_ORDER;
      kernel.tell(next, me, 'link', isStopped ? EXITED_IN_ORDER : ENDED[link]);
    });
  if (side.sawDeparture === 0 && hasDeparted(kernel, world, peer))
    propose(`${who} sees ${other}'s life pipe end`, (next, me) => {
      me.sawDeparture = 1;
      kernel.tell(next, me, 'link', DEPARTED[link]);
    });
  if (link === 'reload' && peer.life === UNBORN)
    propose('S is started', (next, me) => {
      kernel.bear(next);
      kernel.tell(next, me, 'link', SPAWNED);
    });
};

const proposeSlot = (
  kernel: Kernel,
  side: Side,
  who: string,
  slot: number,
  awaited: boolean,
  propose: Propose,
): void => {
  const tells = (event: (typeof OF_SLOT)[keyof typeof OF_SLOT], state: number) => (next: World, me: Side) => {
    me.workers = withWorker(me.workers, slot, state);
    kernel.tell(next, me, slot, event);
  };
  const state = workerAt(side.workers, slot);
  if (state === NEW || state === HUNG_NEW)
    propose(`${slotName(who, slot)} is started`, tells(OF_SLOT.spawned, state === NEW ? IDLE : HUNG));
  if (state === IDLE && awaited) propose(`${slotName(who, slot)} says takeover`, tells(OF_SLOT.asks, IDLE));
  if (state === EXITED) propose(`${who} sees its worker ${slot + 1} exit`, tells(OF_SLOT.exited, NONE));
};

/** What one supervisor can do or learn. */
export const proposeTurns = (kernel: Kernel, world: World, side: Side, propose: Propose): void => {
  const who = side === world.p ? 'P' : 'S';
  if (side.life === DYING)
    propose(`${who} dies of the SIGKILL`, (next, me) => dies(next, me, KILLED_BY_OTHER));
  if (!side.runs) return;
  const { alarms, awaits } = kernel.processes.at(side.place);
  proposeLink(kernel, world, side, who, propose);
  for (let slot = 0; slot < awaits.length; slot += 1)
    proposeSlot(kernel, side, who, slot, awaits[slot] as boolean, propose);
  if (side.charging === 1)
    propose(`${who} has written its pid and taken the control path`, (next, me) => {
      me.charging = 0;
      kernel.tell(next, me, 'supervisor', CLAIMED);
    });
  if (
    who === 'S' &&
    world.p.life === ANCHOR &&
    world.p.asked === 1 &&
    kernel.processes.at(side.place).inCharge
  )
    propose('S is told by the anchor to stop', (next, me) => {
      next.p.asked = 0;
      me.asked = 1;
      kernel.tell(next, me, 'supervisor', ANCHOR_STOP);
    });
  // An alarm of one that was killed is seconds away, and its end is not.
  if (side.life !== ALIVE) return;
  for (const { to, alarm, event } of alarms) {
    const safeguard = ALARM_SAFEGUARDS[alarm];
    if (safeguard !== undefined && kernel.isOff(safeguard)) continue;
    if (to === 'link' && side.early === 1) continue;
    const whose = typeof to === 'number' ? slotName(who, to) : who;
    propose(`${whose}: ${alarm} alarm`, (next, me) => kernel.tell(next, me, to, event));
  }
};

/** Workers that were told to go, or that lost their supervisor, go. */
export const proposeExits = (side: Side, who: string, slots: number, propose: Propose): void => {
  for (let slot = 0; slot < slots; slot += 1) {
    const state = workerAt(side.workers, slot);
    if (state === LEAVING || state === DRAINING || (state === NEW && side.isGone))
      propose(`${slotName(who, slot)} ends`, (_, me) => {
        me.workers = withWorker(me.workers, slot, me.isGone ? NONE : EXITED);
      });
  }
};
