/**
 * Runs a journal through the machines as they are shipped, as pure functions, and says where it differs.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
  initialTransition,
  transition,
} from 'xstate';
import { type ActionData, effectsOf } from './effects.js';
import { asRecorded, BEGUN, type JournalEntry, type RecordedSnapshot, SNAPSHOT, stateText } from './entry.js';
import { isSame } from './equality.js';
import { machineFor } from './machines.js';

/** Where a journal and the machine do not agree. */
export interface Difference {
  readonly seq: number;
  readonly generation: number;
  readonly pid: number;
  readonly actor: string;
  /** Type of the event. */
  readonly event: string;
  /** What differs. `machine`: this tanist has none of that name; `error`: it cannot process the event at all. */
  readonly what: 'state' | 'effects' | 'status' | 'context' | 'machine' | 'error';
  /** As it was recorded. */
  readonly expected: unknown;
  /** As the machine does it now. */
  readonly found: unknown;
}

/** One supervisor process, as far as it was recorded. */
export interface Recording {
  readonly generation: number;
  readonly pid: number;
  /** The tanist that wrote it; null where its beginning is missing. */
  tanist: string | null;
  readonly firstSeq: number;
  lastSeq: number;
  /** Events that were run through the machine. */
  events: number;
  /** Snapshots that a replay could begin with. */
  snapshots: number;
  /** Events of machines whose beginning is missing: nothing can be said about them. */
  unknown: number;
  /** Events behind the first difference of a machine: they would all differ. */
  skipped: number;
  /** Places where numbers are missing: the last before and the first behind. */
  readonly gaps: { readonly after: number; readonly before: number }[];
  /** The machines, by actor, as they are now. */
  readonly machines: Map<string, Replayed>;
  /** A machine that failed while it was recorded, in its own words. */
  error: string | null;
}

/** A machine in the middle of its replay; null where it cannot be known. */
export interface Replayed {
  readonly machine: AnyStateMachine;
  readonly snapshot: AnyMachineSnapshot | null;
}

interface Found {
  readonly snapshot: AnyMachineSnapshot;
  readonly actions: readonly ActionData[];
}

