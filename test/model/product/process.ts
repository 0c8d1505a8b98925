/**
 * One supervisor with everything in it: its own machine, the one that links it to another generation, and one for
 * each slot, joined as actors are. An event goes in, and the place where all of them come to rest and what they do
 * to the world come out; both are worked out once and then known by numbers.
 */
import type { WorkerInput } from '../../../machines/worker.js';
import { begin, type Order, type PlainEvent, type Spawn, type Step } from '../../../src/testing/drive.js';
import type { Reaction } from './automaton.js';
import { pidOf, SOMEBODY, type Word } from './facts.js';
import type { Machines, Shipped } from './machines.js';

export type Link = 'none' | 'reload' | 'takeover';
/** Whom an event is for: the supervisor, its link to another generation, or a slot, counted from 0. */
export type Recipient = 'supervisor' | 'link' | number;

export type Effect =
  | { readonly does: 'fork' | 'ask' | 'kill' | 'admit'; readonly slot: number }
  | { readonly does: 'say'; readonly word: Word }
  | { readonly does: 'answer'; readonly outcome: string; readonly reason: string | null }
  | {
      readonly does:
        | 'read'
        | 'take'
        | 'killPeer'
        | 'killLeftovers'
        | 'sweepLeftovers'
        | 'writePid'
        | 'claim'
        | 'release'
        | 'exit'
        | 'anchor'
        | 'startSuccessor';
    };

/** Where all machines of one supervisor are. */
export interface Body {
  readonly supervisor: number;
  readonly link: Link;
  /** Place of the machine that links it; 0 for none. */
  readonly linked: number;
  readonly slots: readonly number[];
}

export interface Outcome {
  readonly place: number;
  readonly effects: readonly Effect[];
}

const WORDS: readonly string[] = [
  'takeover',
  'activated',
  'failed',
  'committed',
  'stop',
  'granted',
  'draining',
  'drained',
  'anchored',
] satisfies Word[];

const LINK_ORDERS: Readonly<Record<string, Effect>> = {
  'inbox.read': { does: 'read' },
  'token.take': { does: 'take' },
  'successor.kill': { does: 'killPeer' },
  'predecessor.kill': { does: 'killPeer' },
  'leftovers.kill': { does: 'killLeftovers' },
};

const FACILITY_ORDERS: Readonly<Record<string, Effect>> = {
  'pid.write': { does: 'writePid' },
  'control.claim': { does: 'claim' },
  'lock.release': { does: 'release' },
};

const slotOf = (id: string): number => Number(id.slice('worker-'.length)) - 1;
const isFinal = (state: string): boolean => state === 'stopped' || state === 'failed';

/** What slot 1 of the table reports, as the slot that it stands for here. */
const renumbered = (report: PlainEvent, slot: number): PlainEvent => ({
  ...report,
  slot,
  place: slot,
  ...(typeof report.pid === 'number' ? { pid: pidOf(slot) } : {}),
});

/** Carries events between the machines of one supervisor until all of them rest. */
export class Switchboard {
  supervisor: number;
  link: Link;
  linked: number;
  readonly slots: number[];
  readonly effects: Effect[] = [];
  readonly #mail: PlainEvent[] = [];
  readonly #machines: Machines;
  readonly #shipped: Shipped;

  constructor(machines: Machines, shipped: Shipped, { supervisor, link, linked, slots }: Body) {
    this.#machines = machines;
    this.#shipped = shipped;
    this.supervisor = supervisor;
    this.link = link;
    this.linked = linked;
    this.slots = [...slots];
  }

  /** Takes the effects of the supervisor's own first step. */
  begin(step: Step<Machines['childless']>): void {
    this.#settle(this.#machines.supervisor.enter(step));
    this.#empty();
  }

  deliver(to: Recipient, event: PlainEvent): void {
    if (to === 'supervisor') this.#mail.push(event);
    else if (to === 'link') this.#toLink(event);
    else this.#toSlot(to, event);
    this.#empty();
  }

