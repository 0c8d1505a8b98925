/**
 * A machine as a table that fills itself: places that no event can tell apart are one, and no step is taken twice.
 */
import type { AnyStateMachine, EventFromLogic } from 'xstate';
import { after, alarmsOf, type Order, type PlainEvent, type Step } from './drive.js';

export interface Reaction {
  /** The place it leads to. */
  readonly place: number;
  readonly orders: readonly Order[];
  readonly reports: readonly PlainEvent[];
}

export interface Automaton<Machine extends AnyStateMachine> {
  readonly first: Reaction;
  readonly next: (place: number, event: PlainEvent) => Reaction;
  readonly at: (place: number) => Step<Machine>;
  readonly alarms: (place: number) => readonly string[];
}

export const automaton = <Machine extends AnyStateMachine>(
  machine: Machine,
  start: Step<Machine>,
  keyOf: (step: Step<Machine>) => string,
): Automaton<Machine> => {
  const steps: Step<Machine>[] = [];
  const alarms: (readonly string[])[] = [];
  const places = new Map<string, number>();
  const taken = new Map<string, Reaction>();
  const placeOf = (step: Step<Machine>): number => {
    const key = keyOf(step);
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, steps.length);
    steps.push(step);
    alarms.push(alarmsOf(step).map(({ alarm }) => alarm));
    return steps.length - 1;
  };
  const reaction = (step: Step<Machine>): Reaction => ({
    place: placeOf(step),
    orders: step.orders,
    reports: step.reports,
  });
  const at = (place: number): Step<Machine> => {
    const step = steps[place];
    if (step === undefined) throw new Error(`no place ${place}`);
    return step;
  };
  return {
    first: reaction(start),
    at,
    alarms: (place) => alarms[place] ?? [],
    next: (place, event) => {
      const key = `${place} ${JSON.stringify(event)}`;
      const known = taken.get(key);
      if (known !== undefined) return known;
      const step = at(place);
      const isOver = (step.snapshot as { status: string }).status !== 'active';
      const made = isOver
        ? { place, orders: [], reports: [] }
        : reaction(after(machine, step, event as EventFromLogic<Machine>));
      taken.set(key, made);
      return made;
    },
  };
};
