/**
 * What there is to measure of a supervisor.
 */
import type { Counters } from '../../machines/counters.js';
import type { Status, SupervisorState, WorkerState } from '../../machines/status.js';
import type { Family, Sample } from './exposition.js';

/** What a process uses now; null where the system does not tell. */
export interface Usage {
  readonly memoryBytes: number;
  /** Processor time since it was started, in user and system mode. */
  readonly cpuMs: number;
}

export interface Measured {
  readonly status: Status;
  readonly counters: Counters;
  /** By pid; read when it is asked for. */
  readonly usageOf: (pid: number) => Usage | null;
  /** How much later than asked a timer fired just now. */
  readonly lagMs: number;
  /** How long the event loop has been busy since the process began. */
  readonly busyMs: number;
}

const SUPERVISOR_STATES: readonly SupervisorState[] = [
  'idle',
  'running',
  'respawning',
  'reloading',
  'takeover',
  'handoff',
  'stopping',
];

const WORKER_STATES: readonly WorkerState[] = [
  'starting',
  'ready',
  'draining',
  'killing',
  'backoff',
  'stopped',
];

const SECOND_MS = 1_000;

const one = (value: number): readonly Sample[] => [{ value }];

const supervisorFamilies = ({ status, usageOf, lagMs, busyMs }: Measured): readonly Family[] => {
  const own = usageOf(status.pid);
  const { name, version, handoff } = status;
  return [
    { name: 'tanist', type: 'info', help: 'What runs.', labels: { name, version, handoff } },
    {
      name: 'tanist_generation',
      type: 'gauge',
      help: 'Number of the generation in charge.',
      samples: one(status.generation),
    },
    {
      name: 'tanist_supervisor_state',
      type: 'stateset',
      help: 'State of the supervisor.',
      states: SUPERVISOR_STATES,
      current: status.state,
    },
    {
      name: 'tanist_supervisor_start_time_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'When this generation was started, since 1970.',
      samples: one(Date.parse(status.startedAt) / SECOND_MS),
    },
    {
      name: 'tanist_supervisor_memory_bytes',
      type: 'gauge',
      unit: 'bytes',
      help: 'Resident memory of the supervisor.',
      samples: own === null ? [] : one(own.memoryBytes),
    },
    {
      name: 'tanist_supervisor_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'Processor time of this generation of the supervisor.',
      samples: own === null ? [] : one(own.cpuMs / SECOND_MS),
    },
    {
      name: 'tanist_event_loop_lag_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'How much later than asked a timer of the supervisor fired during this request.',
      samples: one(lagMs / SECOND_MS),
    },
    {
      name: 'tanist_event_loop_busy_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'How long the event loop of this generation of the supervisor has been busy.',
      samples: one(busyMs / SECOND_MS),
    },
  ];
};

const workerFamilies = ({ status: { workers }, usageOf }: Measured): readonly Family[] => {
  const used = workers.flatMap(({ slot, pid }) => {
    const usage = pid === null ? null : usageOf(pid);
    return usage === null ? [] : [{ labels: { slot }, ...usage }];
  });
  return [
    {
      name: 'tanist_workers',
      type: 'gauge',
      help: 'Workers by state.',
      samples: WORKER_STATES.map((state) => ({
        labels: { state },
        value: workers.filter((worker) => worker.state === state).length,
      })),
    },
    {
      name: 'tanist_worker_memory_bytes',
      type: 'gauge',
      unit: 'bytes',
      help: 'Resident memory of the worker in a slot.',
      samples: used.map(({ labels, memoryBytes }) => ({ labels, value: memoryBytes })),
    },
    {
      name: 'tanist_worker_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'Processor time of the worker in a slot; begins anew with each process.',
      samples: used.map(({ labels, cpuMs }) => ({ labels, value: cpuMs / SECOND_MS })),
    },
  ];
};

const countedFamilies = ({ counters }: Measured): readonly Family[] => [
  {
    name: 'tanist_worker_respawns',
    type: 'counter',
    help: 'Processes that came into a slot after its first one, in all generations.',
    samples: one(counters.respawns),
  },
  {
    name: 'tanist_reloads',
    type: 'counter',
    help: 'Reloads by outcome, in all generations.',
    samples: Object.entries(counters.reloads).map(([outcome, value]) => ({ labels: { outcome }, value })),
  },
  {
    name: 'tanist_reload_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'From the request for a reload to its verdict, in all generations.',
    histogram: counters.reloadMs,
  },
  {
    name: 'tanist_worker_drain_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'From the request to leave to the end of a worker, in all generations.',
    histogram: counters.drainMs,
  },
];

export const familiesOf = (measured: Measured): readonly Family[] => [
  ...supervisorFamilies(measured),
  ...workerFamilies(measured),
  ...countedFamilies(measured),
];
