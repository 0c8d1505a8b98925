/**
 * The recorder: an observer of the machines that makes an entry of every event they process.
 *
 * XState tells an event when it is sent (`@xstate.event`), and the outcome when it was processed
 * (`@xstate.snapshot`, with the very same event). Machines tell each other things while they process, so outcomes
 * come inside out; events are in the order of cause and effect. An entry gets its place by the first and its content
 * by the second. All of this is one turn of the event loop, at whose end the entries are handed on.
 */
import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent, Observer } from 'xstate';
import { type ActionData, effectsOf } from './effects.js';
import {
  BEGUN,
  type Effect,
  JOURNAL_VERSION,
  type JournalEntry,
  type RecordedEvent,
  SNAPSHOT,
  stateText,
} from './entry.js';
import { MACHINES } from './machines.js';

export interface RecorderOptions {
  readonly generation: number;
  readonly pid: number;
  /** Version of the package. */
  readonly tanist: string;
  /** The number of the first entry. */
  readonly firstSeq: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes entries in their order. */
  readonly write: (entries: readonly JournalEntry[]) => void;
}

export interface Recorder {
  /**
   * Watches a supervisor and the machines it starts: best before it is started. Returns what ends it; whoever begins
   * again leaves out a number, for what was not seen.
   */
  attach(supervisor: AnyActorRef): () => void;
  /** The whole state of every machine that lives, as entries: a replay can begin with them. */
  snapshots(cause: SnapshotCause, fields?: object): readonly JournalEntry[];
  /** Hands on what has been processed. Called at the end of each turn; call it before the process exits. */
  flush(): void;
}

/** Why snapshots were written. */
export type SnapshotCause = 'attached' | 'rested' | 'rotated' | 'resumed' | 'reopened';

/** An event on its way through a machine. */
interface Pending {
  readonly actor: AnyActorRef;
  readonly event: RecordedEvent;
  readonly atMs: number;
  outcome: Outcome | null;
}

type Outcome = Pick<JournalEntry, 'from' | 'to' | 'effects' | 'status' | 'error'>;

/** What is known of one machine that lives. */
interface Watched {
  state: string | null;
  /** Sent to it, and not processed yet. */
  readonly queue: Pending[];
  /** Asked for while it processes the event it is at. */
  actions: ActionData[];
}

const unborn = (): Watched => ({ state: null, queue: [], actions: [] });

const machineNameOf = (actor: AnyActorRef): string | null => {
  const id = (actor as { logic?: { id?: unknown } }).logic?.id;
  return typeof id === 'string' && Object.hasOwn(MACHINES, id) ? id : null;
};

const snapshotOf = (actor: AnyActorRef): AnyMachineSnapshot => actor.getSnapshot() as AnyMachineSnapshot;

