/**
 * Changing the number of slots while they serve: what is asked for, and whether it can be done now.
 */
import type { ScaleRequest } from '../events.js';
import { MOST_WORKERS } from '../policy.js';
import { wantedSlots } from '../slots.js';
import type { ScaleReason, ScaleVerdict } from '../status.js';
import type { SupervisorContext } from './context.js';

/** A change of the number of slots that is under way. */
export interface Scaling {
  /** How many are wanted. */
  readonly workers: number;
  /** How many there were. */
  readonly from: number;
  /** When it was asked for. */
  readonly startedAtMs: number;
  /** Of the requests that its verdict answers. */
  readonly ids: readonly string[];
}

/** The verdict of a change, with the ids of the requests it answers. */
export interface SettledScale {
  /** Of the requests that it answers. */
  readonly ids: readonly string[];
  /** As it is told. */
  readonly verdict: ScaleVerdict;
}

export const wantedCount = (context: SupervisorContext): number => wantedSlots(context.slots).length;

/** How many slots a request means: a number, or one more or fewer than there are. */
export const targetOf = (context: SupervisorContext, { workers, change }: ScaleRequest): number =>
  workers ?? wantedCount(context) + change;

export interface ScaleProblem {
  readonly reason: ScaleReason;
  readonly detail: string;
}

/** Why a request cannot be met now; null when it can. */
export const scaleProblem = (context: SupervisorContext, request: ScaleRequest): ScaleProblem | null => {
  const target = targetOf(context, request);
  if (context.stops > 0 || context.failure !== null)
    return { reason: 'stopping', detail: 'the supervisor is stopping' };
  if (context.link !== 'none')
    return { reason: 'reloading', detail: 'a reload is under way: ask again when it is over' };
  if (context.slots.every(({ state }) => state === 'stopped'))
    return { reason: 'starting', detail: 'the supervisor has not started its workers yet' };
  if (Number.isInteger(target) && target >= 1 && target <= MOST_WORKERS) return null;
  return { reason: 'limit', detail: `${target} workers: there may be 1 to ${MOST_WORKERS}` };
};

/** Every wanted slot is ready, and none is left that is not wanted. */
export const isScaled = ({ slots }: SupervisorContext): boolean =>
  slots.every(({ leaving, state }) => !leaving && state === 'ready');

/** What is still missing, in words. */
export const missingText = ({ slots }: SupervisorContext): string => {
  const numbers = (found: typeof slots) => found.map(({ slot }) => slot).join(', ');
  const late = slots.filter(({ leaving, state }) => !leaving && state !== 'ready');
  const left = slots.filter(({ leaving }) => leaving);
  return [
    ...(late.length === 0 ? [] : [`not ready yet: worker ${numbers(late)}`]),
    ...(left.length === 0 ? [] : [`not gone yet: worker ${numbers(left)}`]),
  ].join('; ');
};

/** The answer to whoever asked for the change. */
export const settledScale = (
  scaling: Scaling,
  outcome: ScaleVerdict['outcome'],
  problem: { readonly reason: ScaleReason | null; readonly detail: string | null },
  toldAtMs: number,
): SettledScale => {
  // A slot that was empty anyway goes with the order itself, which has no time of its own.
  const atMs = Math.max(toldAtMs, scaling.startedAtMs);
  return {
    ids: scaling.ids,
    verdict: {
      outcome,
      workers: scaling.workers,
      from: scaling.from,
      ...problem,
      durationMs: Math.round(atMs - scaling.startedAtMs),
      at: new Date(atMs).toISOString(),
    },
  };
};