const asFound = ([snapshot, actions]: readonly [unknown, readonly unknown[]]): Found => ({
  snapshot: snapshot as AnyMachineSnapshot,
  actions: actions as readonly ActionData[],
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A machine as it was, with children that do nothing. */
const restore = (machine: AnyStateMachine, recorded: RecordedSnapshot): AnyMachineSnapshot => {
  const children = Object.entries(recorded.children).map(([id, src]) => [
    id,
    { src, snapshot: { status: 'active', input: undefined }, syncSnapshot: false },
  ]);
  const { status, value, context } = recorded;
  const persisted = { status, value, context, historyValue: {}, children: Object.fromEntries(children) };
  return createActor(machine, { snapshot: persisted as never, input: undefined as never }).getSnapshot();
};

export class Replay {
  /** In the order in which they began. */
  readonly recordings: Recording[] = [];
  readonly differences: Difference[] = [];
  readonly #current = new Map<string, Recording>();

  /** Runs one more entry. Entries of one supervisor have to come in their order. */
  add(entry: JournalEntry): void {
    const recording = this.#recordingOf(entry);
    if (entry.tanist !== undefined) recording.tanist = entry.tanist;
    this.#notice(recording, entry);
    if (entry.event.type === SNAPSHOT) this.#adopt(recording, entry);
    else if (entry.event.type === BEGUN) this.#begin(recording, entry);
    else this.#step(recording, entry);
    if (entry.status !== undefined) recording.machines.delete(entry.actor);
    if (entry.error !== undefined) recording.error ??= entry.error;
  }

  /** A supervisor that begins is a new recording, even if its pid was somebody's before. */
  #recordingOf({ pid, generation, seq, event, actor }: JournalEntry): Recording {
    const key = `${pid} ${generation}`;
    const known = this.#current.get(key);
    if (known !== undefined && !(event.type === BEGUN && actor === 'supervisor')) return known;
    const made: Recording = {
      generation,
      pid,
      tanist: null,
      firstSeq: seq,
      lastSeq: event.type === SNAPSHOT ? seq : seq - 1,
      events: 0,
      snapshots: 0,
      unknown: 0,
      skipped: 0,
      gaps: [],
      machines: new Map(),
      error: null,
    };
    this.recordings.push(made);
    this.#current.set(key, made);
    return made;
  }

  /** Lines that are missing: what the machines did meanwhile is not known until the next snapshot. */
  #notice(recording: Recording, { seq, event }: JournalEntry): void {
    const next = event.type === SNAPSHOT ? recording.lastSeq : recording.lastSeq + 1;
    if (seq !== next) {
      recording.gaps.push({ after: recording.lastSeq, before: seq });
      recording.machines.clear();
    }
    recording.lastSeq = seq;
  }

  #begin(recording: Recording, entry: JournalEntry): void {
    const machine = this.#machineOf(entry);
    if (machine === null) return;
    recording.events += 1;
    this.#compare(recording, entry, machine, () =>
      asFound(initialTransition(machine, entry.event.input as never)),
    );
  }

  #adopt(recording: Recording, entry: JournalEntry): void {
    const machine = this.#machineOf(entry);
    const recorded = entry.snapshot;
    if (machine === null || recorded === undefined) return;
    const known = recording.machines.get(entry.actor)?.snapshot ?? null;
    if (known !== null) {
      const context = asRecorded(known.context);
      if (!isSame(known.value, recorded.value))
        this.#differ(entry, 'state', entry.to, stateText(known.value));
      else if (!isSame(context, recorded.context)) this.#differ(entry, 'context', recorded.context, context);
    }
    const restored = restore(machine, recorded);
    recording.snapshots += 1;
    // A state that the machine does not have: nobody can go on from there.
    const isStrange = restored.status === 'error';
    if (isStrange) this.#differ(entry, 'error', entry.to, messageOf(restored.error));
    recording.machines.set(entry.actor, { machine, snapshot: isStrange ? null : restored });
  }

  #step(recording: Recording, entry: JournalEntry): void {
    const known = recording.machines.get(entry.actor);
    if (known === undefined) {
      recording.unknown += 1;
      return;
    }
    const { machine, snapshot } = known;
    if (snapshot === null) {
      recording.skipped += 1;
      return;
    }
    recording.events += 1;
    // A machine that failed is recorded with what it had done until then.
    if (entry.error !== undefined) return;
    this.#compare(recording, entry, machine, () =>
      asFound(transition(machine, snapshot, entry.event as EventObject)),
    );
  }

  #compare(recording: Recording, entry: JournalEntry, machine: AnyStateMachine, run: () => Found): void {
    let found: Found;
    try {
      found = run();
    } catch (error) {
      // A recording may be anything: a machine that cannot take it has said so.
      this.#differ(entry, 'error', entry.to, messageOf(error));
      recording.machines.set(entry.actor, { machine, snapshot: null });
      return;
    }
    const { snapshot, actions } = found;
    const [state, status] = [stateText(snapshot.value), snapshot.status];
    const effects = asRecorded(effectsOf(actions));
    const before = this.differences.length;
    if (status === 'error' && entry.status !== 'error')
      this.#differ(entry, 'error', entry.to, messageOf(snapshot.error));
    else if (state !== entry.to) this.#differ(entry, 'state', entry.to, state);
    else if (status !== (entry.status ?? 'active'))
      this.#differ(entry, 'status', entry.status ?? 'active', status);
    else if (!isSame(effects, entry.effects)) this.#differ(entry, 'effects', entry.effects, effects);
    const agrees = this.differences.length === before;
    recording.machines.set(entry.actor, { machine, snapshot: agrees ? snapshot : null });
  }

  #machineOf(entry: JournalEntry): AnyStateMachine | null {
    const name = entry.machine ?? '';
    const machine = machineFor(name);
    if (machine === undefined) this.#differ(entry, 'machine', name, null);
    return machine ?? null;
  }

  #differ(
    { seq, generation, pid, actor, event }: JournalEntry,
    what: Difference['what'],
    expected: unknown,
    found: unknown,
  ): void {
    this.differences.push({ seq, generation, pid, actor, event: event.type, what, expected, found });
  }
}