/** Many events have the same millisecond. */
const createClockText = (): ((atMs: number) => string) => {
  let [lastMs, text] = [Number.NaN, ''];
  return (atMs) => {
    if (atMs !== lastMs) [lastMs, text] = [atMs, new Date(atMs).toISOString()];
    return text;
  };
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A supervisor with its children that are machines, itself first. */
const liveMachines = (supervisor: AnyActorRef): readonly AnyActorRef[] => {
  const snapshot = snapshotOf(supervisor);
  if (snapshot.status !== 'active') return [];
  const children = Object.values(snapshot.children as Record<string, AnyActorRef | undefined>);
  const machines = children.filter(
    (child): child is AnyActorRef =>
      child !== undefined && machineNameOf(child) !== null && snapshotOf(child).status === 'active',
  );
  return [supervisor, ...machines];
};

export const createRecorder = (options: RecorderOptions): Recorder => {
  const { generation, pid, tanist, now, write } = options;
  const watched = new Map<AnyActorRef, Watched>();
  const timeText = createClockText();
  let seq = options.firstSeq;
  let pending: Pending[] = [];
  let root: AnyActorRef | null = null;
  let isDue = false;

  const open = (actor: AnyActorRef, event: RecordedEvent): Pending => {
    const entry: Pending = { actor, event, atMs: now(), outcome: null };
    pending.push(entry);
    if (!isDue) {
      isDue = true;
      queueMicrotask(flush);
    }
    return entry;
  };

  const conclude = (actor: AnyActorRef, event: RecordedEvent, snapshot: AnyMachineSnapshot): void => {
    const machine = watched.get(actor) ?? unborn();
    const place = machine.queue.findIndex((one) => one.event === event);
    // The word to stop is not sent as others are: it is seen only when it has been obeyed.
    const entry = place < 0 ? open(actor, event) : (machine.queue[place] as Pending);
    machine.queue.splice(0, place + 1);
    const to = stateText(snapshot.value);
    const effects: readonly Effect[] = effectsOf(machine.actions);
    const { status, error } = snapshot;
    entry.outcome = {
      from: machine.state,
      to,
      effects,
      ...(status === 'active' ? {} : { status }),
      ...(status === 'error' ? { error: messageOf(error) } : {}),
    };
    machine.actions = [];
    machine.state = to;
    if (status !== 'active') watched.delete(actor);
  };

  const observe = (inspection: InspectionEvent): void => {
    const actor = inspection.actorRef as AnyActorRef;
    if (inspection.type === '@xstate.event') {
      if (machineNameOf(actor) === null) return;
      const event = inspection.event as RecordedEvent;
      if (event.type === BEGUN) watched.set(actor, unborn());
      const machine = watched.get(actor);
      // Whoever has ended hears nothing any more.
      machine?.queue.push(open(actor, event));
    } else if (inspection.type === '@xstate.action') {
      watched.get(actor)?.actions.push(inspection.action as ActionData);
    } else if (inspection.type === '@xstate.snapshot' && watched.has(actor)) {
      conclude(actor, inspection.event as RecordedEvent, inspection.snapshot as AnyMachineSnapshot);
    }
  };

  /** How an entry ends whose event a machine failed with; null for one that was never delivered. */
  const failed = ({ actor }: Pending): Outcome | null => {
    const snapshot = snapshotOf(actor);
    if (snapshot.status !== 'error') return null;
    const machine = watched.get(actor);
    watched.delete(actor);
    // One event fails; what waited behind it was never processed.
    if (machine === undefined) return null;
    const to = stateText(snapshot.value);
    const effects = effectsOf(machine.actions);
    return { from: machine.state, to, effects, status: 'error', error: messageOf(snapshot.error) };
  };

  const asEntry = ({ actor, event, atMs }: Pending, outcome: Outcome): JournalEntry => ({
    seq: seq++,
    time: timeText(atMs),
    generation,
    pid,
    actor: actor.id,
    event,
    ...outcome,
    ...(event.type === BEGUN ? { machine: machineNameOf(actor) ?? '' } : {}),
    ...(event.type === BEGUN && actor === root ? { tanist, journal: JOURNAL_VERSION } : {}),
  });

  function flush(): void {
    isDue = false;
    const processed = pending;
    pending = [];
    const entries = processed.flatMap((one) => {
      const outcome = one.outcome ?? failed(one);
      return outcome === null ? [] : [asEntry(one, outcome)];
    });
    try {
      if (entries.length > 0) write(entries);
    } catch {
      // Nobody waits for this turn's end but the process itself, which an error here would end.
    }
  }

  const snapshots = (cause: SnapshotCause, fields: object = {}): readonly JournalEntry[] => {
    if (root === null) return [];
    return liveMachines(root).map((actor) => {
      const { status, value, context, children } = snapshotOf(actor);
      const state = stateText(value);
      const sources = Object.entries(children as Record<string, { readonly src?: unknown }>).map(
        ([id, child]) => [id, String(child.src)],
      );
      return {
        // No event: it is how things are after the last one.
        seq: seq - 1,
        time: new Date(now()).toISOString(),
        generation,
        pid,
        actor: actor.id,
        event: { type: SNAPSHOT, cause, ...fields },
        from: state,
        to: state,
        effects: [],
        machine: machineNameOf(actor) ?? '',
        ...(actor === root ? { tanist, journal: JOURNAL_VERSION } : {}),
        snapshot: { status, value, context, children: Object.fromEntries(sources) },
      };
    });
  };

  const observer: Observer<InspectionEvent> = {
    next: (inspection) => {
      try {
        observe(inspection);
      } catch {
        // An observer that throws would end the machine: what cannot be recorded is missing, and a replay says so.
      }
    },
  };

  return {
    attach(supervisor) {
      if (root !== null) seq += 1;
      root = supervisor;
      // For one that runs already; one that is yet to begin says so, and is known anew then.
      for (const actor of liveMachines(supervisor))
        watched.set(actor, { ...unborn(), state: stateText(snapshotOf(actor).value) });
      const { unsubscribe } = supervisor.system.inspect(observer);
      return () => {
        unsubscribe();
        watched.clear();
      };
    },
    snapshots,
    flush,
  };
};
