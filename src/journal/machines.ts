/**
 * The machines that are recorded, and replayed without what they would start.
 */
import { type AnyActorLogic, type AnyStateMachine, fromCallback } from 'xstate';
import { reloadMachine } from '../../machines/reload.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { workerMachine } from '../../machines/worker.js';

/** By the id each has: that is their name in a journal. */
export const MACHINES: Readonly<Record<string, AnyStateMachine>> = {
  supervisor: supervisorMachine,
  worker: workerMachine,
  reload: reloadMachine,
  takeover: takeoverMachine,
};

/** What the supervisor calls its children that are machines; their inputs are in their own entries. */
const CHILD_MACHINES: ReadonlySet<string> = new Set(['worker', 'reloadMachine', 'takeoverMachine']);

export const isChildMachine = (src: string): boolean => CHILD_MACHINES.has(src);

const inert = fromCallback(() => undefined);

/** The same decisions; every child is one that does nothing. */
const withoutChildren = (machine: AnyStateMachine): AnyStateMachine => {
  const names = Object.keys(machine.implementations.actors);
  const actors: Record<string, AnyActorLogic> = Object.fromEntries(names.map((name) => [name, inert]));
  return machine.provide({ actors });
};

const inertMachines = new Map<string, AnyStateMachine>();

/** The machine of that name for a replay; undefined for one that is not ours. */
export const machineFor = (name: string): AnyStateMachine | undefined => {
  const known = inertMachines.get(name);
  if (known !== undefined || !Object.hasOwn(MACHINES, name)) return known;
  const made = withoutChildren(MACHINES[name] as AnyStateMachine);
  inertMachines.set(name, made);
  return made;
};
