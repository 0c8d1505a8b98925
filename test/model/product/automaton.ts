/**
 * A machine as a table that fills itself: places that no event can tell apart are one, and no step is taken twice.
 */
import type { AnyStateMachine, EventFromLogic } from 'xstate';
import { after, type Order, type PlainEvent, type Spawn, type Step } from '../../../src/testing/drive.js';

/** Where an event leads to, and what is done on the way. */
export interface Reaction {
  readonly place: number;
  readonly orders: readonly Order[];
  readonly spawned: readonly Spawn[];
  readonly stopped: readonly string[];
  readonly reports: readonly PlainEvent[];
}

export interface Automaton<Machine extends AnyStateMachine> {
  /** The place of a step that was taken elsewhere, with its effects. */
  readonly enter: (step: Step<Machine>) => Reaction;
  readonly next: (place: number, event: PlainEvent) => Reaction;
  readonly at: (place: number) => Step<Machine>;
}

/** @param keyOf what later events can tell a step by; two steps with the same key are one place. */
export const automaton = <Machine extends AnyStateMachine>(
  machine: Machine,
  keyOf: (step: Step<Machine>) => string,
): Automaton<Machine> => {
  const steps: Step<Machine>[] = [];
  const places = new Map<string, number>();
  const taken = new Map<string, Reaction>();
  const placeOf = (step: Step<Machine>): number => {
    const key = keyOf(step);
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, steps.length);
    steps.push(step);
    return steps.length - 1;
  };
  const enter = (step: Step<Machine>): Reaction => {
    const { orders, spawned, stopped, reports } = step;
    return { place: placeOf(step), orders, spawned, stopped, reports };
  };
  const at = (place: number): Step<Machine> => {
    const step = steps[place];
    if (step === undefined) throw new Error(`no place ${place}`);
    return step;
  };
  return {
    enter,
    at,
    next: (place, event) => {
      const key = `${place} ${JSON.stringify(event)}`;
      const known = taken.get(key);
      if (known !== undefined) return known;
      const step = at(place);
      const isOver = (step.snapshot as { status: string }).status !== 'active';
      const made = isOver
        ? { place, orders: [], spawned: [], stopped: [], reports: [] }
        : enter(after(machine, step, event as EventFromLogic<Machine>));
      taken.set(key, made);
      return made;
    },
  };
};
