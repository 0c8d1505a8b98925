/**
 * What the predecessor's part of a reload knows.
 */
import type { SuccessorDescriptors } from '../contracts.js';
import type { Identity, ReloadEvent } from '../events.js';
import type { HandoverRecord } from '../handover.js';
import type { Settings } from '../policy.js';
import type { ReloadReason } from '../status.js';

/** What the reload machine is started with. */
export interface ReloadInput {
  /** The predecessor's: its limits count on this side. */
  readonly settings: Settings;
  /** What the successor is told. */
  readonly record: HandoverRecord;
  /** What it inherits. */
  readonly descriptors: SuccessorDescriptors;
}

/** What the reload machine knows. Plain JSON. */
export interface ReloadContext extends ReloadInput {
  /** The process; null before it exists. */
  readonly successor: Identity | null;
  /** The successor's workers, as it last said. */
  readonly workers: readonly Identity[];
  /** The successor's workers may have served: they were granted it, or it has decided for itself. */
  readonly served: boolean;
  /** The successor has said that its workers may serve, or that it is in charge. */
  readonly activated: boolean;
  /** How long it may take from then on until it is in charge, as it said; null before. */
  readonly limitMs: number | null;
  /** The successor has said that it is in charge. */
  readonly committed: boolean;
  /** A signal ended its supervisor: it has given nothing back. */
  readonly killed: boolean;
  /** Everything of the successor is gone. */
  readonly departed: boolean;
  /** Why the reload fails, once it does; null as long as it may succeed. */
  readonly failure: {
    /** As a word of the verdict. */
    readonly reason: ReloadReason;
    /** In one sentence for a person. */
    readonly detail: string;
  } | null;
  /** Somebody asked for a stop. */
  readonly stopping: boolean;
}

export type Args = { context: ReloadContext; event: ReloadEvent };

export const seconds = (ms: number): string => `${ms / 1000} s`;

export const exitFacts = ({ context, event }: Args): Partial<Pick<ReloadContext, 'failure' | 'killed'>> => {
  if (event.type !== 'successor.exited') return {};
  const killed = event.signal !== null;
  if (context.failure !== null) return { killed };
  const how = event.signal === null ? `with status ${event.code}` : `by ${event.signal}`;
  const late = context.activated ? ', while its workers served' : '';
  const when = context.committed ? 'after it had taken charge' : `before it took charge${late}`;
  return {
    killed,
    failure: {
      reason: 'exited',
      detail: `generation ${context.record.generation} (pid ${event.pid}) exited ${how} ${when}`,
    },
  };
};

export const isSuccessor = ({ context, event }: Args): boolean =>
  'pid' in event && context.successor !== null && event.pid === context.successor.pid;

export const initialContext = (input: ReloadInput): ReloadContext => ({
  ...input,
  successor: null,
  workers: [],
  served: false,
  activated: false,
  limitMs: null,
  committed: false,
  killed: false,
  departed: false,
  failure: null,
  stopping: false,
});