  #empty(): void {
    for (let event = this.#mail.shift(); event !== undefined; event = this.#mail.shift()) {
      this.#settle(this.#machines.supervisor.next(this.supervisor, event));
    }
  }

  #settle({ place, orders, spawned, stopped }: Reaction): void {
    const before = this.#machines.supervisor.at(this.supervisor).state;
    const { state } = this.#machines.supervisor.at(place);
    this.supervisor = place;
    if (stopped.includes('reload') || stopped.includes('takeover')) {
      this.link = 'none';
      this.linked = 0;
    }
    for (const spawn of spawned) this.#spawn(spawn);
    for (const order of orders) this.#order(order);
    if (isFinal(state) && !isFinal(before)) this.#leave('exit');
    if (state.startsWith('anchored') && !before.startsWith('anchored')) this.#leave('anchor');
  }

  #leave(does: 'exit' | 'anchor'): void {
    this.link = 'none';
    this.linked = 0;
    this.effects.push({ does });
  }

  #spawn({ id, src, input }: Spawn): void {
    if (src === 'worker') {
      // All slots are one table, so all are slot 1. Waiting for a turn is a spawn that takes longer.
      const step = begin(this.#shipped.worker, {
        ...(input as WorkerInput),
        slot: 1,
        place: 1,
        startDelayMs: 0,
      });
      this.slots[slotOf(id)] = this.#machines.worker.enter(step).place;
    } else if (src === 'reloadMachine') {
      this.link = 'reload';
      const step = begin(this.#shipped.reload, input as never);
      this.linked = this.#machines.reload.enter(step).place;
      this.effects.push({ does: 'startSuccessor' });
      this.#toLink({ type: 'successor.workers', workers: [SOMEBODY] });
    } else if (src === 'takeoverMachine') {
      this.link = 'takeover';
      this.#linkSettles(this.#machines.takeover.enter(begin(this.#shipped.takeover, input as never)));
    } else if (src === 'leftovers') this.effects.push({ does: 'sweepLeftovers' });
  }

  #order({ to, event }: Order): void {
    if (to.startsWith('worker-')) this.#toSlot(slotOf(to), event);
    else if (to === 'reload' || to === 'takeover') {
      // Who lives is known from the processes themselves.
      if (to === this.link && event.type !== 'workers.changed') this.#toLink(event);
    } else if (event.type === 'control.answer') {
      const { outcome, reason } = event.verdict as { outcome: string; reason: string | null };
      this.effects.push({ does: 'answer', outcome, reason });
    } else {
      const effect = FACILITY_ORDERS[event.type];
      if (effect !== undefined) this.effects.push(effect);
    }
  }

  #toLink(event: PlainEvent): void {
    if (this.link === 'none') return;
    this.#linkSettles(this.#machines[this.link].next(this.linked, event));
  }

  #linkSettles({ place, orders, reports }: Reaction): void {
    this.linked = place;
    for (const { event } of orders) {
      const word = event.type === 'link.say' ? (event.message as { say: string }).say : '';
      const effect = LINK_ORDERS[event.type];
      if (effect !== undefined) this.effects.push(effect);
      else if (WORDS.includes(word)) this.effects.push({ does: 'say', word: word as Word });
    }
    this.#mail.push(...reports);
  }

  #toSlot(slot: number, event: PlainEvent): void {
    const { place, orders, spawned, reports } = this.#machines.worker.next(this.slots[slot] as number, event);
    this.slots[slot] = place;
    for (const { src, input } of spawned) {
      if (src === 'fork') this.effects.push({ does: 'fork', slot });
      else if (src === 'kill')
        this.effects.push({
          does: (input as { signal: string }).signal === 'SIGKILL' ? 'kill' : 'ask',
          slot,
        });
    }
    if (orders.some(({ event: { type } }) => type === 'channel.ok'))
      this.effects.push({ does: 'admit', slot });
    for (const report of reports) this.#mail.push(renumbered(report, slot + 1));
  }
}
