/**
 * Every place that a supervisor of this service can be in, with what the rest of the model has to know of it.
 */
import { alarmsOf, begin, type PlainEvent } from '../../../src/testing/drive.js';
import { alarmFired, CLAIMED, fact, OF_SLOT, pidOf } from './facts.js';
import {
  inputOfFirst,
  inputOfSuccessor,
  type Machines,
  machinesOf,
  type Service,
  type Shipped,
} from './machines.js';
import { type Body, type Effect, type Link, type Outcome, type Recipient, Switchboard } from './process.js';

/** An alarm that is armed in some machine of a supervisor. */
export interface Armed {
  readonly to: Recipient;
  readonly alarm: string;
  readonly event: PlainEvent;
}

export interface PlaceInfo {
  readonly body: Body;
  /** State of the supervisor's machine, and of the one that links it. */
  readonly state: string;
  readonly linkState: string;
  readonly link: Link;
  readonly inCharge: boolean;
  readonly promoted: boolean;
  /** A stop was asked for, or something failed that ends it. */
  readonly stopping: boolean;
  readonly retiring: boolean;
  readonly alarms: readonly Armed[];
  /** By slot: a process that is there now is waited for to say that it is ready. */
  readonly awaits: readonly boolean[];
  /** By slot: it is filled, or will be. */
  readonly wanted: readonly boolean[];
  /** By slot: a number that is equal for slots that nothing can tell apart. */
  readonly classes: readonly number[];
}

/** Mentions a worker's silence in the log, and changes nothing. */
const ONLY_TOLD = 'silence';

export class Processes {
  readonly #machines: Machines;
  readonly #shipped: Shipped;
  readonly #service: Service;
  readonly #infos: PlaceInfo[] = [];
  readonly #places = new Map<string, number>();
  readonly #taken = new Map<number, Outcome>();
  readonly #events = new Map<PlainEvent, number>();
  readonly #classes = new Map<string, number>();
  readonly #exchanged = new Map<number, number>();

  constructor(shipped: Shipped, service: Service) {
    this.#machines = machinesOf(shipped);
    this.#shipped = shipped;
    this.#service = service;
  }

  get count(): number {
    return this.#infos.length;
  }

  at(place: number): PlaceInfo {
    return this.#infos[place] as PlaceInfo;
  }

