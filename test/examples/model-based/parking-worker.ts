/**
 * An extension of the shipped machine: a slot whose workers die young three times in a row is parked for a minute.
 *
 * tanist itself tries on, with a wait that grows to the respawn delay. Whoever pays for each start (a licence, a warm
 * cache) may want this instead. The worker's machine gets one state more; everything else is as it was.
 */
import type { SupervisorMachine, WorkerContext, WorkerMachine } from 'tanist/machines';
import { createMachine } from 'xstate';

export const YOUNG_DEATHS = 3;
export const PARKED_MS = 60_000;

/** In the words of the machine: `isAlarm`, `stay`, `leave` and `reportStopped` are its own. */
export const PARKED = {
  description: 'Three workers in a row have died young: nothing is tried for a minute.',
  invoke: { id: 'parkedAlarm', src: 'alarm', input: { alarm: 'backoff', delayMs: PARKED_MS } },
  on: {
    'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'backoff' } }, target: 'alive' },
    'worker.start': { target: 'alive', actions: 'stay' },
    'worker.drain': { target: 'stopped', actions: ['leave', 'reportStopped'] },
    'worker.kill': { target: 'stopped', actions: ['leave', 'reportStopped'] },
  },
} as const;

/** The same as it was first written, with a mistake in it: "an empty slot has nothing to drain". */
export const FORGETFUL = {
  ...PARKED,
  on: { 'alarm.fired': PARKED.on['alarm.fired'], 'worker.start': PARKED.on['worker.start'] },
} as const;

const diesYoung = ({ context }: { context: WorkerContext }): boolean => context.youngDeaths >= YOUNG_DEATHS;

/** The worker's machine with one state more. Its effects stay those that it was provided with. */
export const parking = (machine: WorkerMachine, parked: object = PARKED): WorkerMachine => {
  const { states } = machine.config;
  const backoff = { ...states?.backoff, always: { guard: diesYoung, target: 'parked' } };
  const config = { ...machine.config, states: { ...states, backoff, parked } };
  // XState knows the types of a configuration that is written down in one place, not of one that is put together.
  return createMachine(config as object, machine.implementations as object) as unknown as WorkerMachine;
};

/** The supervisor's machine whose slots are parked: for `mutate` in tests, and for whoever embeds it. */
export const withParking = (machine: SupervisorMachine, parked: object = PARKED): SupervisorMachine =>
  machine.provide({
    actors: { worker: parking(machine.implementations.actors.worker as WorkerMachine, parked) },
  });
