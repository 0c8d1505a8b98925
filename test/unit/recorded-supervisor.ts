/**
 * A supervisor whose effects do nothing, and what is recorded of it.
 */
import { type AnyActorLogic, createActor, fromCallback } from 'xstate';
import type { SupervisorEvent, WorkerEvent } from '../../machines/events.js';
import type { Settings } from '../../machines/policy.js';
import { reloadMachine } from '../../machines/reload.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { workerMachine } from '../../machines/worker.js';
import { formatEntry, type JournalEntry } from '../../src/journal/entry.js';
import { parseEntry } from '../../src/journal/parse.js';
import { createRecorder } from '../../src/journal/recorder.js';
import { Replay } from '../../src/journal/replay.js';
import { settingsWith } from '../model/settings.js';

const idle = fromCallback(() => undefined);

/** The names of a machine's effects, each with one that does nothing. */
const idleEffects = (machine: { implementations: { actors: object } }): Record<string, AnyActorLogic> =>
  Object.fromEntries(Object.keys(machine.implementations.actors).map((name) => [name, idle]));

const machine = supervisorMachine.provide({
  actors: {
    ...idleEffects(supervisorMachine),
    worker: workerMachine.provide({ actors: idleEffects(workerMachine) }),
    reloadMachine: reloadMachine.provide({ actors: idleEffects(reloadMachine) }),
    takeoverMachine: takeoverMachine.provide({ actors: idleEffects(takeoverMachine) }),
  },
});

const AT = { atMs: 9_000 };
const WHO = { slot: 1, generation: 1 };

/** Facts that bring one up to the start of its worker. */
export const STARTED: readonly SupervisorEvent[] = [
  { type: 'lock.acquired', descriptor: 5, ...AT },
  { type: 'listeners.bound', listeners: [], ...AT },
  { type: 'lifePipe.opened', write: 8, read: 9, ...AT },
  { type: 'control.claimed', path: '/run/daemon.sock', ...AT },
];

export const spawned = (pid: number): WorkerEvent => ({
  type: 'worker.spawned',
  ...WHO,
  pid,
  startTime: '1',
  channel: 3,
  ...AT,
});
export const says: WorkerEvent = { type: 'takeover.said', channel: 3, ...AT };
export const exited = (pid: number): WorkerEvent => ({
  type: 'worker.exited',
  ...WHO,
  pid,
  code: 1,
  signal: null,
  ...AT,
});
export const fires = (alarm: 'backoff' | 'drain'): WorkerEvent => ({ type: 'alarm.fired', alarm, ...AT });

/** One that is recorded from its start on, or later, with `record`. */
export const newSupervisor = (
  changes: Partial<Settings> = {},
  write: (entries: readonly JournalEntry[]) => void = () => undefined,
) => {
  const settings = settingsWith({ handoff: 'overlap', workers: 1, anchor: false, ...changes });
  const actor = createActor(machine, {
    id: 'supervisor',
    input: {
      settings,
      version: '1.2.3',
      self: { pid: 100, startTime: '1' },
      startedAtMs: 1_000,
      hangupStops: false,
      handover: null,
    },
  });
  actor.subscribe({ error: () => undefined });
  const entries: JournalEntry[] = [];
  const recorder = createRecorder({
    generation: 1,
    pid: 100,
    tanist: '1.2.3',
    firstSeq: 1,
    now: () => 5_000,
    write: (more) => {
      entries.push(...more);
      write(more);
    },
  });
  const worker = () => actor.getSnapshot().children['worker-1'];
  return {
    actor,
    entries,
    recorder,
    record: () => recorder.attach(actor),
    start: () => actor.start(),
    send: (...events: readonly SupervisorEvent[]) => {
      for (const event of events) actor.send(event);
    },
    sendWorker: (...events: readonly WorkerEvent[]) => {
      for (const event of events) worker()?.send(event as never);
    },
  };
};

/** Entries as they come back from a file. */
export const reread = (entries: readonly JournalEntry[]): readonly JournalEntry[] =>
  entries.map((entry) => {
    const parsed = parseEntry(formatEntry(entry).trimEnd());
    if (!('entry' in parsed)) throw new Error(`not read again: ${JSON.stringify(parsed)}`);
    return parsed.entry;
  });

export const replayOf = (entries: readonly JournalEntry[]): Replay => {
  const replay = new Replay();
  for (const entry of reread(entries)) replay.add(entry);
  return replay;
};