  /** A first generation whose workers all serve, right before anybody asks for a reload. */
  running(): number {
    const machine = this.#switchboard({ supervisor: 0, link: 'none', linked: 0, slots: [] });
    machine.begin(begin(this.#machines.childless, inputOfFirst(this.#service)));
    machine.deliver('supervisor', fact('lock.acquired', { descriptor: 4 }));
    machine.deliver('supervisor', fact('fence.acquired', { descriptor: 9 }));
    machine.deliver('supervisor', fact('listeners.bound', { listeners: [] }));
    machine.deliver('supervisor', fact('lifePipe.opened', { write: 6, read: 7 }));
    machine.deliver('supervisor', fact('service.prepared', { descriptor: 10 }));
    machine.deliver('supervisor', CLAIMED);
    for (let slot = 0; slot < this.#service.workers; slot += 1) {
      machine.deliver(slot, OF_SLOT.spawned);
      machine.deliver(slot, OF_SLOT.asks);
    }
    return this.#enter(machine).place;
  }

  /** A successor right after its start. */
  successor(): Outcome {
    const machine = this.#switchboard({ supervisor: 0, link: 'none', linked: 0, slots: [] });
    machine.begin(begin(this.#machines.childless, inputOfSuccessor(this.#service)));
    return this.#enter(machine);
  }

  /** Its link has gone on to where an alarm is armed. */
  setsAlarm(before: number, after: number): boolean {
    if (before === after) return false;
    const { body, alarms } = this.at(after);
    return body.linked !== this.at(before).body.linked && alarms.some(({ to }) => to === 'link');
  }

  /** Something depends on the control path being taken: elsewhere its answer changes nothing. */
  awaitsClaim(place: number): boolean {
    const { link, state } = this.at(place);
    return link === 'takeover' || state === 'handoff.reclaiming';
  }

  next(place: number, to: Recipient, event: PlainEvent): Outcome {
    const key = (place * 8 + recipientNumber(to)) * 64 + this.#numberOf(event);
    const known = this.#taken.get(key);
    if (known !== undefined) return known;
    const machine = this.#switchboard(this.at(place).body);
    machine.deliver(to, event);
    const made = this.#enter(machine);
    this.#taken.set(key, made);
    return made;
  }

  /** The same place with a slot and the next one exchanged. */
  exchanged(place: number, slot: number): number {
    const key = place * 8 + slot;
    const known = this.#exchanged.get(key);
    if (known !== undefined) return known;
    const { body } = this.at(place);
    const step = this.#machines.supervisor.at(body.supervisor);
    const order = body.slots.map((_, to) => (to === slot ? slot + 1 : to === slot + 1 ? slot : to));
    const slots = order.map((from, to) => {
      const record = step.context.slots[from] as (typeof step.context.slots)[number];
      return { ...record, slot: to + 1, place: to + 1, pid: record.pid === null ? null : pidOf(to + 1) };
    });
    const context = { ...step.context, slots };
    const snapshot = Object.assign(Object.create(Object.getPrototypeOf(step.snapshot)), step.snapshot, {
      context,
    });
    const { place: supervisor } = this.#machines.supervisor.enter({ ...step, context, snapshot });
    const made = this.#placeOf({
      ...body,
      supervisor,
      slots: order.map((from) => body.slots[from] as number),
    });
    this.#exchanged.set(key, made);
    return made;
  }

  #switchboard(body: Body): Switchboard {
    return new Switchboard(this.#machines, this.#shipped, body);
  }

  #enter({ supervisor, link, linked, slots, effects }: Switchboard): Outcome {
    return {
      place: this.#placeOf({ supervisor, link, linked, slots }),
      effects: effects as readonly Effect[],
    };
  }

  #placeOf(body: Body): number {
    const key = `${body.supervisor} ${body.link} ${body.linked} ${body.slots.join()}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#infos.length);
    this.#infos.push(this.#infoOf(body));
    return this.#infos.length - 1;
  }

  #numberOf(event: PlainEvent): number {
    const known = this.#events.get(event);
    if (known !== undefined) return known;
    if (this.#events.size > 62) throw new Error('more kinds of events than there is room for');
    this.#events.set(event, this.#events.size + 1);
    return this.#events.size;
  }

  #infoOf(body: Body): PlaceInfo {
    const { supervisor, worker } = this.#machines;
    const own = supervisor.at(body.supervisor);
    const linked = body.link === 'none' ? null : this.#machines[body.link].at(body.linked);
    const slots = body.slots.map((place) => worker.at(place));
    const armed = (to: Recipient, step: { readonly snapshot: unknown }): readonly Armed[] =>
      alarmsOf(step)
        .filter(({ alarm }) => alarm !== ONLY_TOLD)
        .map(({ alarm }) => ({ to, alarm, event: alarmEvent(alarm) }));
    return {
      body,
      state: own.state,
      linkState: linked?.state ?? '',
      link: body.link,
      inCharge: own.context.inCharge,
      promoted: own.context.promoted,
      stopping: own.context.stops > 0 || own.context.failure !== null,
      retiring: own.context.retiring,
      alarms: [
        ...armed('supervisor', own),
        ...(linked === null ? [] : armed('link', linked)),
        ...slots.flatMap((step, slot) => armed(slot, step)),
      ],
      awaits: slots.map(({ state }) => state === 'alive.living.booting.starting'),
      wanted: slots.map(
        ({ state, context }) => (context.wanted || !context.leaving) && !['stopped', 'held'].includes(state),
      ),
      classes: slots.map((_, slot) => this.#classOf(body, slot)),
    };
  }

  #classOf({ supervisor, slots }: Body, slot: number): number {
    const record = this.#machines.supervisor.at(supervisor).context.slots[slot];
    const key = `${slots[slot]} ${record?.state} ${record?.pid === null}`;
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    this.#classes.set(key, this.#classes.size);
    return this.#classes.size - 1;
  }
}

const recipientNumber = (to: Recipient): number => {
  if (to === 'supervisor') return 0;
  return to === 'link' ? 1 : to + 2;
};

const ALARMS = new Map<string, PlainEvent>();
/** One object for each alarm: events are known by identity. */
const alarmEvent = (alarm: string): PlainEvent => {
  const known = ALARMS.get(alarm) ?? alarmFired(alarm);
  ALARMS.set(alarm, known);
  return known;
};
