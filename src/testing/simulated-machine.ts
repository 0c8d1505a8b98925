/**
 * The machines of the simulated supervisors, with the shipped effects.
 */
import type { Settings } from '../../machines/policy.js';
import type { Status } from '../../machines/status.js';
import type { SupervisorMachine } from '../../machines/supervisor.js';
import { provideEffects } from '../actors/provide.js';
import type { Env } from '../os/env.js';
import type { Relaunch, Program as WorkerProgram } from '../program.js';
import type { SimulatedProcess } from './process.js';
import { running } from './running.js';
import { DEAD } from './simulated-env.js';

const WORKER: WorkerProgram = {
  file: '/srv/worker.js',
  args: [],
  cwd: '/srv',
  env: {},
  setpriv: '/usr/bin/setpriv',
  preload: null,
  reporter: null,
  umask: null,
};

const RELAUNCH: Relaunch = {
  node: '/usr/bin/node',
  nodeArgs: [],
  script: '/usr/bin/tanist',
  args: ['run'],
  startDirectory: '/srv',
  env: {},
};

/** A supervisor that runs in a simulated process. */
interface Running {
  status(): Status;
  readonly options: { readonly settings: Settings };
}

export const doors = new WeakMap<SimulatedProcess, Env>();
export const supervisors = new WeakMap<SimulatedProcess, Running>();

const NOBODY = 'an effect acted outside of its process';

const supervisorNow = (): Running => {
  const supervisor = running.process === null ? undefined : supervisors.get(running.process);
  if (supervisor === undefined) throw new Error(NOBODY);
  return supervisor;
};

const door = new Proxy({} as Env, {
  get: (_, key) => {
    const { process } = running;
    const env = process === null ? undefined : process.isAlive ? doors.get(process) : DEAD;
    if (env === undefined) throw new Error(NOBODY);
    return env[key as keyof Env];
  },
});

const settings = new Proxy({} as Settings, {
  get: (_, key) => supervisorNow().options.settings[key as keyof Settings],
});

/** Makes another machine of the shipped one. */
export type Mutation = (machine: SupervisorMachine) => SupervisorMachine;
export const asShipped: Mutation = (machine) => machine;

const machines = new WeakMap<Mutation, SupervisorMachine>();

/**
 * A machine is costly to make (measured: 1.8 ms): all processes share one, as they would share the text of a program,
 * and its effects act through the door of whoever runs, by his settings.
 */
export const machineFor = (mutate: Mutation): SupervisorMachine => {
  const known = machines.get(mutate);
  if (known !== undefined) return known;
  const shipped = provideEffects(door, {
    settings,
    output: () => [1, 2],
    program: WORKER,
    relaunch: RELAUNCH,
    needs: [],
    base: '/run/daemon',
    status: () => supervisorNow().status(),
    listen: () => null,
    metrics: () => undefined,
  });
  const machine = mutate(shipped);
  machines.set(mutate, machine);
  return machine;
};
