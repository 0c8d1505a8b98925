/**
 * Counts what happens to a supervisor: an observer of its machines, like the log.
 *
 * What is counted goes from generation to generation. A reload is counted by whoever serves when it is decided, so
 * that each is counted once: a promoted one by the successor, any other by the generation that goes on. The workers
 * of a predecessor drain when its successor is in charge already, which therefore counts them too.
 */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { type Counters, noCounters, observed } from '../../machines/counters.js';
import type { Identity, SupervisorEvent, TakeoverEvent } from '../../machines/events.js';
import type { ReloadVerdict } from '../../machines/status.js';
import type { SupervisorContext } from '../../machines/supervisor.js';

export interface TallyOptions {
  readonly before: Counters | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Tally {
  readonly counters: () => Counters;
  /** For `system.inspect()`. Never throws. */
  readonly observe: (inspection: InspectionEvent) => void;
}

const contextOf = (actor: AnyActorRef): SupervisorContext =>
  (actor.getSnapshot() as { context: SupervisorContext }).context;

/** A verdict has no identity but what it says: requests that join it later change its ids. */
const keyOf = (verdict: ReloadVerdict | null): string =>
  verdict === null ? '' : `${verdict.generation} ${verdict.outcome} ${verdict.at}`;

export const createTally = ({ before, now }: TallyOptions): Tally => {
  let counters = before ?? noCounters();
  let known = '';
  /** When each worker that leaves was asked to, by its pid. */
  const leaving = new Map<number, number>();
  /** The same for workers of the predecessor. */
  const others = new Map<number, number>();

  const drained = (from: Map<number, number>, pid: number): void => {
    const askedAtMs = from.get(pid);
    if (askedAtMs === undefined) return;
    from.delete(pid);
    counters = { ...counters, drainMs: observed(counters.drainMs, Math.max(0, now() - askedAtMs)) };
  };

  const count = (event: SupervisorEvent, { slots }: SupervisorContext): void => {
    switch (event.type) {
      case 'worker.spawned': {
        const record = slots.find(({ slot }) => slot === event.slot);
        // A standby has no slot before it takes one; whoever is to take that of another is beside it when it is started.
        if (record === undefined || record.startedAtMs === null) return;
        counters = { ...counters, respawns: counters.respawns + 1 };
        return;
      }
      case 'worker.promoted':
        counters = { ...counters, respawns: counters.respawns + 1 };
        return;
      case 'worker.draining':
        leaving.set(event.pid, now());
        return;
      case 'worker.exited':
        return drained(leaving, event.pid);
      case 'takeover.committed':
        return leaveOthers();
      case 'predecessor.gone':
        for (const pid of [...others.keys()]) drained(others, pid);
    }
  };

  let predecessors: readonly Identity[] = [];
  const leaveOthers = (): void => {
    for (const { pid } of predecessors) if (!others.has(pid)) others.set(pid, now());
  };

  /** The predecessor names its workers whenever they change. */
  const countOther = (event: TakeoverEvent, workers: readonly Identity[]): void => {
    if (event.type === 'predecessor.workers') {
      const live = new Set(event.workers.map(({ pid }) => pid));
      for (const pid of [...others.keys()]) if (!live.has(pid)) drained(others, pid);
      predecessors = event.workers;
    } else if (event.type === 'predecessor.draining') {
      predecessors = workers;
      leaveOthers();
    } else if (predecessors.length === 0) predecessors = workers;
  };

  const decide = ({ lastReload, promoted }: SupervisorContext): void => {
    const key = keyOf(lastReload);
    if (lastReload === null || key === known) return;
    known = key;
    // The successor counts its own promotion, or dies, and then it was none.
    if (promoted) return;
    const { outcome, durationMs } = lastReload;
    const reloads = { ...counters.reloads, [outcome]: counters.reloads[outcome] + 1 };
    counters = { ...counters, reloads, reloadMs: observed(counters.reloadMs, durationMs) };
  };

  const look = (inspection: InspectionEvent): void => {
    const actor = inspection.actorRef as AnyActorRef;
    if (actor.id === 'supervisor') {
      if (inspection.type === '@xstate.event') count(inspection.event as SupervisorEvent, contextOf(actor));
      else if (inspection.type === '@xstate.snapshot') decide(contextOf(actor));
    } else if (actor.id === 'takeover' && inspection.type === '@xstate.event') {
      const { context } = actor.getSnapshot() as { context: { workers: readonly Identity[] } };
      countOther(inspection.event as TakeoverEvent, context.workers);
    }
  };

  return {
    counters: () => counters,
    observe: (inspection) => {
      try {
        look(inspection);
      } catch {
        // An observer that throws would end the machine: a number is not worth the service.
      }
    },
  };
};
